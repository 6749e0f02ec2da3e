using Benji.Store.Model;

namespace Benji.Store.Sources;

/// <summary>Takes everything and keeps nothing, for a restore that only shows that it could be done.</summary>
internal sealed class NullTarget(string description, long size) : ITarget
{
    /// <inheritdoc/>
    public string Description { get; } = description;

    /// <inheritdoc/>
    public bool IsZeroed => true;

    /// <inheritdoc/>
    public ValueTask WriteAsync(long offset, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        Invariant.Holds(offset >= 0 && offset % BlockBuffer.Alignment == 0 && offset <= size - content.Length);
        cancellationToken.ThrowIfCancellationRequested();
        return ValueTask.CompletedTask;
    }

    /// <inheritdoc/>
    public ValueTask ZeroAsync(long offset, long length, CancellationToken cancellationToken)
    {
        Invariant.Holds(offset >= 0 && length >= 0 && offset <= size - length);
        cancellationToken.ThrowIfCancellationRequested();
        return ValueTask.CompletedTask;
    }

    /// <inheritdoc/>
    public ValueTask FlushAsync(CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return ValueTask.CompletedTask;
    }

    /// <summary>Nothing is held.</summary>
    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
