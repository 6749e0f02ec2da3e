using System.Runtime.CompilerServices;
using Benji.Store.Model;

namespace Benji.Store.Blocks.Maps;

/// <summary>Reads one version's block map: single entries by index, or all of a range in order.</summary>
/// <remarks>Safe for concurrent calls. A read of a range holds at most <see cref="BatchPagesMax"/> pages of 8 KiB a level;
/// what is read again and again is in the cache of the page store.</remarks>
internal sealed class MapReader
{
    /// <summary>Pages read in one trip.</summary>
    public const int BatchPagesMax = 64;

    private readonly IPageSource _pages;

    /// <summary>Opens the map that hangs from <paramref name="root"/>; nothing is read yet.</summary>
    public MapReader(IPageSource pages, PageId root, BlockGeometry geometry)
    {
        _pages = pages;
        Root = root;
        Geometry = geometry;
    }

    /// <summary>The page at the top; a hole for an empty version and for one of zeros.</summary>
    public PageId Root { get; }

    /// <summary>The size and block size of the version.</summary>
    public BlockGeometry Geometry { get; }

    /// <summary>The level of the root.</summary>
    public int RootLevel => Geometry.Levels - 1;

    /// <summary>Finds the block at an index.</summary>
    /// <exception cref="CorruptDataException">A page on the way is missing or damaged.</exception>
    public async ValueTask<BlockId> FindAsync(long blockIndex, CancellationToken cancellationToken)
    {
        Invariant.Holds(blockIndex >= 0 && blockIndex < Geometry.BlockCount);
        var id = Root;
        for (var level = RootLevel; level >= 0; level--)
        {
            if (id.IsHole)
            {
                return BlockId.Hole;
            }

            if ((await ReadPagesAsync([id], level, cancellationToken))[0] is not { } content)
            {
                return BlockId.Hole;
            }

            id = new PageId(MapPage.ReadEntry(content, PositionAt(level, blockIndex)));
        }

        return new BlockId(id.Hash);
    }

    /// <summary>Finds the blocks at many indexes with a few trips in all.</summary>
    /// <param name="blockIndexes">The indexes; fastest when they ascend.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    /// <returns>In the order asked for.</returns>
    /// <exception cref="CorruptDataException">A page on the way is missing or damaged.</exception>
    public async ValueTask<BlockId[]> FindAsync(
        IReadOnlyList<long> blockIndexes, CancellationToken cancellationToken)
    {
        var found = new BlockId[blockIndexes.Count];
        var next = 0;
        while (next < found.Length)
        {
            var first = next;
            var leaves = new Dictionary<long, int>();
            while (next < found.Length && leaves.Count < BatchPagesMax)
            {
                Invariant.Holds(blockIndexes[next] >= 0 && blockIndexes[next] < Geometry.BlockCount);
                leaves.TryAdd(MapTree.PageNumber(0, blockIndexes[next]), leaves.Count);
                next++;
            }

            var ids = await FindPagesAsync(0, [.. leaves.Keys], cancellationToken);
            var contents = await ReadPagesAsync(ids, 0, cancellationToken);
            for (var i = first; i < next; i++)
            {
                var content = contents[leaves[MapTree.PageNumber(0, blockIndexes[i])]];
                found[i] = content is null
                    ? BlockId.Hole
                    : new BlockId(MapPage.ReadEntry(content, MapTree.PositionInLeaf(blockIndexes[i])));
            }
        }

        return found;
    }

    /// <summary>Reads the blocks of a range in order; stretches of holes cost nothing, whatever their length.</summary>
    /// <param name="firstBlock">The first index.</param>
    /// <param name="count">Blocks; the range ends inside the version.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    /// <exception cref="CorruptDataException">A page on the way is missing or damaged.</exception>
    public async IAsyncEnumerable<MapRun> ReadAsync(
        long firstBlock, long count, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        Invariant.Holds(firstBlock >= 0 && count >= 0 && firstBlock + count <= Geometry.BlockCount);
        if (count == 0)
        {
            yield break;
        }

        var holes = new MapRun(firstBlock, 0, default);
        var runs = WalkAsync(RootLevel, 0, Root, firstBlock, firstBlock + count, passed: null, cancellationToken);
        await foreach (var run in runs)
        {
            if (run.IsHole)
            {
                holes = holes.Count == 0 ? run : holes with { Count = holes.Count + run.Count };
                continue;
            }

            if (holes.Count > 0)
            {
                yield return holes;
                holes = default;
            }

            yield return run;
        }

        if (holes.Count > 0)
        {
            yield return holes;
        }
    }

    /// <summary>Reads every block that the version has, at one or more of its places: each page is walked once, however
    /// often it is named, and stretches of holes are left out.</summary>
    /// <exception cref="CorruptDataException">A page on the way is missing or damaged.</exception>
    public async IAsyncEnumerable<MapRun> ReadDistinctAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var passed = new HashSet<PageId>();
        await foreach (var run in WalkAsync(RootLevel, 0, Root, 0, Geometry.BlockCount, passed, cancellationToken))
        {
            if (!run.IsHole)
            {
                yield return run;
            }
        }
    }

    /// <summary>Finds the ids of pages by level and number; a page behind the end, or over holes only, is a
    /// hole.</summary>
    internal async ValueTask<PageId[]> FindPagesAsync(
        int level, IReadOnlyList<long> pageNumbers, CancellationToken cancellationToken)
    {
        Invariant.Holds(level <= RootLevel);
        if (level == RootLevel)
        {
            return [.. pageNumbers.Select(number => number == 0 ? Root : PageId.Hole)];
        }

        var parents = new Dictionary<long, int>();
        foreach (var number in pageNumbers)
        {
            parents.TryAdd(number / BlockGeometry.PageEntries, parents.Count);
        }

        var ids = await FindPagesAsync(level + 1, [.. parents.Keys], cancellationToken);
        var contents = await ReadPagesAsync(ids, level + 1, cancellationToken);
        return [.. pageNumbers.Select(number =>
            contents[parents[number / BlockGeometry.PageEntries]] is { } content
                ? new PageId(MapPage.ReadEntry(content, MapTree.PositionInParent(number)))
                : PageId.Hole)];
    }

    /// <summary>Reads pages; null for a page of holes.</summary>
    internal async ValueTask<byte[]?[]> ReadPagesAsync(
        IReadOnlyList<PageId> ids, int level, CancellationToken cancellationToken) =>
        ids.All(id => id.IsHole) ? new byte[]?[ids.Count] : await _pages.ReadAsync(ids, level, cancellationToken);

    private static int PositionAt(int level, long blockIndex) =>
        (int)(blockIndex / MapTree.EntrySpan(level) % BlockGeometry.PageEntries);

    // Walks the part of one subtree that lies in [first, end). The children of a page are read in batches; each batch
    // is walked before the next is read, which bounds memory at one batch a level.
    private async IAsyncEnumerable<MapRun> WalkAsync(
        int level, long number, PageId id, long first, long end, HashSet<PageId>? passed,
        [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        if ((await ReadPagesAsync([id], level, cancellationToken))[0] is not { } content)
        {
            yield return HoleRun(number * MapTree.PageSpan(level), MapTree.PageSpan(level), first, end);
            yield break;
        }

        await foreach (var run in WalkPageAsync(level, number, content, first, end, passed, cancellationToken))
        {
            yield return run;
        }
    }

    private async IAsyncEnumerable<MapRun> WalkPageAsync(
        int level, long number, byte[] content, long first, long end, HashSet<PageId>? passed,
        [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        if (level == 0)
        {
            yield return LeafRun(number, content, first, end);
            yield break;
        }

        var span = MapTree.EntrySpan(level);
        var start = number * MapTree.PageSpan(level);
        var position = (int)((Math.Max(first, start) - start) / span);
        var positionEnd = (int)Math.Min(BlockGeometry.PageEntries, (end - start + span - 1) / span);
        while (position < positionEnd)
        {
            var batch = Math.Min(BatchPagesMax, positionEnd - position);
            var ids = new PageId[batch];
            for (var i = 0; i < batch; i++)
            {
                ids[i] = new PageId(MapPage.ReadEntry(content, position + i));
            }

            var children = await ReadPagesAsync(ids, level - 1, cancellationToken);
            for (var i = 0; i < batch; i++)
            {
                if (passed?.Add(ids[i]) == false)
                {
                    continue;
                }

                var child = (number * BlockGeometry.PageEntries) + position + i;
                if (children[i] is not { } childContent)
                {
                    yield return HoleRun(child * span, span, first, end);
                    continue;
                }

                var runs = WalkPageAsync(level - 1, child, childContent, first, end, passed, cancellationToken);
                await foreach (var run in runs)
                {
                    yield return run;
                }
            }

            position += batch;
        }
    }

    private static MapRun HoleRun(long start, long span, long first, long end)
    {
        var from = Math.Max(start, first);
        return new MapRun(from, Math.Min(start + span, end) - from, default);
    }

    private static MapRun LeafRun(long number, byte[] content, long first, long end)
    {
        var start = number * BlockGeometry.PageEntries;
        var from = Math.Max(start, first);
        var ids = new BlockId[checked((int)(Math.Min(start + BlockGeometry.PageEntries, end) - from))];
        for (var i = 0; i < ids.Length; i++)
        {
            ids[i] = new BlockId(MapPage.ReadEntry(content, (int)(from - start) + i));
        }

        return new MapRun(from, ids.Length, ids);
    }
}
