using Benji.Store.Model;

namespace Benji.Store.Sources;

/// <summary>What a backup reads: a size and bytes at offsets.</summary>
/// <remarks>Safe for concurrent reads. The bytes should be frozen (a snapshot); where they are not, each block is still
/// stored as it was read.</remarks>
public interface ISource : IAsyncDisposable
{
    /// <summary>What it is, for messages: the address as given, without secrets.</summary>
    string Description { get; }

    /// <summary>Bytes in it when it was opened.</summary>
    long Size { get; }

    /// <summary>What the source itself says has changed since a base version; null when it does not say.</summary>
    HintMap? Hints => null;

    /// <summary>Fills <paramref name="destination"/> with the bytes from <paramref name="offset"/>.</summary>
    /// <param name="offset">At least 0; offset and length end at or before <see cref="Size"/>.</param>
    /// <param name="destination">Filled to its last byte. Lent until the task completes.</param>
    /// <param name="cancellationToken">Stops before the read or at a part of it.</param>
    /// <exception cref="StorageException">It could not be read, or has become shorter.</exception>
    ValueTask ReadAsync(long offset, Memory<byte> destination, CancellationToken cancellationToken);

    /// <summary>Finds the first run at or behind <paramref name="offset"/> that may hold anything but zeros.</summary>
    /// <returns>The run, cut at <see cref="Size"/>, or null when only holes follow. A source that cannot tell answers with
    /// all that follows.</returns>
    Extent? FindData(long offset);

    /// <summary>Refuses a source that has another size now than when it was opened; one whose size cannot change is fine.
    /// </summary>
    /// <exception cref="StorageException">It has: what was read is not the whole of anything.</exception>
    void RequireSameSize()
    {
    }

    /// <summary>Says that these bytes will not be read again, so that caches may drop them. Never fails.</summary>
    void Release(long offset, long length);
}
