using Benji.Store.Model;

namespace Benji.Store.Images;

/// <summary>An overlay: an image that can be written, with the durability of a disk with a write cache.</summary>
/// <remarks>Safe for concurrent calls; of overlapping writes under way at once either may come last, as on a disk. All
/// openings of one overlay in a process see each other's writes, and a flush of one makes all completed ones durable.
/// Disposing it flushes.</remarks>
public interface IWritableImage : IImage
{
    /// <summary>Bytes that the overlay holds itself, in whole units of 4 KiB.</summary>
    long DirtyBytes { get; }

    /// <summary>Bytes that may be anything but zeros: 0 only where all are zeros, and never more than there are.</summary>
    long AllocatedBytes { get; }

    /// <summary>When a byte was last written, zeroed or reverted, UTC; kept over openings.</summary>
    DateTimeOffset LastChange { get; }

    /// <summary>Writes bytes; durable after the next flush.</summary>
    /// <param name="offset">The first byte; need not be aligned.</param>
    /// <param name="data">At least one byte. Lent until the task completes.</param>
    /// <param name="cancellationToken">Stops before the write, never in the middle of it.</param>
    /// <exception cref="NoSpaceException">The disk under the overlay is full; units written before stay as they are.</exception>
    /// <exception cref="DamagedImageException">A unit written in part is damaged in the base.</exception>
    /// <exception cref="StorageException">The disk under the overlay or the storage under its base failed.</exception>
    ValueTask WriteAsync(long offset, ReadOnlyMemory<byte> data, CancellationToken cancellationToken);

    /// <summary>Makes a range read as zeros; durable after the next flush.</summary>
    /// <param name="offset">The first byte; need not be aligned.</param>
    /// <param name="length">At least 1; takes no time for whole units.</param>
    /// <param name="mayFreeSpace">False to keep space reserved, so that a later write cannot find the disk full.</param>
    /// <param name="cancellationToken">Stops before the change, never in the middle of it.</param>
    /// <exception cref="NoSpaceException">As for a write.</exception>
    /// <exception cref="DamagedImageException">As for a write.</exception>
    /// <exception cref="StorageException">As for a write.</exception>
    ValueTask ZeroAsync(long offset, long length, bool mayFreeSpace, CancellationToken cancellationToken);

    /// <summary>Makes a range of whole units show the base again (the last unit may be short); durable after the next
    /// flush.</summary>
    ValueTask RevertAsync(long offset, long length, CancellationToken cancellationToken);

    /// <summary>Returns when everything that was completed before is on the disk.</summary>
    /// <exception cref="NoSpaceException">The disk under the overlay is full; nothing is lost, a later flush may do it.</exception>
    /// <exception cref="StorageException">The disk under the overlay failed.</exception>
    ValueTask FlushAsync(CancellationToken cancellationToken);
}
