namespace Benji.Store.Images.Overlays.Files;

/// <summary>The arithmetic of one overlay file: units, mark pages, and where each stands.</summary>
/// <remarks>Format: docs/format.md, "Overlay file".</remarks>
/// <param name="Size">Bytes in the image.</param>
internal readonly record struct OverlayLayout(long Size)
{
    /// <summary>Bytes in a unit, in a mark page and in the header.</summary>
    public const int UnitSize = 4096;

    /// <summary>Bits of one mark.</summary>
    public const int MarkBits = 2;

    /// <summary>Units whose marks stand in one page.</summary>
    public const int PageUnits = UnitSize * 8 / MarkBits;

    /// <summary>Units in the image, a short last one included.</summary>
    public long UnitCount => (Size + UnitSize - 1) / UnitSize;

    /// <summary>Pages of marks.</summary>
    public long PageCount => (UnitCount + PageUnits - 1) / PageUnits;

    /// <summary>Where the data begins.</summary>
    public long DataStart => UnitSize * (1 + PageCount);

    /// <summary>Bytes in the file.</summary>
    public long FileLength => DataStart + (UnitCount * UnitSize);

    /// <summary>Where a page of marks stands.</summary>
    public static long PageOffset(long page) => UnitSize * (1 + page);

    /// <summary>Where a byte of the image stands when its unit is marked as data.</summary>
    public long DataOffset(long offset) => DataStart + offset;

    /// <summary>Bytes of a unit that lie in the image.</summary>
    public int UnitLength(long unit) => checked((int)Math.Min(UnitSize, Size - (unit * UnitSize)));
}

/// <summary>A run of units.</summary>
/// <param name="First">The first unit.</param>
/// <param name="Count">How many.</param>
internal readonly record struct UnitRange(long First, long Count)
{
    /// <summary>The first unit behind the run.</summary>
    public long End => First + Count;

    /// <summary>The units that a range of bytes touches.</summary>
    public static UnitRange Touched(long offset, long length)
    {
        var first = offset / OverlayLayout.UnitSize;
        return new UnitRange(first, ((offset + length - 1) / OverlayLayout.UnitSize) - first + 1);
    }

    /// <summary>True when a unit is in both runs.</summary>
    public bool Overlaps(UnitRange other) => First < other.End && other.First < End;
}

/// <summary>Where the bytes of a unit are.</summary>
internal enum UnitState
{
    /// <summary>In the base version.</summary>
    Base = 0,

    /// <summary>In the overlay file.</summary>
    Data = 1,

    /// <summary>Nowhere: zeros.</summary>
    Zero = 2,
}
