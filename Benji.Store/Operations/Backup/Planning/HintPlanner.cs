using System.Runtime.CompilerServices;
using Benji.Store.Model;
using Benji.Store.Sources;

namespace Benji.Store.Operations.Backup.Planning;

/// <summary>Plans a backup with hints: the frames they name, what lies behind the base version's end, and its damaged blocks.</summary>
/// <remarks>With a content base, what hints do not list is unchanged; without one it is a hole. A frame that an extent of the
/// kind "hole" covers only in part is read. Format: docs/format.md; semantics of the original: <c>rbd diff</c>.</remarks>
/// <param name="hints">The hints, checked against the source's size.</param>
/// <param name="geometry">The new version.</param>
/// <param name="content">The size of the version that holds what hints do not list, or null without one.</param>
/// <param name="baseMap">The blocks to compare with; the content base's where there is one.</param>
internal sealed class HintPlanner(
    HintMap hints, BlockGeometry geometry, BlockGeometry? content, BaseMap baseMap) : IBlockPlanner
{
    private const int IndexesPerTrip = 1024;

    /// <inheritdoc/>
    public async IAsyncEnumerable<PlannedBlock> PlanAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var last = -1L;
        var indexes = new List<long>(IndexesPerTrip);
        await foreach (var index in MergeAsync(cancellationToken))
        {
            if (index <= last)
            {
                continue;
            }

            last = index;

            if (indexes.Count == IndexesPerTrip)
            {
                foreach (var block in await PlanAsync(indexes, cancellationToken))
                {
                    yield return block;
                }

                indexes.Clear();
            }

            indexes.Add(index);
        }

        foreach (var block in await PlanAsync(indexes, cancellationToken))
        {
            yield return block;
        }
    }

    // The three reasons to look at a block are sorted lists; a block on two of them comes twice in a row.
    private async IAsyncEnumerable<long> MergeAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var hinted = HintedIndexes().GetEnumerator();
        await using var damaged = DamagedIndexesAsync(cancellationToken).GetAsyncEnumerator(cancellationToken);
        var hintedLeft = hinted.MoveNext();
        var damagedLeft = await damaged.MoveNextAsync();
        while (hintedLeft || damagedLeft)
        {
            if (hintedLeft && (!damagedLeft || hinted.Current <= damaged.Current))
            {
                yield return hinted.Current;
                hintedLeft = hinted.MoveNext();
            }
            else
            {
                yield return damaged.Current;
                damagedLeft = await damaged.MoveNextAsync();
            }
        }
    }

    private IEnumerable<long> HintedIndexes()
    {
        long next = 0;
        var tail = FirstReadWhole();
        foreach (var extent in hints.Extents)
        {
            var last = Math.Min((extent.End - 1) / geometry.BlockSize, tail - 1);
            for (var index = Math.Max(next, extent.Offset / geometry.BlockSize); index <= last; index++)
            {
                next = index + 1;
                yield return index;
            }
        }

        for (var index = Math.Max(next, tail); index < geometry.BlockCount; index++)
        {
            yield return index;
        }
    }

    // Where the sizes differ, the block at the smaller end has another length in each, and nothing behind it has a base.
    private long FirstReadWhole() =>
        content is not { } old || old.Size == geometry.Size
            ? geometry.BlockCount
            : Math.Min(old.Size, geometry.Size) / geometry.BlockSize;

    private async IAsyncEnumerable<long> DamagedIndexesAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        if (content is not { } old || !baseMap.HasInvalidBlocks)
        {
            yield break;
        }

        var count = Math.Min(old.BlockCount, geometry.BlockCount);
        await foreach (var (index, entry) in baseMap.ReadStoredAsync(0, count, cancellationToken))
        {
            if (entry.IsInvalid)
            {
                yield return index;
            }
        }
    }

    private async ValueTask<IEnumerable<PlannedBlock>> PlanAsync(
        IReadOnlyList<long> indexes, CancellationToken cancellationToken)
    {
        var entries = await baseMap.FindAsync(indexes, cancellationToken);
        return indexes.ToArray().Zip(entries, Plan);
    }

    private PlannedBlock Plan(long index, BaseEntry entry)
    {
        var length = geometry.BlockLength(index);
        var frames = BlockGeometry.FrameCount(length);
        if (content is not null && (entry.IsInvalid || index >= FirstReadWhole()))
        {
            var all = FrameSet.All(frames);
            return new PlannedBlock(index, length, entry.Id, entry.Length, entry.IsInvalid, all, all);
        }

        var touched = new TouchedFrames(length);
        foreach (var extent in hints.Within(index * geometry.BlockSize, length))
        {
            touched.Add(extent with { Offset = extent.Offset - (index * geometry.BlockSize) });
        }

        var changed = content is null ? FrameSet.All(frames) : touched.Changed;
        return new PlannedBlock(index, length, entry.Id, entry.Length, entry.IsInvalid, touched.Read, changed);
    }
}
