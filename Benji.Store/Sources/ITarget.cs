using Benji.Store.Model;

namespace Benji.Store.Sources;

/// <summary>What a restore writes: bytes and zeros at offsets, durable after a flush.</summary>
/// <remarks>Safe for concurrent writes to ranges that do not overlap.</remarks>
public interface ITarget : IAsyncDisposable
{
    /// <summary>What it is, for messages: the address as given, without secrets.</summary>
    string Description { get; }

    /// <summary>True when everything not yet written reads as zeros (a new file), so that holes need no work.</summary>
    bool IsZeroed { get; }

    /// <summary>Writes all of <paramref name="content"/> at <paramref name="offset"/>.</summary>
    /// <param name="offset">A multiple of 4096.</param>
    /// <param name="content">A multiple of 4096 bytes but at the target's end. Lent until the task completes. Memory of a
    /// <see cref="BlockBuffer"/> is aligned, and may be written without a copy.</param>
    /// <param name="cancellationToken">Stops before the write.</param>
    /// <exception cref="StorageException">It could not be written.</exception>
    ValueTask WriteAsync(long offset, ReadOnlyMemory<byte> content, CancellationToken cancellationToken);

    /// <summary>Makes a range read as zeros, as a hole where the target can.</summary>
    /// <exception cref="StorageException">It could not be zeroed.</exception>
    ValueTask ZeroAsync(long offset, long length, CancellationToken cancellationToken);

    /// <summary>Makes everything written durable, the target's size and name included.</summary>
    /// <exception cref="StorageException">It could not be synced: nothing written since the last flush is safe.</exception>
    ValueTask FlushAsync(CancellationToken cancellationToken);
}
