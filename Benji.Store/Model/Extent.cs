namespace Benji.Store.Model;

/// <summary>What an extent is known to hold.</summary>
public enum ExtentKind
{
    /// <summary>Bytes that must be read to be known.</summary>
    Data,

    /// <summary>Zeros that are recorded, not stored.</summary>
    Hole,
}

/// <summary>A run of <paramref name="Length"/> bytes from <paramref name="Offset"/>.</summary>
public readonly record struct Extent(long Offset, long Length, ExtentKind Kind)
{
    /// <summary>The first offset behind the extent.</summary>
    public long End => Offset + Length;
}
