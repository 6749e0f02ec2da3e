using Benji.Store.Images.Overlays.Files;
using Benji.Store.Model;

namespace Benji.Store.Images.Overlays;

/// <summary>A property of the bytes of an overlay: its marks tell where it holds bytes itself, another map the
/// rest.</summary>
/// <param name="file">The overlay.</param>
/// <param name="baseMap">The same property of the base; null where no byte of the base has it.</param>
/// <param name="isDataMarked">True when units of data have the property.</param>
/// <param name="isZeroMarked">True when units of zeros have it.</param>
internal sealed class OverlayExtents(OverlayFile file, IExtentMap? baseMap, bool isDataMarked, bool isZeroMarked)
    : IExtentMap
{
    // So that a call over an image of many terabytes ends in bounded time.
    private const long ScanMax = 1L << 40;
    private const int RunsMax = 65_536;

    /// <inheritdoc/>
    public async ValueTask ReadAsync(
        long offset, long length, int extentsMax, ICollection<MarkedExtent> extents, CancellationToken cancellationToken)
    {
        var layout = file.Layout;
        Invariant.Holds(offset >= 0 && length > 0 && offset + length <= layout.Size && extentsMax > 0);
        var end = offset + Math.Min(length, ScanMax);
        var joiner = new ExtentJoiner(extents, extentsMax, offset, end);
        var found = new List<MarkedExtent>();
        var unitEnd = UnitRange.Touched(offset, end - offset).End;
        var runs = 0;
        for (var at = offset; at < end && !joiner.IsFull && runs < RunsMax; runs++)
        {
            var runEnd = file.FindRunEnd(at / OverlayLayout.UnitSize, unitEnd, out var state);
            var stop = Math.Min(end, runEnd * OverlayLayout.UnitSize);
            if (state != UnitState.Base || baseMap is null)
            {
                joiner.Add(stop, IsMarked(state));
                at = stop;
                continue;
            }

            found.Clear();
            await baseMap.ReadAsync(at, stop - at, extentsMax, found, cancellationToken);
            foreach (var extent in found)
            {
                joiner.Add(extent.End, extent.IsMarked);
            }

            at = found[^1].End;
        }

        joiner.Complete();
    }

    private bool IsMarked(UnitState state) => state switch
    {
        UnitState.Data => isDataMarked,
        UnitState.Zero => isZeroMarked,
        _ => false,
    };
}
