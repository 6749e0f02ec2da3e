using Benji.Store.Model;

namespace Benji.Store.Images;

/// <summary>One property that each byte of an image has or has not: holds data, has changed, is damaged.</summary>
/// <remarks>Safe for concurrent calls. No frame is fetched to answer.</remarks>
public interface IExtentMap
{
    /// <summary>Adds extents that cover a range from its start, in order and without gaps; neighbours differ.</summary>
    /// <param name="offset">The first byte, inside the image.</param>
    /// <param name="length">At least 1; the range ends inside the image.</param>
    /// <param name="extentsMax">At least 1. When the range needs more extents, so many are added and the rest is left
    /// out; a long run may also be cut at any place, so that a call ends in bounded time.</param>
    /// <param name="extents">Receives at least one extent; those already there stay.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    /// <exception cref="CorruptDataException">A map page is missing or damaged.</exception>
    /// <exception cref="StorageException">The storage failed.</exception>
    ValueTask ReadAsync(
        long offset, long length, int extentsMax, ICollection<MarkedExtent> extents, CancellationToken cancellationToken);
}

/// <summary>A run of bytes that all have, or all lack, the property of a map.</summary>
/// <param name="Offset">The first byte.</param>
/// <param name="Length">Bytes in the run, at least 1.</param>
/// <param name="IsMarked">True where the property holds.</param>
public readonly record struct MarkedExtent(long Offset, long Length, bool IsMarked)
{
    /// <summary>The first offset behind the extent.</summary>
    public long End => Offset + Length;
}
