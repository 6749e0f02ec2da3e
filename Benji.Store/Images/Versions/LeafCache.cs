using Benji.Store.Blocks.Maps;
using Benji.Store.Model;

namespace Benji.Store.Images.Versions;

/// <summary>Which block stands where in one version, from the leaf pages of its map that were used last.</summary>
/// <remarks>Safe for concurrent calls. Opening reads nothing; a page of 256 entries is read when the first of them is asked
/// for, and at most <see cref="LeavesMax"/> (2 MiB) are kept. Finding in one that is there allocates nothing.</remarks>
internal sealed class LeafCache(MapReader map)
{
    private const int LeavesMax = 256;

    // One place for each page number modulo the length: what is newer replaces what is older.
    private readonly Leaf?[] _leaves = new Leaf?[Math.Clamp(LeafCount(map.Geometry), 1, LeavesMax)];

    /// <summary>Finds a block when its page is there.</summary>
    public bool TryFind(long blockIndex, out BlockId block)
    {
        var number = MapTree.PageNumber(0, blockIndex);
        if (Volatile.Read(ref _leaves[number % _leaves.Length]) is { } leaf && leaf.Number == number)
        {
            block = leaf.Find(blockIndex);
            return true;
        }

        block = default;
        return false;
    }

    /// <summary>Finds a block in its page, which is read and kept.</summary>
    /// <exception cref="CorruptDataException">A page is missing or damaged.</exception>
    /// <exception cref="StorageException">The storage failed.</exception>
    public async Task<BlockId> LoadAsync(long blockIndex, CancellationToken cancellationToken)
    {
        var number = MapTree.PageNumber(0, blockIndex);
        var ids = await map.FindPagesAsync(0, [number], cancellationToken);
        var contents = await map.ReadPagesAsync(ids, 0, cancellationToken);
        var leaf = new Leaf(number, contents[0]);
        Volatile.Write(ref _leaves[number % _leaves.Length], leaf);
        return leaf.Find(blockIndex);
    }

    private static int LeafCount(BlockGeometry geometry) =>
        (int)Math.Min(LeavesMax, MapTree.EntryCount(1, geometry.BlockCount));

    // A page of holes has no content.
    private sealed record Leaf(long Number, byte[]? Content)
    {
        public BlockId Find(long blockIndex) => Content is null
            ? BlockId.Hole
            : new BlockId(MapPage.ReadEntry(Content, MapTree.PositionInLeaf(blockIndex)));
    }
}
