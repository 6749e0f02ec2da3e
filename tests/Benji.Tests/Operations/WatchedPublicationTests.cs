using System.Security.Cryptography;
using Benji.Store;
using Benji.Store.Model;
using Benji.Testing;
using Benji.Testing.Catalogs;
using Xunit;

namespace Benji.Tests.Operations;

/// <summary>A version that uses a block which was found damaged while it was made is never called valid.</summary>
public sealed class WatchedPublicationTests
{
    private const int Block = 4 * BlockGeometry.FrameSize;

    [Fact]
    public async Task AScrubAtAnyStepOfABackupIsNotMissed()
    {
        var told = 0;
        for (var number = 0; ; number++)
        {
            InterruptedCatalog catalog = null!;
            await using var store = new StoreFixture
            {
                Parts = new StoreParts { WrapCatalog = inner => catalog = new InterruptedCatalog(inner) },
            };
            var content = RandomNumberGenerator.GetBytes(4 * Block);
            store.Images.Set("disk", content);
            var first = await store.BackupAsync("disk", request => request with { Version = "one" });
            DamagedFile.Flip(Path.Combine(store.StoragePath, store.Objects("blocks")[0]), 10);
            content[^1] ^= 1;
            catalog.Interrupt(number, () => store.DeepScrubAsync(first.Version.Name));

            var second = await store.BackupAsync("disk", request => request with { Version = "two" });

            if (!catalog.Stop())
            {
                break;
            }

            var listed = (await (await store.StoreAsync()).ListAsync("disk")).Single(v => v.Name == second.Version.Name);
            var (restored, _) = await store.RestoreAsync("disk/two", "target");
            Assert.True(
                restored.Damage.Count == 0 || listed.Status == VersionStatus.Invalid, $"Missed before transaction {number}.");
            Assert.True(!second.UsesNewDamage || second.Version.Status == VersionStatus.Invalid);
            told += second.UsesNewDamage ? 1 : 0;
        }

        Assert.InRange(told, 2, 100);
    }

    [Fact]
    public async Task AKnownDamageThatTheBackupHealsIsNotTold()
    {
        await using var store = new StoreFixture();
        store.Images.Set("disk", RandomNumberGenerator.GetBytes(2 * Block));
        var first = await store.BackupAsync("disk");
        DamagedFile.Flip(Path.Combine(store.StoragePath, store.Objects("blocks")[0]), 10);
        await store.DeepScrubAsync(first.Version.Name);

        var second = await store.BackupAsync("disk");

        Assert.Equal((VersionStatus.Valid, false, 1), (second.Version.Status, second.UsesNewDamage, second.BlocksNew));
    }
}
