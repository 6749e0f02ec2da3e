using Benji.Store.Blocks.Maps;
using Benji.Store.Blocks.Sealing;
using Benji.Store.Model;

namespace Benji.Store.Images.Versions;

/// <summary>Marks what a version holds data for, exact to the frame.</summary>
/// <remarks>From the map and the catalog's rows; only of a block that is a hole in part the header is read, and kept.</remarks>
internal sealed class AllocationExtents(ImageBlocks source, MapReader map) : IExtentMap
{
    // 64 pages: so that a call over an image of many terabytes ends in bounded time.
    private const int RunsMax = 64;

    /// <inheritdoc/>
    public async ValueTask ReadAsync(
        long offset, long length, int extentsMax, ICollection<MarkedExtent> extents, CancellationToken cancellationToken)
    {
        var found = new ExtentJoiner(extents, extentsMax, offset, offset + length);
        var runs = 0;
        await foreach (var run in BlockRuns.ReadAsync(source, map, offset, offset + length, cancellationToken))
        {
            if (run.Ids.IsEmpty)
            {
                found.Add((run.FirstBlock + run.Count) * map.Geometry.BlockSize, isMarked: false);
                runs++;
            }

            for (var i = 0; i < run.Ids.Length && !found.IsFull; i++)
            {
                await AddBlockAsync(run, i, found, cancellationToken);
            }

            if (found.IsFull || ++runs >= RunsMax)
            {
                break;
            }
        }

        found.Complete();
    }

    private async ValueTask AddBlockAsync(
        BlockRun run, int position, ExtentJoiner found, CancellationToken cancellationToken)
    {
        var block = run.Ids.Span[position];
        var blockIndex = run.FirstBlock + position;
        var start = blockIndex * map.Geometry.BlockSize;
        var length = map.Geometry.BlockLength(blockIndex);
        if (block.IsHole)
        {
            found.Add(start + length, isMarked: false);
            return;
        }

        if ((run.Rows.TryGetValue(block, out var row) && row.Allocated == length)
            || await FindTableAsync(block, length, cancellationToken) is not { } table)
        {
            found.Add(start + length, isMarked: true);
            return;
        }

        for (var frame = 0; frame < table.FrameCount; frame++)
        {
            var end = start + Math.Min(length, (frame + 1L) * BlockGeometry.FrameSize);
            found.Add(end, table.KindOf(frame) != FrameKind.Hole);
        }
    }

    // Of a damaged block nothing is known: it must be read to be known, and that read tells.
    private async ValueTask<FrameTable?> FindTableAsync(
        BlockId block, int length, CancellationToken cancellationToken)
    {
        try
        {
            return await source.Blocks.ReadTableAsync(block, length, cancellationToken);
        }
        catch (Exception failure) when (failure is CorruptDataException or NotFoundException)
        {
            return null;
        }
    }
}
