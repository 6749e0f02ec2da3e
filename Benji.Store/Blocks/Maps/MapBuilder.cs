using Benji.Store.Model;

namespace Benji.Store.Blocks.Maps;

/// <summary>Makes a new block map out of a base version's map and the blocks that differ from it.</summary>
/// <remarks><para>The base may have another size, but the same block size: a map that grew past its base's levels gets
/// new pages above the old root, one that shrank loses the entries behind its last block from every page on its right
/// edge. Pages without a changed entry are shared with the base by their id; a leaf page that is not touched is not
/// even read. Without a base every block that is not set is a hole.</para>
/// <para><see cref="Set"/> is safe for concurrent calls and beside the other methods; those are for one caller. Memory:
/// the pages between the first open block and the last one set, and at most <see cref="BatchPages"/> pages of 8 KiB
/// three times over.</para></remarks>
internal sealed class MapBuilder
{
    /// <summary>Pages that are read and put in one trip.</summary>
    public const int BatchPages = 256;

    private readonly IPageStore _pages;
    private readonly MapReader? _base;
    private readonly BlockGeometry _geometry;
    private readonly int _rootLevel;
    private readonly SortedDictionary<long, PendingPage>[] _pending;
    private readonly Lock _leavesLock = new();
    private readonly Dictionary<PageId, MapPage> _outgoing = [];
    private long? _resizedBlock;
    private long _firstOpenBlock;
    private PageId? _root;
    private bool _isComplete;

    /// <summary>Starts a map of <paramref name="geometry"/>; nothing is read yet.</summary>
    /// <param name="pages">Where pages go.</param>
    /// <param name="baseMap">The map that the new one is like where nothing is set, or null.</param>
    /// <param name="geometry">The size and block size of the new version.</param>
    public MapBuilder(IPageStore pages, MapReader? baseMap, BlockGeometry geometry)
    {
        Invariant.Holds(baseMap is null || baseMap.Geometry.BlockSize == geometry.BlockSize);
        _pages = pages;
        _base = baseMap;
        _geometry = geometry;
        _rootLevel = geometry.Levels - 1;
        _pending = [.. Enumerable.Range(0, geometry.Levels).Select(_ => new SortedDictionary<long, PendingPage>())];
        if (baseMap is not null && geometry.BlockCount > 0)
        {
            TouchNewLevels(baseMap);
            TouchRightEdge(baseMap);
            _resizedBlock = FindResizedBlock(baseMap.Geometry);
        }
    }

    /// <summary>Says which block stands at an index; the last call for an index wins.</summary>
    /// <param name="blockIndex">Not below what <see cref="AdvanceAsync"/> was told.</param>
    /// <param name="id">The block, or <see cref="BlockId.Hole"/>.</param>
    public void Set(long blockIndex, BlockId id)
    {
        lock (_leavesLock)
        {
            Invariant.Holds(blockIndex >= _firstOpenBlock && blockIndex < _geometry.BlockCount && !_isComplete);
            if (blockIndex == _resizedBlock)
            {
                _resizedBlock = null;
            }

            Touch(0, MapTree.PageNumber(0, blockIndex)).Set(MapTree.PositionInLeaf(blockIndex), id.Hash);
        }
    }

    /// <summary>Says that no block below <paramref name="firstOpenBlock"/> will be set any more, so that finished pages
    /// can be put, whenever there are enough of them for a trip.</summary>
    /// <param name="firstOpenBlock">Never smaller than before.</param>
    /// <param name="cancellationToken">Stops before the next step.</param>
    /// <exception cref="CorruptDataException">A page of the base is missing or damaged.</exception>
    public async ValueTask AdvanceAsync(long firstOpenBlock, CancellationToken cancellationToken)
    {
        bool isWorthATrip;
        var finishedLeaves = MapTree.PageNumber(0, firstOpenBlock);
        lock (_leavesLock)
        {
            Invariant.Holds(firstOpenBlock >= _firstOpenBlock && !_isComplete);
            _firstOpenBlock = firstOpenBlock;

            // All keys are counted when the last of a trip's worth is finished; otherwise at most a trip's worth is
            // looked at.
            isWorthATrip = _pending[0].Count >= BatchPages
                && _pending[0].Keys.Take(BatchPages).Last() < finishedLeaves;
        }

        if (isWorthATrip)
        {
            await FinishAsync(finishedLeaves, cancellationToken);
        }
    }

    /// <summary>Puts what is left and returns the root; every page of the map is durable and recorded then.</summary>
    /// <exception cref="CorruptDataException">A page of the base is missing or damaged.</exception>
    public async Task<PageId> CompleteAsync(CancellationToken cancellationToken)
    {
        lock (_leavesLock)
        {
            Invariant.Holds(!_isComplete);
            _isComplete = true;
        }

        // A short last block of the base is longer or shorter here, so that its old id cannot stand: a hole apart.
        Invariant.Holds(_resizedBlock is not { } block
            || (await _base!.FindAsync(block, cancellationToken)).IsHole);
        if (_geometry.BlockCount == 0)
        {
            return PageId.Hole;
        }

        await FinishAsync(long.MaxValue, cancellationToken);
        await PutOutgoingAsync(cancellationToken);
        if (_root is { } root)
        {
            return root;
        }

        return _base is null ? PageId.Hole : (await _base.FindPagesAsync(_rootLevel, [0], cancellationToken))[0];
    }

    // Above the base's root stand pages whose first entry leads down to it; they are never found in the base.
    private void TouchNewLevels(MapReader baseMap)
    {
        for (var level = baseMap.RootLevel + 1; level <= _rootLevel; level++)
        {
            Touch(level, 0);
        }
    }

    private void TouchRightEdge(MapReader baseMap)
    {
        for (var level = 0; level <= Math.Min(_rootLevel, baseMap.RootLevel); level++)
        {
            var count = MapTree.EntryCount(level, _geometry.BlockCount);
            var isCut = MapTree.EntryCount(level, baseMap.Geometry.BlockCount) > count;
            if (isCut && count % BlockGeometry.PageEntries != 0)
            {
                Touch(level, count / BlockGeometry.PageEntries);
            }
        }
    }

    private long? FindResizedBlock(BlockGeometry baseGeometry)
    {
        var last = Math.Min(_geometry.BlockCount, baseGeometry.BlockCount) - 1;
        return last >= 0 && _geometry.BlockLength(last) != baseGeometry.BlockLength(last) ? last : null;
    }

    private PendingPage Touch(int level, long number)
    {
        if (!_pending[level].TryGetValue(number, out var page))
        {
            page = new PendingPage();
            _pending[level].Add(number, page);
        }

        return page;
    }

    // Level by level: what a level finishes becomes entries of the next.
    private async Task FinishAsync(long finishedLeaves, CancellationToken cancellationToken)
    {
        for (var level = 0; level <= _rootLevel; level++)
        {
            var finishedPages = finishedLeaves / MapTree.EntrySpan(level);
            for (var batch = Take(level, finishedPages); batch.Count > 0; batch = Take(level, finishedPages))
            {
                await FinishPagesAsync(level, batch, cancellationToken);
            }
        }
    }

    private List<KeyValuePair<long, PendingPage>> Take(int level, long numberEnd)
    {
        lock (_leavesLock)
        {
            List<KeyValuePair<long, PendingPage>> taken =
                [.. _pending[level].TakeWhile(page => page.Key < numberEnd).Take(BatchPages)];
            taken.ForEach(page => _pending[level].Remove(page.Key));
            return taken;
        }
    }

    private async Task FinishPagesAsync(
        int level, List<KeyValuePair<long, PendingPage>> batch, CancellationToken cancellationToken)
    {
        var baseIds = await FindBaseIdsAsync(level, batch, cancellationToken);
        var baseContents = await ReadBaseAsync(level, batch, baseIds, cancellationToken);
        for (var i = 0; i < batch.Count; i++)
        {
            var (number, page) = batch[i];
            var content = page.Merge(
                baseContents[i], MapTree.EntryCount(level, number, _geometry.BlockCount));
            var id = _pages.ComputeId(level, content);
            if (id == baseIds?[i])
            {
                continue;
            }

            if (!id.IsHole)
            {
                _outgoing.TryAdd(id, new MapPage(level, content));
            }

            if (level == _rootLevel)
            {
                _root = id;
            }
            else
            {
                Touch(level + 1, number / BlockGeometry.PageEntries).Set(MapTree.PositionInParent(number), id.Hash);
            }
        }

        if (_outgoing.Count >= BatchPages)
        {
            await PutOutgoingAsync(cancellationToken);
        }
    }

    // Null where the base has no pages of this level: then nothing of it can be shared.
    private async Task<PageId[]?> FindBaseIdsAsync(
        int level, List<KeyValuePair<long, PendingPage>> batch, CancellationToken cancellationToken) =>
        _base is null || level > _base.RootLevel
            ? null
            : await _base.FindPagesAsync(level, [.. batch.Select(page => page.Key)], cancellationToken);

    private async Task<byte[]?[]> ReadBaseAsync(
        int level, List<KeyValuePair<long, PendingPage>> batch, PageId[]? baseIds, CancellationToken cancellationToken)
    {
        var contents = new byte[]?[batch.Count];
        if (baseIds is not null)
        {
            PageId[] wanted = [.. batch.Select((page, i) => IsWhollySet(level, page) ? PageId.Hole : baseIds[i])];
            contents = await _base!.ReadPagesAsync(wanted, level, cancellationToken);
        }
        else if (_base is not null && level == _base.RootLevel + 1 && batch[0].Key == 0)
        {
            contents[0] = new byte[BlockGeometry.PageSize];
            MapPage.WriteEntry(contents[0], 0, _base.Root.Hash);
        }

        return contents;
    }

    private bool IsWhollySet(int level, KeyValuePair<long, PendingPage> page) =>
        page.Value.Count == MapTree.EntryCount(level, page.Key, _geometry.BlockCount);

    private async Task PutOutgoingAsync(CancellationToken cancellationToken)
    {
        if (_outgoing.Count > 0)
        {
            await _pages.PutAsync(_outgoing, cancellationToken);
            _outgoing.Clear();
        }
    }
}
