using Benji.Store.Blocks;
using Benji.Store.Blocks.Opening;
using Benji.Store.Catalogs;
using Benji.Store.Catalogs.LiteDb;
using Benji.Store.Model;
using Benji.Testing;
using Benji.Testing.Storages;
using Xunit;

namespace Benji.Tests.Blocks;

public sealed class PendingDeletionsTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task AWriterGoesOnWhenTheCleanupItWaitsForDiesWithoutAnotherCommit()
    {
        using var directory = new TemporaryDirectory();
        await using var store = await OpenStoreAsync();
        var id = new BlockId(new Hash256(Enumerable.Repeat((byte)7, Hash256.Size).ToArray()));
        await using var writing = await OpenCatalogAsync(directory);
        var cleaning = await OpenCatalogAsync(directory);
        await cleaning.WriteAsync(
            transaction =>
            {
                Assert.True(transaction.Leases.TryAcquire(
                    LeaseResource.Cleanup, LeaseMode.Exclusive, "cleanup", out _, out _));
                transaction.BlockReferences.Put([new BlockRow(
                    id, "main", BlockForm.Whole, 1, 1, 1, [], null, false, ReferenceState.Deleting, DateTimeOffset.UnixEpoch)]);
                return true;
            },
            CancellationToken.None);

        var wait = new PendingDeletions(store, writing, TimeProvider.System).WaitAsync([id], CancellationToken.None);
        await Assert.ThrowsAsync<TimeoutException>(() => wait.WaitAsync(TimeSpan.FromMilliseconds(200)));

        // Closing the instance frees its kernel lock and commits nothing, as a kill does.
        await cleaning.DisposeAsync();
        await wait.WaitAsync(Limit);
        Assert.Null((await writing.ReadAsync(
            transaction => transaction.BlockReferences.Find([id]), CancellationToken.None))[0]);
    }

    private static Task<LiteDbCatalog> OpenCatalogAsync(TemporaryDirectory directory) =>
        LiteDbCatalog.OpenAsync(
            new LiteDbCatalogOptions { Path = directory["catalog.db"], Create = true }, CancellationToken.None);

    private static Task<OpenedStore> OpenStoreAsync() =>
        OpenedStore.OpenAsync(
            new StoreOpening
            {
                Name = "main",
                Storage = new MemoryStorage(),
                MayCreate = true,
                Pool = new BlockBufferPool(1024 * 1024),
                Time = TimeProvider.System,
            },
            CancellationToken.None);
}
