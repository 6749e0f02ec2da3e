using System.Runtime.CompilerServices;
using Benji.Store.Model;

namespace Benji.Store.Blocks.Maps;

/// <summary>Finds the pages and blocks that a set of block maps reach, within bounded memory however many they
/// are.</summary>
/// <remarks><para>The pages above the leaves are walked first, each once; they are few, one for 256 leaves. Leaf pages
/// and blocks are gathered by ranges of their ids: one range while everything fits, and when a set is full its range is
/// cut in half and done again. Each further range of blocks reads the leaves once more.</para>
/// <para>Not safe for concurrent calls.</para></remarks>
internal sealed class MapMarker
{
    private readonly IReadOnlyList<MarkRoot> _roots;
    private readonly FingerprintSet _uppers;
    private readonly FingerprintSet _leaves;
    private readonly FingerprintSet _blocks;

    /// <summary>Prepares to mark; nothing is read yet.</summary>
    /// <param name="roots">The maps. Equal roots cost nothing.</param>
    /// <param name="sets">The memory it works in; not used by another while it marks.</param>
    public MapMarker(IReadOnlyList<MarkRoot> roots, MarkSets sets)
    {
        _roots = roots;
        (_uppers, _leaves, _blocks) = (sets.Uppers, sets.Leaves, sets.Blocks);
    }

    /// <summary>Marks and hands out what is reached, range by range, in the order of ids; the ranges together are
    /// all.</summary>
    /// <param name="onPages">Given the reached pages of a range, before any blocks; null when they are not
    /// wanted.</param>
    /// <param name="onBlocks">Given the reached blocks of a range. A set is valid until the call's task
    /// completes.</param>
    /// <param name="cancellationToken">Ends the marking.</param>
    /// <exception cref="CorruptDataException">A page is missing or damaged: nothing below it could be
    /// marked.</exception>
    public async Task MarkAsync(
        Func<IdPartition, ReachedPages, Task>? onPages,
        Func<IdPartition, FingerprintSet, Task> onBlocks,
        CancellationToken cancellationToken)
    {
        for (var blocks = IdPartition.All; ; blocks = blocks.Next)
        {
            // The pages are handed out while the first range of blocks is gathered, whether that range fits or not.
            var isGathered = await GatherAsync(blocks, onPages, cancellationToken);
            onPages = null;
            while (!isGathered)
            {
                blocks = blocks.Half;
                isGathered = await GatherAsync(blocks, onPages, cancellationToken);
            }

            await onBlocks(blocks, _blocks);
            if (blocks.IsLast)
            {
                return;
            }
        }
    }

    // Gathers the blocks of one range; false when the set is full.
    private async Task<bool> GatherAsync(
        IdPartition blocks, Func<IdPartition, ReachedPages, Task>? onPages, CancellationToken cancellationToken)
    {
        _blocks.Clear();
        var isComplete = true;
        for (var leaves = IdPartition.All; ; leaves = leaves.Next)
        {
            var pass = await GatherLeavesAsync(leaves, blocks, isComplete, cancellationToken);
            while (pass == LeafPass.LeavesFull)
            {
                leaves = leaves.Half;
                pass = await GatherLeavesAsync(leaves, blocks, isComplete, cancellationToken);
            }

            // Pages are swept in any case; blocks only when all of them were gathered.
            isComplete &= pass == LeafPass.Complete;
            if (onPages is not null)
            {
                await onPages(leaves, new ReachedPages(_uppers, _leaves));
            }
            else if (!isComplete)
            {
                return false;
            }

            if (leaves.IsLast)
            {
                return isComplete;
            }
        }
    }

    private async Task<LeafPass> GatherLeavesAsync(
        IdPartition leaves, IdPartition blocks, bool wantsBlocks, CancellationToken cancellationToken)
    {
        _uppers.Clear();
        _leaves.Clear();
        var fits = true;
        foreach (var store in _roots.GroupBy(root => root.Pages))
        {
            var waiting = new List<PageId>(MapReader.BatchPagesMax);
            await foreach (var leaf in WalkAsync(store.Key, [.. store], cancellationToken))
            {
                if (!leaves.Contains(leaf.Hash))
                {
                    continue;
                }

                if (!_leaves.TryAdd(leaf.Hash, out var isNew))
                {
                    return LeafPass.LeavesFull;
                }

                if (!isNew || !(wantsBlocks && fits))
                {
                    continue;
                }

                waiting.Add(leaf);
                if (waiting.Count == MapReader.BatchPagesMax)
                {
                    fits = await AddBlocksAsync(store.Key, waiting, blocks, cancellationToken);
                }
            }

            fits = fits && await AddBlocksAsync(store.Key, waiting, blocks, cancellationToken);
        }

        return fits && wantsBlocks ? LeafPass.Complete : LeafPass.BlocksFull;
    }

    private async Task<bool> AddBlocksAsync(
        IPageSource pages, List<PageId> leaves, IdPartition blocks, CancellationToken cancellationToken)
    {
        var contents = await pages.ReadAsync(leaves, 0, cancellationToken);
        leaves.Clear();
        foreach (var content in contents)
        {
            if (content is null)
            {
                continue;
            }

            for (var position = 0; position < BlockGeometry.PageEntries; position++)
            {
                var block = MapPage.ReadEntry(content, position);
                if (!block.IsZero && blocks.Contains(block) && !_blocks.TryAdd(block, out _))
                {
                    return false;
                }
            }
        }

        return true;
    }

    // Walks one store's pages above the leaves, each once, level by level, and lists the leaves, some repeatedly.
    private async IAsyncEnumerable<PageId> WalkAsync(
        IPageSource pages, IReadOnlyList<MarkRoot> roots, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        List<PageId> below = [];
        for (var level = MapTree.LevelsMax - 1; level > 0; level--)
        {
            var here = below;
            here.AddRange(RootsOf(roots, level).Where(IsNewUpper));
            below = [];
            foreach (var batch in here.Chunk(MapReader.BatchPagesMax))
            {
                foreach (var content in await pages.ReadAsync(batch, level, cancellationToken))
                {
                    var children = content is null ? [] : MapPage.ReadChildren(content);
                    if (level > 1)
                    {
                        below.AddRange(children.Where(IsNewUpper));
                        continue;
                    }

                    foreach (var leaf in children)
                    {
                        yield return leaf;
                    }
                }
            }
        }

        foreach (var root in RootsOf(roots, 0))
        {
            yield return root;
        }
    }

    private static IEnumerable<PageId> RootsOf(IReadOnlyList<MarkRoot> roots, int level) =>
        roots.Where(root => root.Level == level && !root.Root.IsHole).Select(root => root.Root);

    private bool IsNewUpper(PageId id)
    {
        Invariant.Holds(_uppers.TryAdd(id.Hash, out var isNew));
        return isNew;
    }

    private enum LeafPass
    {
        Complete,
        BlocksFull,
        LeavesFull,
    }
}

/// <summary>The root of a map that is to be marked.</summary>
/// <param name="Pages">Where its pages are; maps of one storage share one object.</param>
/// <param name="Root">The root, possibly a hole.</param>
/// <param name="Level">The root's level.</param>
internal readonly record struct MarkRoot(IPageSource Pages, PageId Root, int Level);

/// <summary>The pages that were reached: all above the leaves, and the leaves of one range.</summary>
internal readonly struct ReachedPages(FingerprintSet uppers, FingerprintSet leaves)
{
    /// <summary>True when a page is reached.</summary>
    public bool Contains(PageId id) => leaves.Contains(id.Hash) || uppers.Contains(id.Hash);
}
