using Benji.Store.Blocks;
using Benji.Store.Blocks.Maps;
using Benji.Store.Model;
using Benji.Store.Operations.Backup.Planning;
using Benji.Store.Operations.Running;
using Benji.Store.Sources;

namespace Benji.Store.Operations.Backup;

/// <summary>Builds a version that nobody sees yet: blocks and pages durable, everything counted.</summary>
internal sealed class BackupBuild
{
    private readonly StoreContext _context;
    private readonly OpenedStore _store;
    private readonly ISource _source;
    private readonly IBuildPlan _plan;
    private readonly IOperationProgress _progress;
    private readonly BlockGeometry _geometry;
    private readonly PageStore _pages;
    private readonly BaseMap _base;
    private readonly SourceReader _reader;
    private readonly BackupCounts _counts = new();
    private readonly long _began;

    public BackupBuild(
        StoreContext context,
        OpenedStore store,
        ISource source,
        IBuildPlan plan,
        IReadOnlySet<BlockId> invalid,
        StoringRun run,
        IOperationProgress progress)
    {
        _context = context;
        _store = store;
        _source = source;
        _plan = plan;
        _progress = progress;
        _began = context.Time.GetTimestamp();
        _geometry = new BlockGeometry(source.Size, plan.Origin.BlockSize);
        _pages = StorePages.Open(context, store, run);
        _base = new BaseMap(Open(plan.Origin.Compare), plan.Origin.Compare?.Geometry, invalid);
        _reader = new SourceReader(source, plan.Origin.BlockSize);
    }

    // What the new map starts from: a partial plan's only from the content base, as what it does not list is a hole
    // without one.
    private VersionRecord? MapBase => _plan.IsPartial ? _plan.Origin.Content : _plan.Origin.Compare;

    /// <summary>Reads, stores and counts; nothing is published.</summary>
    /// <param name="snapshot">The name of the source's snapshot; only recorded.</param>
    /// <param name="labels">Labels to set.</param>
    /// <param name="publication">Whose intent is recorded.</param>
    /// <param name="cancellationToken">Stops the run; what is stored is for a later one to find.</param>
    public async Task<BackupResult> RunAsync(
        string snapshot,
        IReadOnlyDictionary<string, string> labels,
        BackupPublication publication,
        CancellationToken cancellationToken)
    {
        var planner = await _plan.StartAsync(_base, _reader, _geometry, cancellationToken);
        using var blocks = new BlockStore(_store);
        var map = new MapBuilder(_pages, Open(MapBase), _geometry);
        var pipeline = new BackupPipeline(
            _context,
            _reader,
            new BlockWriter(_store, _context.Catalog, blocks, publication.Run, _context.Time),
            map,
            MapBase is not null,
            _geometry,
            _counts,
            _progress);
        Log.BackupBegins(
            _context.Logger,
            _source.Description,
            _source.Size,
            publication.Name.Volume,
            _plan.Origin.Compare?.Name.ToString() ?? "none",
            pipeline.MemoryBound);
        _progress.StartStage("reading", _geometry.Size, ProgressUnit.Bytes);
        await pipeline.RunAsync(planner, cancellationToken);
        _source.RequireSameSize();
        var root = await map.CompleteAsync(cancellationToken);
        var allocated = await CountAllocatedAsync(pipeline, cancellationToken);
        _counts.AddSkipped(_geometry, areUnchanged: _plan.Origin.Content is not null, pipeline.PlannedBytes);
        return Describe(snapshot, labels, publication, root, allocated, pipeline.MemoryBound);
    }

    private MapReader? Open(VersionRecord? version) =>
        version is null ? null : new MapReader(_pages, version.Root, version.Geometry);

    private async Task<long> CountAllocatedAsync(BackupPipeline pipeline, CancellationToken cancellationToken)
    {
        if (_plan.Origin.Content is not { } content)
        {
            return _counts.AllocatedBytes;
        }

        var dropped = content.Geometry.BlockCount - _geometry.BlockCount;
        if (dropped > 0)
        {
            await foreach (var (_, entry) in _base.ReadStoredAsync(_geometry.BlockCount, dropped, cancellationToken))
            {
                await pipeline.Replaced.AddAsync(entry.Id, entry.Length, null, cancellationToken);
            }
        }

        var allocated = content.AllocatedBytes + _counts.AllocatedBytes - await pipeline.Replaced.SumAsync(cancellationToken);
        return allocated >= 0 && allocated <= _geometry.Size
            ? allocated
            : throw new CorruptDataException(
                $"{content.Name} says that {content.AllocatedBytes} of its bytes are no holes, which its map contradicts. "
                + "Back the volume up without hints.");
    }

    private BackupResult Describe(
        string snapshot,
        IReadOnlyDictionary<string, string> labels,
        BackupPublication publication,
        PageId root,
        long allocated,
        long memoryBound)
    {
        Invariant.Holds(allocated >= 0 && allocated <= _geometry.Size);
        var version = new VersionRecord
        {
            Id = publication.Id,
            Name = publication.Name,
            Date = publication.Date,
            Snapshot = snapshot,
            Size = _geometry.Size,
            BlockSize = _geometry.BlockSize,
            Storage = _plan.Origin.Storage,
            Labels = Sorted(labels),
            Root = root,
            AllocatedBytes = allocated,
            Statistics = new VersionStatistics(
                _reader.BytesRead,
                _counts.WrittenBytes,
                _counts.DeduplicatedBytes + (_plan.IsPartial ? 0 : _counts.UnchangedBytes),
                _counts.HoleBytes,
                _counts.StoredBytes + _pages.StoredBytes,
                _context.Time.GetElapsedTime(_began).TotalSeconds),
        };
        return new BackupResult(
            version,
            _plan.Origin.Compare?.Name,
            _counts.Unchanged,
            _counts.Stored,
            _counts.Deltas,
            _counts.Deduplicated,
            _counts.Holes,
            _counts.UnchangedBytes,
            memoryBound);
    }

    private static SortedList<string, string> Sorted(IReadOnlyDictionary<string, string> labels)
    {
        var sorted = new SortedList<string, string>(StringComparer.Ordinal);
        foreach (var (name, value) in labels)
        {
            sorted.Add(name, value);
        }

        return sorted;
    }
}
