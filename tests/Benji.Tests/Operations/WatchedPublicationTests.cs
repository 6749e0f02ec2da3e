using System.Security.Cryptography;
using Benji.Store;
using Benji.Store.Model;
using Benji.Testing;
using Benji.Testing.Catalogs;
using Benji.Tests.Operations.Age;
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

    [Fact]
    public async Task AVersionWhoseMapCannotBeReadIsNotCalledValid()
    {
        await using var world = new AgeWorld();
        var catalog = world.NewCatalog();
        world.Images.Set("other", RandomNumberGenerator.GetBytes(AgeWorld.BlockSize));
        world.Images.Set("disk", RandomNumberGenerator.GetBytes(AgeWorld.BlockSize));
        await world.BackupAsync(catalog, "other");
        catalog.Place.State = catalog.Place.State with
        {
            Blocks = catalog.Place.State.Blocks.SetItems(catalog.Place.State.Blocks.Select(
                block => KeyValuePair.Create(block.Key, block.Value.Marked()))),
        };
        var (state, objects) = (catalog.Place.State, world.Main.Copy());
        var statuses = new List<VersionStatus>();
        for (var (at, isHit) = (0, true); isHit; at++)
        {
            catalog.Place.State = state;
            world.Main.PutBack(objects);
            isHit = false;
            var failure = await Record.ExceptionAsync(async () => statuses.Add((await world.BackupAsync(catalog, "disk", new Tripwire
            {
                At = at,
                Then = async () =>
                {
                    isHit = true;
                    catalog.Place.State = catalog.Place.State with { Pages = catalog.Place.State.Pages.Clear() };
                    await world.Main.DeleteAsync(
                        [.. world.Main.Names.Where(name => name.Value.StartsWith("pages/", StringComparison.Ordinal))],
                        CancellationToken.None);
                },
            })).Status));
            Assert.True(failure is null or CorruptDataException, $"{at}: {failure}");
        }

        Assert.Contains(VersionStatus.Invalid, statuses);
        Assert.Equal(VersionStatus.Valid, statuses[^1]);
    }
}
