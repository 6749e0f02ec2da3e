using System.Runtime.CompilerServices;
using Benji.Store.Model;

namespace Benji.Store.Blocks.Maps;

/// <summary>Finds the blocks in which two maps differ, passing over the pages that they share.</summary>
/// <remarks>The maps may have different sizes but one block size. A block behind the end of one of them counts as a
/// hole there; a block whose length alone differs (a short last one that is a hole in both) is not listed.</remarks>
internal static class MapDiff
{
    /// <summary>Lists the differing blocks in the order of their indexes.</summary>
    /// <param name="before">The one map.</param>
    /// <param name="after">The other map.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    /// <exception cref="CorruptDataException">A page is missing or damaged.</exception>
    public static IAsyncEnumerable<MapChange> ReadAsync(
        MapReader before, MapReader after, CancellationToken cancellationToken) =>
        ReadAsync(before, after, 0, long.MaxValue, cancellationToken);

    /// <summary>Lists the differing blocks of a range in the order of their indexes; pages outside of it are not
    /// read.</summary>
    /// <param name="before">The one map.</param>
    /// <param name="after">The other map.</param>
    /// <param name="firstBlock">The first index.</param>
    /// <param name="endBlock">The index behind the last.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    /// <exception cref="CorruptDataException">A page is missing or damaged.</exception>
    public static IAsyncEnumerable<MapChange> ReadAsync(
        MapReader before, MapReader after, long firstBlock, long endBlock, CancellationToken cancellationToken)
    {
        Invariant.Holds(before.Geometry.BlockSize == after.Geometry.BlockSize);
        var level = Math.Max(before.RootLevel, after.RootLevel);
        var walk = new Walk(new Side(before, level), new Side(after, level), firstBlock, endBlock);
        return WalkAsync(walk, level, 0, before.Root, after.Root, cancellationToken);
    }

    private static async IAsyncEnumerable<MapChange> WalkAsync(
        Walk walk, int level, long number, PageId beforeId, PageId afterId,
        [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var (before, after) = (walk.Before, walk.After);
        if (AreEqual(before, after, level, beforeId, afterId))
        {
            yield break;
        }

        var beforeContent = await before.ReadAsync(level, number, beforeId, cancellationToken);
        var afterContent = await after.ReadAsync(level, number, afterId, cancellationToken);
        var (first, end) = walk.PositionsIn(level, number);
        for (var position = first; position < end; position++)
        {
            if (level == 1 && (position - first) % MapReader.BatchPagesMax == 0)
            {
                var positionEnd = Math.Min(end, position + MapReader.BatchPagesMax);
                await FetchLeavesAsync(
                    before, after, position, positionEnd, beforeContent, afterContent, cancellationToken);
            }

            var beforeEntry = MapPage.ReadEntry(beforeContent, position);
            var afterEntry = MapPage.ReadEntry(afterContent, position);
            var child = (number * BlockGeometry.PageEntries) + position;
            if (level == 0 && beforeEntry != afterEntry)
            {
                yield return new MapChange(child, new BlockId(beforeEntry), new BlockId(afterEntry));
            }

            if (level > 0 && !AreEqual(before, after, level - 1, new PageId(beforeEntry), new PageId(afterEntry)))
            {
                var (beforeChild, afterChild) = (new PageId(beforeEntry), new PageId(afterEntry));
                var below = WalkAsync(walk, level - 1, child, beforeChild, afterChild, cancellationToken);
                await foreach (var change in below)
                {
                    yield return change;
                }
            }
        }
    }

    // Holes are equal at every level. Other pages are named by level and content, so that equal ids are equal pages
    // where both sides have pages of this level.
    private static bool AreEqual(Side before, Side after, int level, PageId beforeId, PageId afterId) =>
        beforeId == afterId && (beforeId.IsHole || (before.HasLevel(level) && after.HasLevel(level)));

    // One trip a side for the differing leaf pages that come next; the walk then finds them in the cache.
    private static async ValueTask FetchLeavesAsync(
        Side before, Side after, int position, int positionEnd, byte[] beforeContent, byte[] afterContent,
        CancellationToken cancellationToken)
    {
        var beforeIds = new List<PageId>();
        var afterIds = new List<PageId>();
        for (var i = position; i < positionEnd; i++)
        {
            var beforeId = new PageId(MapPage.ReadEntry(beforeContent, i));
            var afterId = new PageId(MapPage.ReadEntry(afterContent, i));
            if (beforeId != afterId)
            {
                beforeIds.Add(beforeId);
                afterIds.Add(afterId);
            }
        }

        await before.FetchAsync(beforeIds, cancellationToken);
        await after.FetchAsync(afterIds, cancellationToken);
    }

    // The two maps and the blocks that are asked for.
    private readonly record struct Walk(Side Before, Side After, long FirstBlock, long EndBlock)
    {
        // The entries of a page that stand over blocks of the range.
        public (int First, int End) PositionsIn(int level, long number)
        {
            var start = number * MapTree.PageSpan(level);
            var span = MapTree.EntrySpan(level);
            var first = Math.Clamp((FirstBlock - start) / span, 0, BlockGeometry.PageEntries);
            var end = EndBlock <= start ? 0 : Math.Min(((EndBlock - start - 1) / span) + 1, BlockGeometry.PageEntries);
            return ((int)first, (int)end);
        }
    }

    // One of the two maps, as seen from the higher root: above its own root its page number 0 has the root, or the page
    // above it, as its first entry, under the id of that root.
    private readonly record struct Side(MapReader Map, int TopLevel)
    {
        private static readonly byte[] Holes = new byte[BlockGeometry.PageSize];

        public bool HasLevel(int level) => level <= Map.RootLevel;

        public async ValueTask FetchAsync(List<PageId> leaves, CancellationToken cancellationToken)
        {
            if (HasLevel(1))
            {
                await Map.ReadPagesAsync(leaves, 0, cancellationToken);
            }
        }

        public async ValueTask<byte[]> ReadAsync(
            int level, long number, PageId id, CancellationToken cancellationToken)
        {
            if (id.IsHole)
            {
                return Holes;
            }

            if (HasLevel(level))
            {
                return (await Map.ReadPagesAsync([id], level, cancellationToken))[0]!;
            }

            Invariant.Holds(number == 0 && level <= TopLevel);
            var content = new byte[BlockGeometry.PageSize];
            MapPage.WriteEntry(content, 0, id.Hash);
            return content;
        }
    }
}

/// <summary>A block in which two maps differ.</summary>
/// <param name="Index">Its index.</param>
/// <param name="Before">The block in the one map; a hole behind its end.</param>
/// <param name="After">The block in the other map; a hole behind its end.</param>
internal readonly record struct MapChange(long Index, BlockId Before, BlockId After);
