using System.Security.Cryptography;
using Benji.Store;
using Benji.Store.Operations;
using Benji.Testing;
using Benji.Testing.Interleaving;
using Benji.Testing.Storages;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Benji.Tests.Operations;

/// <summary>A rebuild that is killed leaves the old catalog at work, whatever it has put by then.</summary>
public sealed class RebuildKilledTests
{
    [Fact]
    public async Task TheOldCatalogWorksOn()
    {
        await using var store = new StoreFixture();
        store.Images.Set("disk", RandomNumberGenerator.GetBytes(store.BlockSize));
        await store.BackupAsync("disk");
        for (var (at, isKilled) = (0, true); isKilled; at++)
        {
            await store.CloseAsync();
            var failure = await Record.ExceptionAsync(() => RebuildAsync(store, at));
            isKilled = failure is KilledException;
            Assert.True(isKilled || failure is null, $"{at}: {failure}");

            // Removed again, so that no rebuild has more to do than the one before.
            await store.RemoveAsync((await store.BackupAsync("disk")).Version.Name);
        }
    }

    // Killed before a call to its storage: nothing that it does afterwards happens.
    private static Task RebuildAsync(StoreFixture store, int at) => StoreRebuild.RunAsync(
        store.Options,
        new StoreParts
        {
            WrapStorage = inner => new FaultyStorage(inner, call => call.Number >= at ? throw new KilledException() : null),
        },
        new RebuildRequest { Force = true },
        NullLogger.Instance,
        store.Clock,
        NoProgress.Instance,
        CancellationToken.None);
}
