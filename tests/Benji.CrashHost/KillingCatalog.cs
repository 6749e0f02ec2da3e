using Benji.Store.Catalogs;

namespace Benji.CrashHost;

/// <summary>A catalog with a point to die at before and after every transaction that may write.</summary>
internal sealed class KillingCatalog(ICatalog inner, KillPoints points) : ICatalog
{
    public LeaseOwner Owner => inner.Owner;

    public Task<T> ReadAsync<T>(Func<ICatalogTransaction, T> work, CancellationToken cancellationToken) =>
        inner.ReadAsync(work, cancellationToken);

    public async Task<T> WriteAsync<T>(Func<ICatalogTransaction, T> work, CancellationToken cancellationToken)
    {
        points.Pass();
        var result = await inner.WriteAsync(work, cancellationToken);
        points.Pass();
        return result;
    }

    public long ReadGeneration() => inner.ReadGeneration();

    public ValueTask DisposeAsync() => inner.DisposeAsync();
}
