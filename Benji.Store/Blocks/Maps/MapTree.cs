using Benji.Store.Model;

namespace Benji.Store.Blocks.Maps;

/// <summary>The arithmetic of a block map's tree: which page and entry a block has at each level.</summary>
/// <remarks>A page is known by its level and its number: page <c>p</c> of level <c>n</c> stands over the blocks from
/// p * 256^(n+1). Its entry <c>e</c> stands over 256^n blocks; at level 0 that is the block itself. Pure functions.
/// Format: docs/format.md, "Block map".</remarks>
internal static class MapTree
{
    /// <summary>The most levels that a block map can have: 256^5 blocks are more than the largest version's.</summary>
    public const int LevelsMax = 5;

    private const int EntryBits = 8;

    /// <summary>Blocks under one entry of a page of <paramref name="level"/>.</summary>
    public static long EntrySpan(int level) => 1L << (EntryBits * level);

    /// <summary>Blocks under one page of <paramref name="level"/>.</summary>
    public static long PageSpan(int level) => EntrySpan(level + 1);

    /// <summary>The number of the page of <paramref name="level"/> that stands over a block.</summary>
    public static long PageNumber(int level, long blockIndex) => blockIndex >> (EntryBits * (level + 1));

    /// <summary>The entry of a page's parent that names it.</summary>
    public static int PositionInParent(long pageNumber) => (int)(pageNumber % BlockGeometry.PageEntries);

    /// <summary>The entry of its leaf page that names a block.</summary>
    public static int PositionInLeaf(long blockIndex) => (int)(blockIndex % BlockGeometry.PageEntries);

    /// <summary>Entries that a map of <paramref name="blockCount"/> blocks has at <paramref name="level"/>, over all of
    /// its pages; the entries behind them are zeros.</summary>
    public static long EntryCount(int level, long blockCount) =>
        (blockCount + EntrySpan(level) - 1) >> (EntryBits * level);

    /// <summary>Entries that one page of a map of <paramref name="blockCount"/> blocks has, 0 to 256.</summary>
    public static int EntryCount(int level, long pageNumber, long blockCount) =>
        (int)Math.Clamp(
            EntryCount(level, blockCount) - (pageNumber * BlockGeometry.PageEntries), 0, BlockGeometry.PageEntries);
}
