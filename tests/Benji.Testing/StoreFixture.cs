using Benji.Store;
using Benji.Store.Model;
using Benji.Store.Operations;
using Benji.Testing.Images;
using Microsoft.Extensions.Logging.Abstractions;

namespace Benji.Testing;

/// <summary>A real store in a directory of its own (LiteDB catalog, file storage) over disks in memory, with short words.</summary>
public sealed class StoreFixture : IAsyncDisposable
{
    private static readonly DateTimeOffset Start = new(2100, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly TemporaryDirectory _directory = new();
    private BenjiStore? _store;

    /// <summary>Makes an empty place; its clock starts in 2100, behind the date of every file that a run may leave.</summary>
    public StoreFixture() => Clock.Advance(Start - Clock.GetUtcNow());

    /// <summary>The disks.</summary>
    public MemoryImages Images { get; } = new();

    /// <summary>The clock.</summary>
    public ManualClock Clock { get; } = new();

    /// <summary>Bytes per block of new volumes.</summary>
    public int BlockSize { get; init; } = 4 * BlockGeometry.FrameSize;

    /// <summary>The key of an encrypted store.</summary>
    public KeyOptions? Key { get; set; }

    /// <summary>The zstd level, or null.</summary>
    public int? ZstdLevel { get; init; } = 1;

    /// <summary>What stands around the storage and the catalog.</summary>
    internal StoreParts Parts { get; init; } = StoreParts.Plain;

    /// <summary>The directory of the storage.</summary>
    public string StoragePath => _directory["storage"];

    /// <summary>The directory of everything.</summary>
    public string DirectoryPath => _directory.Path;

    /// <summary>The path of the catalog.</summary>
    public string CatalogPath => _directory["catalog.db"];

    /// <summary>A path in the fixture's directory.</summary>
    public string this[string name] => _directory[name];

    /// <summary>The options that the store is opened with.</summary>
    public StoreOptions Options => new()
    {
        CatalogPath = CatalogPath,
        OverlayDirectory = _directory["overlays"],
        Storages = [new StorageOptions { Name = "main", Path = StoragePath, Key = Key, ZstdLevel = ZstdLevel }],
        DefaultStorage = "main",
        BlockSize = BlockSize,
        Sources = Images,
        Workers = 2,
    };

    /// <summary>The store, opened when first asked for.</summary>
    public async Task<BenjiStore> StoreAsync() =>
        _store ??= await BenjiStore.OpenAsync(
            Options, Parts, StoreUse.Create, NullLoggerFactory.Instance, Clock, CancellationToken.None);

    /// <summary>Closes the store, so that the next use opens it anew, as another process would.</summary>
    public async Task CloseAsync()
    {
        if (_store is not null)
        {
            await _store.DisposeAsync();
            _store = null;
        }
    }

    /// <summary>Backs a disk up into the volume of the same name.</summary>
    public async Task<BackupResult> BackupAsync(string name, Func<BackupRequest, BackupRequest>? change = null)
    {
        var request = new BackupRequest { Source = name, Volume = name };
        return await (await StoreAsync()).BackupAsync(change?.Invoke(request) ?? request, NoProgress.Instance);
    }

    /// <summary>Restores a version into a new disk and returns its bytes, which must be sound.</summary>
    public async Task<byte[]> RestoreAsync(VersionName version)
    {
        var result = await RestoreAsync(version.ToString(), $"restore-{Guid.NewGuid():N}");
        Invariant.Holds(result.Result.Damage.Count == 0);
        return result.Content;
    }

    /// <summary>Restores a version into a new disk.</summary>
    public async Task<(RestoreResult Result, byte[] Content)> RestoreAsync(string version, string target)
    {
        var store = await StoreAsync();
        var result = await store.RestoreAsync(
            new RestoreRequest { Version = version, Target = target }, NoProgress.Instance);
        return (result, Images[target].Content);
    }

    /// <summary>Scrubs a version deeply.</summary>
    public async Task<ScrubResult> DeepScrubAsync(VersionName version) =>
        await (await StoreAsync()).ScrubAsync(
            new ScrubRequest { Version = version.ToString(), IsDeep = true }, NoProgress.Instance);

    /// <summary>Removes a version, however young.</summary>
    public async Task RemoveAsync(VersionName version) =>
        await (await StoreAsync()).RemoveAsync(new RemoveRequest { Versions = [version.ToString()], Force = true });

    /// <summary>Cleans up without a grace period.</summary>
    public async Task<CleanupResult> CleanupAsync() =>
        await (await StoreAsync()).CleanupAsync(
            new CleanupRequest { OlderThan = TimeSpan.Zero }, NoProgress.Instance);

    /// <summary>Lists the names of the objects in the storage, sorted.</summary>
    public IReadOnlyList<string> Objects(string folder = "") =>
        Directory.Exists(Path.Combine(StoragePath, folder))
            ? [.. Directory.EnumerateFiles(Path.Combine(StoragePath, folder), "*", SearchOption.AllDirectories)
                .Select(path => Path.GetRelativePath(StoragePath, path))
                .Where(path => !path.StartsWith(".tmp", StringComparison.Ordinal))
                .Order(StringComparer.Ordinal)]
            : [];

    /// <summary>Closes the store and removes everything.</summary>
    public async ValueTask DisposeAsync()
    {
        await CloseAsync();
        _directory.Dispose();
    }
}
