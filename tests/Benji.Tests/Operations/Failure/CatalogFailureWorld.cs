using Benji.Store;
using Benji.Store.Catalogs;
using Benji.Store.Catalogs.LiteDb;
using Benji.Store.Catalogs.LiteDb.Roles;
using Benji.Store.Model;
using Benji.Store.Operations;
using Benji.Store.Posix;
using Benji.Testing.Catalogs;
using Benji.Testing.Disks;
using Benji.Testing.Serving;
using Benji.Tests.Operations.Age;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Benji.Tests.Operations.Failure;

/// <summary>A store whose catalog is the real one on a simulated disk that fails as a script says.</summary>
internal sealed class CatalogFailureWorld : IAsyncDisposable
{
    private readonly AgeWorld _world = new();
    private readonly AgeCatalog _place;
    private readonly SimulatedCounter _counter = new();
    private readonly Dictionary<string, byte[]> _contents = [];
    private SimulatedDisk _disk = new();
    private (byte[] Data, byte[] Log, long Counter) _catalog;
    private IReadOnlyDictionary<string, (byte[] Content, DateTimeOffset Modified)> _objects = null!;

    private CatalogFailureWorld() => _place = _world.NewCatalog();

    /// <summary>What a disk under a catalog fails with.</summary>
    public static IReadOnlyList<int> Kinds { get; } =
    [
        Errno.Io, Errno.NoSpace, Errno.QuotaExceeded, Errno.AccessDenied, Errno.ReadOnlyFileSystem, Errno.StaleHandle,
        Errno.TimedOut, Errno.TooManyFiles, Errno.NoMemory,
    ];

    /// <summary>The commands; each answers whether it told of damage.</summary>
    public static IReadOnlyDictionary<string, Func<CatalogFailureWorld, BenjiStore, Task<bool>>> Commands { get; } =
        new Dictionary<string, Func<CatalogFailureWorld, BenjiStore, Task<bool>>>
        {
            ["ls"] = async (_, store) => (await store.ListAsync(null)).Count == 0,
            ["scrub"] = (_, store) => ScrubAsync(store, isDeep: false),
            ["deep-scrub"] = (_, store) => ScrubAsync(store, isDeep: true),
            ["restore"] = async (world, store) => !(await world.RestoreAsync(store, "a/kept")).SequenceEqual(world._contents["a/kept"]),
            ["image"] = (world, store) => world.ReadImageAsync(store),
            ["backup"] = (world, store) => world.BackUpAsync(store, "a", "new"),
            ["rm"] = async (_, store) =>
            {
                await store.RemoveAsync(new RemoveRequest { Versions = ["b/old"], Force = true });
                return false;
            },
            ["cleanup"] = async (_, store) =>
            {
                await store.CleanupAsync(new CleanupRequest { OlderThan = TimeSpan.Zero }, NoProgress.Instance);
                return false;
            },
            ["label"] = async (_, store) =>
            {
                await store.LabelAsync("a/kept", new Dictionary<string, string> { ["x"] = "y" }, []);
                return false;
            },
        };

    /// <summary>Makes a store with two versions, and something for a cleanup to delete.</summary>
    public static async Task<CatalogFailureWorld> OpenAsync()
    {
        var world = new CatalogFailureWorld();
        await using (var store = await world.OpenStoreAsync(StoreUse.Create))
        {
            foreach (var (volume, version) in new[] { ("b", "gone"), ("b", "old"), ("a", "kept") })
            {
                await world.BackUpAsync(store, volume, version);
                world._world.Clock.Advance(TimeSpan.FromSeconds(1));
            }

            await store.RemoveAsync(new RemoveRequest { Versions = ["b/gone"], Force = true });
        }

        world._world.Clock.Advance(TimeSpan.FromSeconds(10));
        world._catalog = (
            world.BytesOf(SimulatedCatalogPlace.Data), world.BytesOf(SimulatedCatalogPlace.Log), world._counter.Value);
        world._objects = world._world.Main.Copy();
        return world;
    }

    /// <summary>Runs a command on the store as it was made, in a process of its own.</summary>
    /// <returns>Its failure, whether it told of damage, and how many steps it made on the catalog's disk.</returns>
    public async Task<(Exception? Failure, bool IsDamaged, int Steps)> RunAsync(
        string command, Func<int, DiskStep, int?> script)
    {
        PutBack();
        var (isDamaged, steps) = (false, 0);
        _disk.FailsWith = step => script(steps++, step);
        var failure = await Record.ExceptionAsync(async () =>
        {
            await using var store = await OpenStoreAsync(StoreUse.Change);
            isDamaged = await Commands[command](this, store);
        });
        _disk.FailsWith = null;
        _disk.Resume();
        return (failure, isDamaged, steps);
    }

    /// <summary>The store works: what is listed is valid and right, what must be there is, and a cleanup hurts nothing.</summary>
    public async Task CheckAsync(string command, bool isDone, string when)
    {
        await using var store = await OpenStoreAsync(StoreUse.Change);
        await CheckVersionsAsync(store, command, isDone, when);
        await store.CleanupAsync(new CleanupRequest { OlderThan = TimeSpan.Zero }, NoProgress.Instance);
        await CheckVersionsAsync(store, command, isDone, when);
        Assert.True(await store.Catalog.ReadAsync(read => read.BlockReferences.ListInvalid().Count, default) == 0, when);
    }

    public ValueTask DisposeAsync() => _world.DisposeAsync();

    private async Task CheckVersionsAsync(BenjiStore store, string command, bool isDone, string when)
    {
        var versions = await store.ListAsync(null);
        var names = versions.Select(version => version.Name.ToString()).ToHashSet();
        Assert.True(names.Contains("a/kept"), when);
        Assert.True(names.Contains("b/old") || command == "rm", when);
        Assert.True(!names.Contains("a/new") || command == "backup", when);
        Assert.True(!isDone || names.Contains("a/new") == (command == "backup"), when);
        Assert.True(!isDone || names.Contains("b/old") == (command != "rm"), when);
        foreach (var version in versions)
        {
            Assert.True(version.Status == VersionStatus.Valid, when);
            var name = version.Name.ToString();
            Assert.True((await RestoreAsync(store, name)).SequenceEqual(_contents[name]), when);
        }
    }

    private async Task<BenjiStore> OpenStoreAsync(StoreUse use)
    {
        var place = SimulatedCatalogPlace.On(_disk, _counter, loggedPagesMax: 40, reserve: 256 << 10) with
        {
            Owners = new LoneOwner(),
        };
        var catalog = await LiteDbCatalog.OpenAsync(
            place, _world.Clock, mayCreate: use == StoreUse.Create, CancellationToken.None);
        try
        {
            var parts = _world.PartsOf(_place, new Tripwire());
            return await BenjiStore.OpenAsync(
                _world.OptionsOf(_place),
                parts with { WrapCatalog = inner => new TrippedCatalog(catalog, inner, new Tripwire()) },
                use,
                NullLoggerFactory.Instance,
                _world.Clock,
                CancellationToken.None);
        }
        catch
        {
            await catalog.DisposeAsync();
            throw;
        }
    }

    private void PutBack()
    {
        _disk = new SimulatedDisk();
        foreach (var (name, bytes) in new[] { (SimulatedCatalogPlace.Data, _catalog.Data), (SimulatedCatalogPlace.Log, _catalog.Log) })
        {
            _disk[name].Write(0, bytes);
            _disk[name].Sync();
        }

        _disk.SyncNames();
        _counter.Value = _catalog.Counter;
        _world.Main.PutBack(_objects);
    }

    private byte[] BytesOf(string name)
    {
        var bytes = new byte[_disk[name].Length];
        _disk[name].Read(0, bytes);
        return bytes;
    }

    private async Task<bool> BackUpAsync(BenjiStore store, string volume, string version)
    {
        var content = new byte[(3 * AgeWorld.BlockSize) + 1000];
        new Random(version[0]).NextBytes(content);
        _contents[$"{volume}/{version}"] = content;
        _world.Images.Set(volume, content);
        var result = await store.BackupAsync(
            new BackupRequest { Source = volume, Volume = volume, Version = version }, NoProgress.Instance);
        return result.Version.Status != VersionStatus.Valid;
    }

    private async Task<byte[]> RestoreAsync(BenjiStore store, string version)
    {
        var target = _world.Images.Set("target", new byte[_contents[version].Length]);
        var result = await store.RestoreAsync(
            new RestoreRequest { Version = version, Target = "target", Force = true }, NoProgress.Instance);
        Assert.Empty(result.Damage);
        return target.Content;
    }

    private async Task<bool> ReadImageAsync(BenjiStore store)
    {
        var images = store.OpenImages();
        var entry = await images.FindAsync("a/kept", CancellationToken.None);
        await using var image = await images.OpenVersionAsync(entry!, CancellationToken.None);
        return !(await image.ReadAllAsync()).SequenceEqual(_contents["a/kept"]);
    }

    private static async Task<bool> ScrubAsync(BenjiStore store, bool isDeep)
    {
        var result = await store.ScrubAsync(new ScrubRequest { Version = "a/kept", IsDeep = isDeep }, NoProgress.Instance);
        return result.Damage.Count > 0;
    }

    // Every other process is dead.
    private sealed class LoneOwner : ILeaseOwners
    {
        public LeaseOwner Self { get; } = new("simulated", 1, Guid.NewGuid());

        public string BootId => "simulated";

        public void Announce()
        {
            // There is nobody to tell.
        }

        public bool? IsAlive(LeaseOwner owner, string bootId) => owner.Token == Self.Token;

        public bool HasReaders() => false;

        public void Dispose()
        {
            // Nothing is held.
        }
    }
}
