using Benji.Store.Catalogs;

namespace Benji.Testing.Catalogs;

/// <summary>A catalog that lets a test do something right before one chosen transaction.</summary>
/// <remarks>What the test does then may use the catalog too: it is not interrupted.</remarks>
internal sealed class InterruptedCatalog(ICatalog inner) : ICatalog
{
    private Func<Task>? _interruption;
    private int _number;
    private int _transactions;

    /// <inheritdoc/>
    public LeaseOwner Owner => inner.Owner;

    /// <summary>Chooses a transaction, counted from 0 from now on.</summary>
    public void Interrupt(int number, Func<Task> interruption) =>
        (_number, _transactions, _interruption) = (number, 0, interruption);

    /// <summary>Chooses none.</summary>
    /// <returns>False when the chosen one was never made.</returns>
    public bool Stop()
    {
        var wasMade = _interruption is null;
        _interruption = null;
        return wasMade;
    }

    /// <inheritdoc/>
    public async Task<T> ReadAsync<T>(Func<ICatalogTransaction, T> work, CancellationToken cancellationToken)
    {
        await InterruptAsync();
        return await inner.ReadAsync(work, cancellationToken);
    }

    /// <inheritdoc/>
    public async Task<T> WriteAsync<T>(Func<ICatalogTransaction, T> work, CancellationToken cancellationToken)
    {
        await InterruptAsync();
        return await inner.WriteAsync(work, cancellationToken);
    }

    /// <inheritdoc/>
    public long ReadGeneration() => inner.ReadGeneration();

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => inner.DisposeAsync();

    private async Task InterruptAsync()
    {
        if (Interlocked.Increment(ref _transactions) == _number + 1
            && Interlocked.Exchange(ref _interruption, null) is { } interruption)
        {
            await interruption();
        }
    }
}
