using Benji.Store.Model;

namespace Benji.Store.Sources;

/// <summary>Lets no more reads of another source be under way at once than it was told; others wait their turn.</summary>
/// <remarks>Safe for concurrent calls. Owns the other source.</remarks>
internal sealed class LimitedSource(ISource inner, int readsMax) : ISource
{
    private readonly SemaphoreSlim _reads = new(readsMax);

    /// <inheritdoc/>
    public string Description => inner.Description;

    /// <inheritdoc/>
    public long Size => inner.Size;

    /// <inheritdoc/>
    public HintMap? Hints => inner.Hints;

    /// <inheritdoc/>
    public async ValueTask ReadAsync(long offset, Memory<byte> destination, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        await _reads.WaitAsync(cancellationToken);
        try
        {
            await inner.ReadAsync(offset, destination, cancellationToken);
        }
        finally
        {
            _reads.Release();
        }
    }

    /// <inheritdoc/>
    public Extent? FindData(long offset) => inner.FindData(offset);

    /// <inheritdoc/>
    public void RequireSameSize() => inner.RequireSameSize();

    /// <inheritdoc/>
    public void Release(long offset, long length) => inner.Release(offset, length);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await inner.DisposeAsync();
        _reads.Dispose();
    }
}
