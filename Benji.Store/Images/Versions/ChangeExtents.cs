using Benji.Store.Blocks.Maps;
using Benji.Store.Blocks.Sealing;
using Benji.Store.Model;

namespace Benji.Store.Images.Versions;

/// <summary>Marks what differs in a version from another one of the same storage and block size, exact to the frame.</summary>
/// <remarks>From the maps, of which shared pages are passed over, and the headers of blocks that differ. What lies behind the
/// end of the other version counts as changed.</remarks>
internal sealed class ChangeExtents(ImageBlocks source, MapReader before, MapReader after) : IExtentMap
{
    // So that a call over an image of many terabytes ends in bounded time.
    private const int BlocksMax = 16 * 1024;

    /// <inheritdoc/>
    public async ValueTask ReadAsync(
        long offset, long length, int extentsMax, ICollection<MarkedExtent> extents, CancellationToken cancellationToken)
    {
        var end = offset + length;
        var found = new ExtentJoiner(extents, extentsMax, offset, end);
        var common = Math.Min(end, before.Geometry.Size);
        if (offset < common && !await AddCommonAsync(found, offset, common, cancellationToken))
        {
            found.Complete();
            return;
        }

        found.Add(end, isMarked: true);
        found.Complete();
    }

    // False when the extents are as many as were asked for, or the call has lasted long enough.
    private async ValueTask<bool> AddCommonAsync(
        ExtentJoiner found, long offset, long end, CancellationToken cancellationToken)
    {
        var blockSize = after.Geometry.BlockSize;
        var blocks = 0;
        var changes = MapDiff.ReadAsync(
            before, after, offset / blockSize, ((end - 1) / blockSize) + 1, cancellationToken);
        await foreach (var change in changes)
        {
            found.Add(change.Index * blockSize, isMarked: false);
            await AddBlockAsync(found, change, end, cancellationToken);
            if (found.IsFull || ++blocks == BlocksMax)
            {
                return false;
            }
        }

        found.Add(end, isMarked: false);
        return !found.IsFull;
    }

    private async ValueTask AddBlockAsync(
        ExtentJoiner found, MapChange change, long end, CancellationToken cancellationToken)
    {
        var start = change.Index * after.Geometry.BlockSize;
        var beforeLength = before.Geometry.BlockLength(change.Index);
        var afterLength = after.Geometry.BlockLength(change.Index);
        try
        {
            var beforeTable = await FindTableAsync(change.Before, beforeLength, cancellationToken);
            var afterTable = await FindTableAsync(change.After, afterLength, cancellationToken);
            for (var frame = 0; frame < BlockGeometry.FrameCount(Math.Min(beforeLength, afterLength)); frame++)
            {
                var isChanged = HashOf(beforeTable, frame) != HashOf(afterTable, frame)
                    || BlockGeometry.FrameLength(beforeLength, frame) != BlockGeometry.FrameLength(afterLength, frame);
                found.Add(Math.Min(end, start + ((frame + 1L) * BlockGeometry.FrameSize)), isChanged);
            }
        }
        catch (Exception failure) when (failure is CorruptDataException or NotFoundException)
        {
            // Nothing is known of a damaged block: all of it may have changed.
            found.Add(Math.Min(end, start + afterLength), isMarked: true);
        }
    }

    private static Hash256 HashOf(FrameTable? table, int frame) => table?.HashOf(frame) ?? default;

    private async ValueTask<FrameTable?> FindTableAsync(
        BlockId block, int length, CancellationToken cancellationToken) =>
        block.IsHole ? null : await source.Blocks.ReadTableAsync(block, length, cancellationToken);
}
