using Benji.Store;
using Benji.Store.Blocks;
using Benji.Store.Blocks.Opening;
using Benji.Store.Model;
using Benji.Store.Operations;
using Benji.Store.Storages;
using Benji.Testing;
using Benji.Testing.Catalogs;
using Benji.Testing.Images;
using Benji.Testing.Interleaving;
using Benji.Testing.Storages;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Benji.Tests.Operations.Age;

/// <summary>The real store over catalogs and storages in memory, which can be copied and put back at any moment.</summary>
/// <remarks>Every opening of a catalog is a process of its own.</remarks>
internal sealed class AgeWorld : IAsyncDisposable
{
    public const int BlockSize = BlockGeometry.BlockSizeMin;

    private readonly TemporaryDirectory _directory = new();
    private readonly Dictionary<string, MemoryStorage> _storages = [];
    private int _catalogs;

    public AgeWorld(params string[] storages)
    {
        foreach (var name in storages is [] ? ["main"] : storages)
        {
            // A storage that has nothing in its directory counts as never used for a rebuild.
            Directory.CreateDirectory(_directory[name]);
            File.WriteAllText(Path.Combine(_directory[name], ".used"), "");
            _storages.Add(name, new MemoryStorage(Clock));
        }
    }

    public ManualClock Clock { get; } = new();

    public MemoryImages Images { get; } = new();

    public MemoryStorage Main => _storages["main"];

    public MemoryStorage this[string storage] => _storages[storage];

    /// <summary>The names of objects, those of marks too.</summary>
    public IReadOnlyList<string> Objects => [.. _storages.SelectMany(
        storage => storage.Value.Names.Select(name => $"{storage.Key}: {name}"))];

    /// <summary>A new, empty catalog.</summary>
    public AgeCatalog NewCatalog() => new(new MemoryCatalogPlace(Clock), _directory[$"c{_catalogs++}"]);

    /// <summary>A copy of a catalog, used as one of its own.</summary>
    public AgeCatalog Fork(AgeCatalog catalog)
    {
        var fork = NewCatalog();
        fork.Place.State = catalog.Place.State;
        return fork;
    }

    /// <summary>Opens the main storage past every catalog.</summary>
    public Task<OpenedStore> OpenMainAsync() => OpenedStore.OpenAsync(
        new StoreOpening
        {
            Name = "main",
            Storage = Main,
            MayCreate = false,
            Pool = new BlockBufferPool(1 << 20),
            Time = Clock,
        },
        CancellationToken.None);

    /// <summary>Starts a process.</summary>
    /// <param name="catalog">Its catalog.</param>
    /// <param name="wire">What each of its calls passes; null for nothing.</param>
    /// <param name="change">Changes how it is configured.</param>
    /// <param name="logging">Where it logs.</param>
    /// <param name="use">What for.</param>
    public async Task<BenjiStore> StartAsync(
        AgeCatalog catalog,
        Tripwire? wire = null,
        Func<StoreOptions, StoreOptions>? change = null,
        ILoggerFactory? logging = null,
        StoreUse use = StoreUse.Create)
    {
        var options = OptionsOf(catalog);
        return await BenjiStore.OpenAsync(
            change?.Invoke(options) ?? options,
            PartsOf(catalog, wire ?? new Tripwire()),
            use,
            logging ?? NullLoggerFactory.Instance,
            Clock,
            CancellationToken.None);
    }

    /// <summary>Lets a process do something, from its start to its end.</summary>
    public async Task<T> DoAsync<T>(
        AgeCatalog catalog, Func<BenjiStore, Task<T>> work, Tripwire? wire = null, ILoggerFactory? logging = null)
    {
        await using var store = await StartAsync(catalog, wire, logging: logging);
        return await work(store);
    }

    public Task<VersionRecord> BackupAsync(AgeCatalog catalog, string volume, Tripwire? wire = null) =>
        DoAsync(catalog, store => BackupAsync(store, volume), wire);

    public static async Task<VersionRecord> BackupAsync(BenjiStore store, string volume, string? storage = null)
    {
        var result = await store.BackupAsync(
            new BackupRequest { Source = volume, Volume = volume, Storage = storage }, NoProgress.Instance);
        return result.Version;
    }

    /// <summary>Kills a backup after its manifest and before its version.</summary>
    public async Task KillAfterManifestAsync(AgeCatalog catalog, string volume)
    {
        var before = CountManifests();
        for (var at = 0; CountManifests() == before; at++)
        {
            await Assert.ThrowsAsync<KilledException>(() => BackupAsync(catalog, volume, new Tripwire { At = at }));
        }
    }

    /// <summary>The manifests in the main storage.</summary>
    public int CountManifests() => Main.Names.Count(name => name.Value.StartsWith("versions/", StringComparison.Ordinal));

    public Task<RemoveResult> RemoveAsync(AgeCatalog catalog, VersionName version, Tripwire? wire = null) =>
        DoAsync(
            catalog,
            store => store.RemoveAsync(new RemoveRequest { Versions = [version.ToString()], Force = true }),
            wire);

    /// <summary>Cleans up without a grace period, a second later than what was before.</summary>
    public Task<CleanupResult> CleanUpAsync(AgeCatalog catalog, Tripwire? wire = null)
    {
        Clock.Advance(TimeSpan.FromSeconds(1));
        return DoAsync(
            catalog, store => store.CleanupAsync(new CleanupRequest { OlderThan = TimeSpan.Zero }, NoProgress.Instance), wire);
    }

    public async Task<byte[]> RestoreAsync(AgeCatalog catalog, VersionName version, ILoggerFactory? logging = null)
    {
        var target = Guid.NewGuid().ToString("N");
        var result = await DoAsync(
            catalog,
            store => store.RestoreAsync(
                new RestoreRequest { Version = version.ToString(), Target = target }, NoProgress.Instance),
            logging: logging);
        Assert.Empty(result.Damage);
        return Images[target].Content;
    }

    /// <summary>Makes the catalog anew from the storages, which replaces it.</summary>
    /// <param name="catalog">The catalog.</param>
    /// <param name="wire">What each call passes.</param>
    /// <param name="script">What goes wrong with calls of storages.</param>
    public async Task<RebuildResult> RebuildAsync(
        AgeCatalog catalog, Tripwire? wire = null, Func<StorageCall, Fault?>? script = null)
    {
        // Only a store that was opened once has a file to replace.
        await (await StartAsync(catalog)).DisposeAsync();
        var made = new AgeCatalog(new MemoryCatalogPlace(Clock), catalog.Path);
        var parts = PartsOf(made, wire ?? new Tripwire());
        var result = await StoreRebuild.RunAsync(
            OptionsOf(made),
            parts with
            {
                WrapStorage = inner => script is null
                    ? parts.WrapStorage(inner)
                    : new FaultyStorage(parts.WrapStorage(inner), script),
                WrapCatalog = inner =>
                {
                    made.Place.State = new MemoryCatalogState();
                    return parts.WrapCatalog(inner);
                },
            },
            new RebuildRequest { Force = true },
            NullLogger.Instance,
            Clock,
            NoProgress.Instance,
            CancellationToken.None);
        catalog.Place.State = made.Place.State;
        return result;
    }

    /// <summary>The four checks.</summary>
    /// <param name="catalog">The catalog.</param>
    /// <param name="possible">The bytes of every version that may be there.</param>
    /// <param name="required">Those that must be there.</param>
    public async Task CheckAsync(
        AgeCatalog catalog, IReadOnlyDictionary<VersionName, byte[]> possible, params IEnumerable<VersionName> required)
    {
        var versions = await DoAsync(catalog, store => store.ListAsync(null));
        Assert.Empty(required.Except(versions.Select(version => version.Name)));
        Clock.Advance(TimeSpan.FromDays(1));
        await CleanUpAsync(catalog);
        await CleanUpAsync(catalog);
        var before = Main.Names.Where(IsData).ToList();
        Assert.Equal(0, (await CleanUpAsync(catalog)).ObjectsDeleted);
        Assert.Equal(before, Main.Names.Where(IsData));
        foreach (var version in versions)
        {
            Assert.Equal(possible[version.Name], await RestoreAsync(catalog, version.Name));
            var scrub = await DoAsync(catalog, store => store.ScrubAsync(
                new ScrubRequest { Version = version.Name.ToString(), IsDeep = true }, NoProgress.Instance));
            Assert.Empty(scrub.Damage);
            Assert.Equal(VersionStatus.Valid, scrub.Version.Status);
        }

        Assert.Equal(
            versions.Select(version => $"versions/{version.Name}").Order(StringComparer.Ordinal),
            Main.Names.Select(name => name.Value).Where(name => name.StartsWith("versions/", StringComparison.Ordinal)));
    }

    public ValueTask DisposeAsync()
    {
        _directory.Dispose();
        return ValueTask.CompletedTask;
    }

    private static bool IsData(ObjectName name) => !name.Value.StartsWith("marks/", StringComparison.Ordinal);

    public string PathOf(string name) => _directory[name];

    public StoreOptions OptionsOf(AgeCatalog catalog) => new()
    {
        CatalogPath = Path.Combine(catalog.Path, "catalog.db"),
        OverlayDirectory = Path.Combine(catalog.Path, "overlays"),
        Storages = [.. _storages.Keys.Select(name => new StorageOptions { Name = name, Path = _directory[name] })],
        DefaultStorage = _storages.Keys.First(),
        BlockSize = BlockSize,
        Sources = Images,
        Workers = 1,
    };

    public StoreParts PartsOf(AgeCatalog catalog, Tripwire wire) => new()
    {
        WrapStorage = inner => new FaultyStorage(
            _storages[Path.GetFileName(inner.Traits.Description)], call => wire.Pass(call)),
        WrapCatalog = inner => new TrippedCatalog(new MemoryCatalog(catalog.Place), inner, wire),
    };
}

/// <summary>A catalog of an <see cref="AgeWorld"/>.</summary>
/// <param name="Place">What it holds; a test may keep its state and put it back.</param>
/// <param name="Path">The directory of its overlays, and of a file that says that there is a catalog.</param>
internal sealed record AgeCatalog(MemoryCatalogPlace Place, string Path);
