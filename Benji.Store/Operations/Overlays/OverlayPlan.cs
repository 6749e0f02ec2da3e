using System.Runtime.CompilerServices;
using Benji.Store.Images.Overlays;
using Benji.Store.Model;
using Benji.Store.Operations.Backup.Planning;

namespace Benji.Store.Operations.Overlays;

/// <summary>Plans a promotion: the frames that the overlay's units touch; everything else is the base version's.</summary>
/// <remarks>A frame of which every unit is zeros is not read. Memory: one trip's blocks, however much is dirty.</remarks>
/// <param name="version">The base.</param>
/// <param name="dirty">What the overlay holds itself, in order.</param>
internal sealed class OverlayPlan(VersionRecord version, IEnumerable<DirtyRun> dirty) : IBuildPlan
{
    private const int BlocksPerTrip = 1024;

    /// <inheritdoc/>
    public BackupBase Origin { get; } = new(version, version, version.Storage, version.BlockSize);

    /// <inheritdoc/>
    public bool IsPartial => true;

    /// <inheritdoc/>
    public ValueTask<IBlockPlanner> StartAsync(
        BaseMap baseMap, SourceReader reader, BlockGeometry geometry, CancellationToken cancellationToken)
    {
        Invariant.Holds(geometry == version.Geometry);
        return ValueTask.FromResult<IBlockPlanner>(new Planner(geometry, dirty, baseMap));
    }

    private sealed class Planner(BlockGeometry geometry, IEnumerable<DirtyRun> dirty, BaseMap baseMap) : IBlockPlanner
    {
        public async IAsyncEnumerable<PlannedBlock> PlanAsync([EnumeratorCancellation] CancellationToken cancellationToken)
        {
            foreach (var blocks in TouchedBlocks().Chunk(BlocksPerTrip))
            {
                var entries = await baseMap.FindAsync([.. blocks.Select(block => block.Index)], cancellationToken);
                foreach (var ((index, frames), entry) in blocks.Zip(entries))
                {
                    yield return new PlannedBlock(
                        index,
                        geometry.BlockLength(index),
                        entry.Id,
                        entry.Length,
                        entry.IsInvalid,
                        frames.Read,
                        frames.Changed);
                }
            }
        }

        private IEnumerable<(long Index, TouchedFrames Frames)> TouchedBlocks()
        {
            var last = -1L;
            TouchedFrames? frames = null;
            foreach (var run in dirty)
            {
                for (var offset = run.Offset; offset < run.Offset + run.Length;)
                {
                    var index = offset / geometry.BlockSize;
                    if (index != last)
                    {
                        if (frames is not null)
                        {
                            yield return (last, frames);
                        }

                        last = index;
                        frames = new TouchedFrames(geometry.BlockLength(index));
                    }

                    var start = index * geometry.BlockSize;
                    var end = Math.Min(run.Offset + run.Length, start + geometry.BlockLength(index));
                    frames!.Add(new Extent(
                        offset - start, end - offset, run.IsZero ? ExtentKind.Hole : ExtentKind.Data));
                    offset = end;
                }
            }

            if (frames is not null)
            {
                yield return (last, frames);
            }
        }
    }
}
