using Benji.Store.Catalogs;
using Benji.Store.Model;
using Xunit;

namespace Benji.Tests.Catalogs;

/// <summary>What every catalog's overlays, intents and storage bindings must do.</summary>
public abstract class SmallRolesContract : CatalogContract
{
    private static readonly VersionName Base = new("vm/disk", "one");

    [Fact]
    public async Task AnOverlayIsFoundByItsBaseAndNameAndListedByAge()
    {
        var (first, second) = (Guid.NewGuid(), Guid.NewGuid());
        var overlays = new[]
        {
            new OverlayRecord(Guid.NewGuid(), "b", first, Base, Clock.GetUtcNow()),
            new OverlayRecord(Guid.NewGuid(), "a", first, Base, Clock.GetUtcNow().AddTicks(1)),
            new OverlayRecord(Guid.NewGuid(), "b", second, new VersionName("vm", "two"), Clock.GetUtcNow().AddTicks(2)),
        };
        await WriteAsync(catalog => Array.ForEach([overlays[2], overlays[1], overlays[0]], catalog.Overlays.Add));
        await ReopenAsync();

        Assert.Equal(overlays, await ReadAsync(catalog => catalog.Overlays.List(null)));
        Assert.Equal(overlays[..2], await ReadAsync(catalog => catalog.Overlays.List(first)));
        Assert.Equal(overlays[2], await ReadAsync(catalog => catalog.Overlays.Find(second, "b")));
        Assert.Null(await ReadAsync(catalog => catalog.Overlays.Find(second, "a")));
        Assert.Null(await ReadAsync(catalog => catalog.Overlays.Find(first, "B")));
    }

    [Fact]
    public async Task AnOverlaysNameIsTakenOnItsBaseUntilItIsRemoved()
    {
        var overlay = new OverlayRecord(Guid.NewGuid(), "o", Guid.NewGuid(), Base, Clock.GetUtcNow());
        var same = overlay with { Id = Guid.NewGuid() };
        await WriteAsync(catalog => catalog.Overlays.Add(overlay));

        await Assert.ThrowsAsync<AlreadyExistsException>(() => WriteAsync(catalog => catalog.Overlays.Add(same)));
        Assert.True(await WriteAsync(catalog => catalog.Overlays.Remove(overlay.Id)));
        Assert.False(await WriteAsync(catalog => catalog.Overlays.Remove(overlay.Id)));
        await WriteAsync(catalog => catalog.Overlays.Add(same));

        Assert.Equal([same], await ReadAsync(catalog => catalog.Overlays.List(null)));
    }

    [Fact]
    public async Task IntentsAreReplacedByVersionAndForgotten()
    {
        var publish = new Intent(IntentKind.Publish, Guid.NewGuid(), Base, "storage", long.MaxValue, Clock.GetUtcNow());
        var remove = new Intent(IntentKind.Remove, Guid.NewGuid(), new VersionName("v", "2"), "s", 1, Clock.GetUtcNow());
        await WriteAsync(catalog =>
        {
            catalog.Intents.Put(publish);
            catalog.Intents.Put(remove with { Kind = IntentKind.Publish });
            catalog.Intents.Put(remove);
        });
        await ReopenAsync();

        Assert.Equal(
            new[] { publish, remove }.ToHashSet(), (await ReadAsync(catalog => catalog.Intents.List())).ToHashSet());

        await WriteAsync(catalog => catalog.Intents.Remove(publish.VersionId));
        await WriteAsync(catalog => catalog.Intents.Remove(publish.VersionId));
        Assert.Equal([remove], await ReadAsync(catalog => catalog.Intents.List()));
    }

    [Fact]
    public async Task AStorageBindingIsFoundByItsExactNameAndReplaced()
    {
        var binding = new StorageBinding("Main", Guid.NewGuid(), IsEncrypted: true);
        await WriteAsync(catalog => catalog.StorageBindings.Put(binding));
        await ReopenAsync();

        Assert.Equal(binding, await ReadAsync(catalog => catalog.StorageBindings.Find("Main")));
        Assert.Null(await ReadAsync(catalog => catalog.StorageBindings.Find("main")));

        var rebuilt = binding with { StoreId = Guid.NewGuid(), IsEncrypted = false };
        await WriteAsync(catalog => catalog.StorageBindings.Put(rebuilt));
        Assert.Equal(rebuilt, await ReadAsync(catalog => catalog.StorageBindings.Find("Main")));
    }
}
