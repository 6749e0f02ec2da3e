namespace Benji.Store.Sources;

/// <summary>Lets no more writes and zeroings of another target be under way at once than it was told; others wait their
/// turn.</summary>
/// <remarks>Safe for concurrent calls to ranges that do not overlap. Owns the other target.</remarks>
internal sealed class LimitedTarget(ITarget inner, int writesMax) : ITarget
{
    private readonly SemaphoreSlim _writes = new(writesMax);

    /// <inheritdoc/>
    public string Description => inner.Description;

    /// <inheritdoc/>
    public bool IsZeroed => inner.IsZeroed;

    /// <inheritdoc/>
    public async ValueTask WriteAsync(
        long offset, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        await _writes.WaitAsync(cancellationToken);
        try
        {
            await inner.WriteAsync(offset, content, cancellationToken);
        }
        finally
        {
            _writes.Release();
        }
    }

    /// <inheritdoc/>
    public async ValueTask ZeroAsync(long offset, long length, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        await _writes.WaitAsync(cancellationToken);
        try
        {
            await inner.ZeroAsync(offset, length, cancellationToken);
        }
        finally
        {
            _writes.Release();
        }
    }

    /// <inheritdoc/>
    public ValueTask FlushAsync(CancellationToken cancellationToken) => inner.FlushAsync(cancellationToken);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await inner.DisposeAsync();
        _writes.Dispose();
    }
}
