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
    private readonly HintMap? _hints;
    private readonly BackupBase _origin;
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
        HintMap? hints,
        BackupBase origin,
        IReadOnlySet<BlockId> invalid,
        IOperationProgress progress)
    {
        _context = context;
        _store = store;
        _source = source;
        _hints = hints;
        _origin = origin;
        _progress = progress;
        _began = context.Time.GetTimestamp();
        _geometry = new BlockGeometry(source.Size, origin.BlockSize);
        _pages = StorePages.Open(context, store);
        _base = new BaseMap(Open(origin.Compare), origin.Compare?.Geometry, invalid);
        _reader = new SourceReader(source, origin.BlockSize);
    }

    // What the new map starts from: with hints only the content base, as what they do not list is a hole without one.
    private VersionRecord? MapBase => _hints is null ? _origin.Compare : _origin.Content;

    /// <summary>Reads, stores and counts; nothing is published.</summary>
    public async Task<BackupResult> RunAsync(
        BackupRequest request, BackupPublication publication, CancellationToken cancellationToken)
    {
        if (_hints is { Count: 0 })
        {
            Log.HintsEmpty(_context.Logger, _origin.Content?.Name.ToString() ?? "a disk of zeros");
        }

        if (_hints is not null && _origin is { Content: null, Compare: { } newest })
        {
            Log.HintsWithoutBase(_context.Logger, newest.Name);
        }

        if (_hints is not null && _origin.Content is not null)
        {
            _progress.StartStage("sampling", null, ProgressUnit.Bytes);
            await new HintSampling(_context, _store, _reader, _hints, _origin, _geometry)
                .CheckAsync(_base, cancellationToken);
        }

        using var blocks = new BlockStore(_store);
        var map = new MapBuilder(_pages, Open(MapBase), _geometry);
        var pipeline = new BackupPipeline(
            _context,
            _reader,
            new BlockWriter(_store, _context.Catalog, blocks, _context.Time),
            map,
            MapBase is not null,
            _geometry,
            _counts,
            _progress);
        Log.BackupBegins(
            _context.Logger,
            _source.Description,
            _source.Size,
            request.Volume,
            _origin.Compare?.Name.ToString() ?? "none",
            pipeline.MemoryBound);
        _progress.StartStage("reading", _geometry.Size, ProgressUnit.Bytes);
        await pipeline.RunAsync(Planner(), cancellationToken);
        var root = await map.CompleteAsync(cancellationToken);
        var allocated = await CountAllocatedAsync(pipeline, cancellationToken);
        _counts.AddSkipped(_geometry, areUnchanged: _origin.Content is not null, pipeline.PlannedBytes);
        return Describe(request, publication, root, allocated, pipeline.MemoryBound);
    }

    private MapReader? Open(VersionRecord? version) =>
        version is null ? null : new MapReader(_pages, version.Root, version.Geometry);

    private IBlockPlanner Planner() =>
        _hints is null
            ? new FullPlanner(_source, _geometry, _base)
            : new HintPlanner(_hints, _geometry, _origin.Content?.Geometry, _base);

    private async Task<long> CountAllocatedAsync(BackupPipeline pipeline, CancellationToken cancellationToken)
    {
        if (_origin.Content is not { } content)
        {
            return _counts.AllocatedBytes;
        }

        var dropped = content.Geometry.BlockCount - _geometry.BlockCount;
        if (dropped > 0)
        {
            await foreach (var (_, entry) in _base.ReadAsync(_geometry.BlockCount, dropped, cancellationToken))
            {
                await pipeline.Replaced.AddAsync(entry.Id, entry.Length, null, cancellationToken);
            }
        }

        return content.AllocatedBytes + _counts.AllocatedBytes - await pipeline.Replaced.SumAsync(cancellationToken);
    }

    private BackupResult Describe(
        BackupRequest request, BackupPublication publication, PageId root, long allocated, long memoryBound)
    {
        Invariant.Holds(allocated >= 0 && allocated <= _geometry.Size);
        var version = new VersionRecord
        {
            Id = publication.Id,
            Name = publication.Name,
            Date = publication.Date,
            Snapshot = request.Snapshot,
            Size = _geometry.Size,
            BlockSize = _geometry.BlockSize,
            Storage = _origin.Storage,
            Labels = Sorted(request.Labels),
            Root = root,
            AllocatedBytes = allocated,
            Statistics = new VersionStatistics(
                _reader.BytesRead,
                _counts.WrittenBytes,
                _counts.DeduplicatedBytes + (_hints is null ? _counts.UnchangedBytes : 0),
                _counts.HoleBytes,
                _counts.StoredBytes + _pages.StoredBytes,
                _context.Time.GetElapsedTime(_began).TotalSeconds),
        };
        return new BackupResult(
            version,
            _origin.Compare?.Name,
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
