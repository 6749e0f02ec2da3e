using System.Runtime.CompilerServices;
using Benji.Store.Model;
using Benji.Store.Sources;

namespace Benji.Store.Operations.Backup.Planning;

/// <summary>Plans a backup without hints: every block, of which only the frames that the source says hold data are read.</summary>
internal sealed class FullPlanner(
    ISource source, BlockGeometry geometry, BaseMap baseMap) : IBlockPlanner
{
    /// <inheritdoc/>
    public async IAsyncEnumerable<PlannedBlock> PlanAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var data = source.FindData(0);
        await foreach (var (index, entry) in baseMap.ReadAsync(0, geometry.BlockCount, cancellationToken))
        {
            cancellationToken.ThrowIfCancellationRequested();
            var offset = index * geometry.BlockSize;
            var length = geometry.BlockLength(index);
            var read = new FrameSet(BlockGeometry.FrameCount(length));
            while (data is { } extent && extent.Offset < offset + length)
            {
                var start = Math.Max(extent.Offset, offset);
                var end = Math.Min(extent.End, offset + length);
                if (start < end)
                {
                    read.AddTouched(start - offset, end - start);
                }

                if (extent.End > offset + length)
                {
                    break;
                }

                data = source.FindData(extent.End);
            }

            // Nothing to read where the base has a hole too: the map holds it already.
            if (!read.IsEmpty || !entry.Id.IsHole)
            {
                yield return new PlannedBlock(
                    index, length, entry.Id, entry.Length, entry.IsInvalid, read, FrameSet.All(read.FrameCount));
            }
        }
    }
}
