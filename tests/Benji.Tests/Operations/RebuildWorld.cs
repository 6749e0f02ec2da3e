using Benji.Store.Blocks;
using Benji.Store.Blocks.Maps;
using Benji.Store.Blocks.Opening;
using Benji.Store.Blocks.Sealing;
using Benji.Store.Catalogs;
using Benji.Store.Images.Overlays.Files;
using Benji.Store.Model;
using Benji.Store.Operations;
using Benji.Store.Operations.Cleanup;
using Benji.Store.Operations.Rebuild;
using Benji.Testing;
using Benji.Testing.Catalogs;
using Benji.Testing.Storages;

namespace Benji.Tests.Operations;

/// <summary>A store of real versions in memory, whose catalog can be lost and made again.</summary>
internal sealed class RebuildWorld : IAsyncDisposable
{
    public const int BlockSize = 4 * BlockGeometry.FrameSize;

    private readonly MemoryCatalogPlace _place;
    private readonly MemoryCatalog _catalog;
    private readonly OpenedStore _store;
    private readonly Dictionary<Guid, byte[]> _contents = [];

    private RebuildWorld(MemoryCatalogPlace place, MemoryStorage objects, ManualClock clock, OpenedStore store)
    {
        (_place, Objects, Clock, _store) = (place, objects, clock, store);
        _catalog = new MemoryCatalog(place);
    }

    public ManualClock Clock { get; }

    /// <summary>A directory of overlays that is not there.</summary>
    private static OverlayDirectory Overlays => new("/nonexistent/overlays");

    public MemoryStorage Objects { get; }

    public MemoryCatalogState State => _place.State;

    public static async Task<RebuildWorld> OpenAsync()
    {
        var clock = new ManualClock();
        var objects = new MemoryStorage(clock);
        var store = await OpenedStore.OpenAsync(
            new StoreOpening
            {
                Name = "main",
                Storage = objects,
                Key = new KeyMaterial { MasterKey = [.. Enumerable.Range(0, 32).Select(i => (byte)i)] },
                MayCreate = true,
                Pool = new BlockBufferPool(1 << 22),
                Time = clock,
            },
            CancellationToken.None);
        var world = new RebuildWorld(new MemoryCatalogPlace(clock), objects, clock, store);
        await world.WriteAsync(transaction => transaction.StorageBindings.Put(
            new StorageBinding("main", store.StoreId, store.IsEncrypted)));
        return world;
    }

    public async ValueTask DisposeAsync()
    {
        await _catalog.DisposeAsync();
        await _store.DisposeAsync();
    }

    /// <summary>Publishes a version of a content, on the volume's newest one.</summary>
    public async Task<VersionRecord> BackUpAsync(
        string volume, byte[] content, Func<VersionRecord, VersionRecord>? change = null)
    {
        Clock.Advance(TimeSpan.FromSeconds(1));
        var pages = Pages(_catalog);
        var geometry = new BlockGeometry(content.Length, BlockSize);
        var origin = await _catalog.ReadAsync(
            transaction => transaction.Versions.FindLatest(volume, status: null), CancellationToken.None);
        var baseMap = origin is null ? null : new MapReader(pages, origin.Root, origin.Geometry);
        var map = new MapBuilder(pages, baseMap, geometry);
        using var reads = new BlockStore(_store);
        await using var lane = new BlockWriter(
            _store, _catalog, reads, new StoringRun(1, Clock.GetUtcNow()), Clock).StartLane();
        var allocated = 0L;
        for (var index = 0L; index < geometry.BlockCount; index++)
        {
            var isInBase = baseMap is not null && index < baseMap.Geometry.BlockCount;
            var length = geometry.BlockLength(index);
            var outcome = await lane.WriteAsync(
                new BlockInput(
                    content.AsMemory((int)(index * BlockSize), length),
                    isInBase ? await baseMap!.FindAsync(index, CancellationToken.None) : BlockId.Hole,
                    isInBase ? baseMap!.Geometry.BlockLength(index) : 0,
                    FrameSet.All(BlockGeometry.FrameCount(length)),
                    Filler: null,
                    MayLend: true),
                CancellationToken.None);
            map.Set(index, outcome.Id);
            allocated += outcome.Allocated;
        }

        await lane.CompleteAsync(CancellationToken.None);
        var version = new VersionRecord
        {
            Id = Guid.NewGuid(),
            Name = new VersionName(volume, $"v{_contents.Count}"),
            Date = Clock.GetUtcNow(),
            Size = geometry.Size,
            BlockSize = BlockSize,
            Storage = "main",
            Root = await map.CompleteAsync(CancellationToken.None),
            AllocatedBytes = allocated,
            Statistics = new VersionStatistics(content.Length, 1, 2, 3, 4, 5.5),
        };
        version = change is null ? version : change(version);
        await new ManifestStore(_store).PutAsync(version, CancellationToken.None);
        await WriteAsync(transaction => transaction.Versions.Add(version));
        _contents.Add(version.Id, content);
        return version;
    }

    /// <summary>Puts a whole object that no row knows.</summary>
    public Task PutWholeAsync(byte[] content) => PutAsync(content, [], _ => true, BlockForm.Whole);

    /// <summary>Puts a delta that no row knows, which owns all frames but those that it borrows.</summary>
    public Task PutDeltaAsync(byte[] content, BlockId lender, Func<int, bool> isBorrowed) =>
        PutAsync(content, [lender], frame => !isBorrowed(frame), BlockForm.Delta);

    public async Task RemoveAsync(VersionRecord version)
    {
        await new ManifestStore(_store).DeleteAsync(version.Name, version.Id, CancellationToken.None);
        await WriteAsync(transaction => transaction.Versions.Remove(version.Id));
    }

    public async Task ReplaceManifestAsync(VersionRecord version)
    {
        await new ManifestStore(_store).PutAsync(version, CancellationToken.None);
        await WriteAsync(transaction => transaction.Versions.Replace(version));
    }

    public async Task CleanUpAsync()
    {
        Clock.Advance(TimeSpan.FromSeconds(1));
        var lease = await _catalog.WriteAsync(
            transaction => transaction.Leases.TryAcquire(
                LeaseResource.Cleanup, LeaseMode.Exclusive, "cleanup", out var taken, out _) ? taken : null,
            CancellationToken.None);
        await new CleanupRun(
            new CleanupScope(_catalog, _store, lease!, Clock), TimeSpan.Zero, NoProgress.Instance)
            .RunAsync(CancellationToken.None);
        await WriteAsync(transaction => transaction.Leases.Release(lease!));
    }

    /// <summary>Makes a new catalog; with the old one's remains, or as if it were lost.</summary>
    public async Task<(RebuildResult Result, MemoryCatalogState State)> RebuildAsync(bool isOldReadable = false)
    {
        var place = new MemoryCatalogPlace(Clock);
        await using var target = new MemoryCatalog(place);
        var remains = isOldReadable
            ? await _catalog.ReadAsync(
                transaction => new CatalogRemains(
                    transaction.BlockReferences.ListInvalid(), transaction.Overlays.List(baseId: null)),
                CancellationToken.None)
            : null;
        var result = await new RebuildOperation(target, remains, [_store], Overlays, Clock, NoProgress.Instance)
            .RunAsync(CancellationToken.None);
        Invariant.Holds(result is not null);
        return (result, place.State);
    }

    public Task WriteAsync(Action<ICatalogTransaction> work) => _catalog.WriteAsync(
        transaction =>
        {
            work(transaction);
            return true;
        },
        CancellationToken.None);

    private async Task PutAsync(byte[] content, BlockId[] lenders, Func<int, bool> isOwn, BlockForm form)
    {
        var frames = BlockGeometry.FrameCount(content.Length);
        var hashes = new byte[frames * Hash256.Size];
        _store.Keys.Frames.HashFrames(content, hashes);
        var id = BlockIds.Compute(_store.Keys, content.Length, hashes);
        var plan = new SealPlan
        {
            Kind = ObjectKind.Block,
            Name = id.Hash,
            Hashes = hashes,
            Owners = Enumerable.Range(0, frames).Select(frame => isOwn(frame) ? SealPlan.Own : (byte)0).ToArray(),
            Lenders = lenders,
        };
        using var bytes = _store.Sealer.Seal(plan, content, out _);
        await _store.Storage.PutAsync(ObjectNames.Block(id, form), bytes.Memory, CancellationToken.None);
    }

    private PageStore Pages(ICatalog catalog) =>
        new(_store, catalog, new PendingDeletions(_store, catalog, Clock), Clock);
}
