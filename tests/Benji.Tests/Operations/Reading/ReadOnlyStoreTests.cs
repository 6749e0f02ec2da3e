using Benji.Store;
using Benji.Store.Model;
using Benji.Store.Operations;
using Benji.Testing.Serving;
using Xunit;

namespace Benji.Tests.Operations.Reading;

/// <summary>Everything that reads works where nothing can be written, and what cannot be recorded is one warning.</summary>
public sealed class ReadOnlyStoreTests
{
    [Fact]
    public async Task EverythingThatReadsWorksAndChangesNothing()
    {
        await using var world = await ReadOnlyWorld.MakeAsync();
        await (await world.Store.StoreAsync()).CreateOverlayAsync(world.Version.ToString(), "fix");
        await using var frozen = await world.FreezeAsync();
        await using var store = await world.OpenHereAsync();
        Assert.Equal(world.Version, Assert.Single(await store.ListAsync(null)).Name);
        Assert.Equal("fix", Assert.Single(await store.ListOverlaysAsync(null)).Overlay!.Name);
        Assert.Equal(world.Content, (await world.RestoreAsync(store)).Content);
        Assert.Empty((await world.ScrubAsync(store, isDeep: false)).Damage);
        Assert.Equal(VersionStatus.Valid, (await world.ScrubAsync(store, isDeep: true)).Version.Status);
        await using var image = await world.OpenImageAsync(store);
        Assert.Equal(world.Content, await image.ReadAllAsync());
        Assert.Empty(world.Log.Warnings);
    }

    [Fact]
    public async Task EverythingThatChangesIsRefusedAndChangesNothing()
    {
        await using var world = await ReadOnlyWorld.MakeAsync();
        await (await world.Store.StoreAsync()).CreateOverlayAsync(world.Version.ToString(), "fix");
        await using var frozen = await world.FreezeAsync();
        await using var store = await world.OpenHereAsync();
        var version = world.Version.ToString();
        var images = store.OpenImages();
        var overlay = (await images.FindAsync(version + "@fix", CancellationToken.None))!;
        foreach (var change in new Func<Task>[]
        {
            () => store.BackupAsync(new BackupRequest { Source = "disk", Volume = "disk" }, NoProgress.Instance),
            () => store.RemoveAsync(new RemoveRequest { Versions = [version], Force = true }),
            () => store.CleanupAsync(new CleanupRequest(), NoProgress.Instance),
            () => store.LabelAsync(version, new Dictionary<string, string> { ["a"] = "b" }, []),
            () => store.ProtectAsync(version, isProtected: true),
            () => store.CreateOverlayAsync(version, "other"),
            () => store.RemoveOverlaysAsync(new OverlayRemoveRequest { Overlays = [version + "@fix"], Force = true }),
            () => store.PromoteAsync(new PromoteRequest { Overlay = version + "@fix" }, NoProgress.Instance),
            () => images.OpenOverlayAsync(overlay, CancellationToken.None),
        })
        {
            await Assert.ThrowsAsync<ReadOnlyException>(change);
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task DamageIsToldAndThatItIsNotRecordedIsOneWarning(bool isStorageOnly)
    {
        await using var world = await ReadOnlyWorld.MakeAsync();
        File.Delete(Path.Combine(world.Store.StoragePath, world.Store.Objects("blocks")[0]));
        await world.Store.CloseAsync();
        foreach (var command in new Func<BenjiStore, Task<int>>[]
        {
            async store => (await world.ScrubAsync(store, isDeep: false)).Damage.Count,
            async store => (await world.ScrubAsync(store, isDeep: true)).Damage.Count,
            async store => (await world.RestoreAsync(store)).Result.Damage.Count,
        })
        {
            var before = world.Log.Warnings.Count;
            await using (var store = isStorageOnly ? await world.OpenOverFixedStorageAsync() : await world.OpenHereAsync())
            {
                Assert.Equal(1, await command(store));
            }

            Assert.Contains("is not recorded", Assert.Single(world.Log.Warnings.Skip(before)), StringComparison.Ordinal);
        }

        var listed = Assert.Single(await (await world.Store.StoreAsync()).ListAsync(null));
        Assert.Equal(VersionStatus.Valid, listed.Status);
    }

    [Theory]
    [InlineData(true, "pages")]
    [InlineData(false, "pages")]
    [InlineData(true, "versions")]
    [InlineData(false, "versions")]
    public async Task WhatTheCatalogHoldsAndCannotBeWrittenAgainIsAWarning(bool isStorageOnly, string folder)
    {
        await using var world = await ReadOnlyWorld.MakeAsync();
        File.Delete(Path.Combine(world.Store.StoragePath, world.Store.Objects(folder)[0]));
        await world.Store.CloseAsync();
        await using var store = isStorageOnly ? await world.OpenOverFixedStorageAsync() : await world.OpenHereAsync();

        Assert.Empty((await world.ScrubAsync(store, isDeep: true)).Damage);

        Assert.Single(world.Log.Warnings);
        Assert.Equal(world.Content, (await world.RestoreAsync(store)).Content);
    }

    [Fact]
    public async Task ThatAVersionIsValidAgainIsToldAndNotRecorded()
    {
        await using var world = await ReadOnlyWorld.MakeAsync();
        var path = Path.Combine(world.Store.StoragePath, world.Store.Objects("blocks")[0]);
        File.Move(path, world.Store["aside"]);
        Assert.Single((await world.Store.DeepScrubAsync(world.Version)).Damage);
        File.Move(world.Store["aside"], path);
        await using var frozen = await world.FreezeAsync();
        await using var store = await world.OpenHereAsync();

        var result = await world.ScrubAsync(store, isDeep: true);

        Assert.Empty(result.Damage);
        Assert.Equal(VersionStatus.Invalid, result.Version.Status);
        Assert.Contains("is not recorded", Assert.Single(world.Log.Warnings), StringComparison.Ordinal);
    }

    /// <summary>The catalog's row of a map page is damaged or lost: it is read from its object, and not put back.</summary>
    [Fact]
    public async Task AMapPageThatTheCatalogLacksIsReadFromItsObject()
    {
        await using var world = await ReadOnlyWorld.MakeAsync();
        await (await world.Store.StoreAsync()).Catalog.WriteAsync(
            transaction =>
            {
                transaction.BlockMaps.Remove([.. transaction.BlockMaps.Scan(null, 100).Select(row => row.Id)]);
                return true;
            },
            CancellationToken.None);
        await using var frozen = await world.FreezeAsync();
        await using var store = await world.OpenHereAsync();

        Assert.Equal(world.Content, (await world.RestoreAsync(store)).Content);
    }
}
