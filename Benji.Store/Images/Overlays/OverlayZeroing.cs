using Benji.Store.Images.Overlays.Files;
using Benji.Store.Model;

namespace Benji.Store.Images.Overlays;

/// <summary>Makes whole units zeros, at the cost of what they held: what is a hole of the base stays one.</summary>
/// <remarks>The marks of 64 MiB take 4 KiB, so that those of a whole large disk would take gigabytes. For callers that hold the
/// lock on the range.</remarks>
/// <param name="file">The overlay.</param>
/// <param name="allocation">Where it, or its base, holds data.</param>
internal sealed class OverlayZeroing(OverlayFile file, IExtentMap allocation)
{
    // For less than the marks of one page nobody is asked.
    private const long AskedMin = OverlayLayout.PageUnits * (long)OverlayLayout.UnitSize;
    private const int ExtentsMax = 4096;

    /// <summary>Makes a range zeros.</summary>
    /// <param name="offset">The first byte of a unit.</param>
    /// <param name="length">Whole units, except at the image's end.</param>
    /// <param name="mayFreeSpace">True to give the space of their data back; false to take space for all of them.</param>
    /// <exception cref="NoSpaceException">The disk is full; a part may be zeros.</exception>
    /// <exception cref="StorageException">The file failed; a part may be zeros.</exception>
    public async ValueTask RunAsync(long offset, long length, bool mayFreeSpace)
    {
        if (!mayFreeSpace || length <= AskedMin)
        {
            file.Zero(UnitRange.Touched(offset, length), mayFreeSpace);
            return;
        }

        var end = offset + length;
        var extents = new List<MarkedExtent>();
        while (offset < end)
        {
            await FindAsync(offset, end - offset, extents);
            foreach (var extent in extents)
            {
                if (extent.IsMarked)
                {
                    file.Zero(UnitRange.Touched(extent.Offset, extent.Length), mayFreeSpace: true);
                }
            }

            offset = extents[^1].End;
        }
    }

    // It is done to its end whatever happens to the caller. What nobody can tell may be data.
    private async ValueTask FindAsync(long offset, long length, List<MarkedExtent> extents)
    {
        extents.Clear();
        try
        {
            await allocation.ReadAsync(offset, length, ExtentsMax, extents, CancellationToken.None);
        }
        catch (Exception failure) when (failure is StorageException or CorruptDataException)
        {
            extents.Clear();
            extents.Add(new MarkedExtent(offset, length, IsMarked: true));
        }
    }
}
