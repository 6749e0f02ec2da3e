using Benji.Store.Blocks.Maps;
using Benji.Store.Model;
using Xunit;

namespace Benji.Tests.Blocks.Maps;

/// <summary>A block map as a plain dictionary of the blocks that are no holes, beside the real one.</summary>
internal sealed record MapModel(BlockGeometry Geometry, SortedDictionary<long, BlockId> Blocks, PageId Root)
{
    public const int BlockSize = BlockGeometry.BlockSizeMin;

    public static MapModel Empty { get; } = new(new BlockGeometry(0, BlockSize), [], PageId.Hole);

    public static BlockGeometry Sized(long blockCount) => new(blockCount * BlockSize, BlockSize);

    public static BlockId RandomId(Random random)
    {
        var bytes = new byte[Hash256.Size];
        random.NextBytes(bytes);
        return new BlockId(new Hash256(bytes));
    }

    public static Task<MapModel> BuildAsync(
        IPageStore pages, BlockGeometry geometry, IReadOnlyDictionary<long, BlockId> changes) =>
        Empty.ChangeAsync(pages, geometry, changes, isBased: false);

    /// <summary>Makes the next map, in ascending order with the window that a dispatcher keeps, and the next
    /// model.</summary>
    public async Task<MapModel> ChangeAsync(
        IPageStore pages,
        BlockGeometry geometry,
        IReadOnlyDictionary<long, BlockId> changes,
        bool isBased = true,
        int window = 16)
    {
        var builder = new MapBuilder(pages, isBased ? Open(pages) : null, geometry);
        var indexes = changes.Keys.Order().ToArray();
        for (var i = 0; i < indexes.Length; i += window)
        {
            // Workers finish in any order inside the window: set it backwards.
            foreach (var index in indexes[i..Math.Min(i + window, indexes.Length)].Reverse())
            {
                builder.Set(index, changes[index]);
            }

            await builder.AdvanceAsync(
                i + window < indexes.Length ? indexes[i + window] : geometry.BlockCount, CancellationToken.None);
        }

        var root = await builder.CompleteAsync(CancellationToken.None);
        return new MapModel(geometry, Apply(geometry, changes, isBased), root);
    }

    public MapReader Open(IPageStore pages) => new(pages, Root, Geometry);

    public BlockId this[long index] => Blocks.GetValueOrDefault(index);

    /// <summary>Reads the whole real map and compares it with the model.</summary>
    public async Task CheckAsync(IPageStore pages)
    {
        var next = 0L;
        var found = new SortedDictionary<long, BlockId>();
        var wasHole = false;
        await foreach (var run in Open(pages).ReadAsync(0, Geometry.BlockCount, CancellationToken.None))
        {
            Assert.Equal(next, run.FirstBlock);
            Assert.False(wasHole && run.IsHole, "Two stretches of holes stand side by side.");
            wasHole = run.IsHole;
            next = run.End;
            for (var i = 0; i < run.Ids.Length; i++)
            {
                if (!run.Ids.Span[i].IsHole)
                {
                    found.Add(run.FirstBlock + i, run.Ids.Span[i]);
                }
            }
        }

        Assert.Equal(Geometry.BlockCount, next);
        Assert.Equal(Blocks, found);
    }

    private SortedDictionary<long, BlockId> Apply(
        BlockGeometry geometry, IReadOnlyDictionary<long, BlockId> changes, bool isBased)
    {
        var blocks = new SortedDictionary<long, BlockId>();
        foreach (var (index, id) in isBased ? Blocks : [])
        {
            if (index < geometry.BlockCount)
            {
                blocks[index] = id;
            }
        }

        foreach (var (index, id) in changes)
        {
            if (id.IsHole)
            {
                blocks.Remove(index);
            }
            else
            {
                blocks[index] = id;
            }
        }

        return blocks;
    }
}
