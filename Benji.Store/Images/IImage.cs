using Benji.Store.Model;

namespace Benji.Store.Images;

/// <summary>A version or overlay as bytes at offsets; opened under a lease that ends with its disposal.</summary>
/// <remarks>Safe for concurrent calls. Whoever opened it disposes it once, after the last call has returned and all pieces
/// are cleared. Ranges lie inside the image: the protocols check that at their edge.</remarks>
public interface IImage : IAsyncDisposable
{
    /// <summary>What it is: its version and, for an overlay, the overlay.</summary>
    ImageEntry Entry { get; }

    /// <summary>Bytes in the image; it never changes.</summary>
    long Size { get; }

    /// <summary>Marked where bytes must be read to be known; exact to the frame, in what an overlay holds to 4 KiB.</summary>
    IExtentMap Allocation { get; }

    /// <summary>Marked where a scrub or read has found damage.</summary>
    IExtentMap Damage { get; }

    /// <summary>Adds the pieces of a range when all of it is at hand, without waiting and without allocating.</summary>
    /// <param name="offset">The first byte.</param>
    /// <param name="length">Bytes, at least 1.</param>
    /// <param name="pieces">Empty; receives exactly <paramref name="length"/> bytes, or nothing.</param>
    /// <returns>False when something must be fetched first: <see cref="ReadAsync"/> does that.</returns>
    bool TryRead(long offset, int length, ImagePieces pieces);

    /// <summary>Adds the pieces of a range; each byte was verified.</summary>
    /// <param name="offset">The first byte.</param>
    /// <param name="length">Bytes, at least 1 and at most 64 MiB.</param>
    /// <param name="pieces">Empty; receives exactly <paramref name="length"/> bytes; empty again after an exception.</param>
    /// <param name="cancellationToken">Stops the wait; what is being fetched for others goes on.</param>
    /// <exception cref="DamagedImageException">A byte of the range is damaged; its message names the block.</exception>
    /// <exception cref="StorageException">The storage failed, or did not answer within 20 s.</exception>
    ValueTask ReadAsync(long offset, int length, ImagePieces pieces, CancellationToken cancellationToken);

    /// <summary>Fetches a range into memory, as far as there is room, for reads to come; damage is left for them to find.</summary>
    /// <exception cref="StorageException">The storage failed.</exception>
    ValueTask PrefetchAsync(long offset, long length, CancellationToken cancellationToken);
}
