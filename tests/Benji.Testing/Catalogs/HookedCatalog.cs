using Benji.Store.Catalogs;

namespace Benji.Testing.Catalogs;

/// <summary>A catalog that counts reads and calls a test before each write.</summary>
internal sealed class HookedCatalog(ICatalog inner) : ICatalog
{
    private int _reads;

    /// <summary>Called before each write; what it does is done when the write begins.</summary>
    public Func<Task>? BeforeWrite { get; set; }

    /// <summary>Reads begun.</summary>
    public int Reads => _reads;

    /// <inheritdoc/>
    public LeaseOwner Owner => inner.Owner;

    /// <inheritdoc/>
    public Task<T> ReadAsync<T>(Func<ICatalogTransaction, T> work, CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref _reads);
        return inner.ReadAsync(work, cancellationToken);
    }

    /// <inheritdoc/>
    public async Task<T> WriteAsync<T>(Func<ICatalogTransaction, T> work, CancellationToken cancellationToken)
    {
        if (BeforeWrite is not null)
        {
            await BeforeWrite();
        }

        return await inner.WriteAsync(work, cancellationToken);
    }

    /// <inheritdoc/>
    public long ReadGeneration() => inner.ReadGeneration();

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => inner.DisposeAsync();
}
