using Benji.Store.Catalogs;
using Benji.Store.Model;

namespace Benji.Store.Operations.Running;

/// <summary>A lease that is renewed for as long as somebody holds this, and given up at its end.</summary>
/// <remarks>Losing it cancels <see cref="Lost"/>; whoever publishes checks it again in that transaction.</remarks>
internal sealed class HeldLease : IAsyncDisposable
{
    private static readonly TimeSpan RenewalInterval = TimeSpan.FromSeconds(10);

    private readonly ICatalog _catalog;
    private readonly CancellationTokenSource _lost = new();
    private readonly CancellationTokenSource _ended = new();
    private readonly Task _renewal;

    private HeldLease(ICatalog catalog, Lease lease, TimeProvider time)
    {
        _catalog = catalog;
        Lease = lease;
        _renewal = RenewAsync(time);
    }

    /// <summary>The lease.</summary>
    public Lease Lease { get; }

    /// <summary>Cancelled when the lease was superseded.</summary>
    public CancellationToken Lost => _lost.Token;

    /// <summary>Takes over a lease that a transaction acquired.</summary>
    public static HeldLease Hold(ICatalog catalog, Lease lease, TimeProvider time) => new(catalog, lease, time);

    /// <summary>Claims a resource in a transaction of its own.</summary>
    /// <exception cref="InUseException">Another run holds it.</exception>
    public static async Task<HeldLease> AcquireAsync(
        ICatalog catalog,
        TimeProvider time,
        string resource,
        LeaseMode mode,
        string purpose,
        CancellationToken cancellationToken)
    {
        var lease = await catalog.WriteAsync(
            transaction => AcquireIn(transaction, resource, mode, purpose), cancellationToken);
        return new HeldLease(catalog, lease, time);
    }

    /// <summary>Claims a resource inside a transaction; <see cref="Hold"/> then takes the lease over.</summary>
    /// <exception cref="InUseException">Another run holds it.</exception>
    public static Lease AcquireIn(ICatalogTransaction transaction, string resource, LeaseMode mode, string purpose)
    {
        if (transaction.Leases.TryAcquire(resource, mode, purpose, out var lease, out var holder))
        {
            return lease;
        }

        throw InUse(purpose, holder);
    }

    /// <summary>Refuses with the name of the holder.</summary>
    public static InUseException InUse(string purpose, Lease? holder) =>
        new(holder is null
            ? $"Cannot start {purpose}: another run is using it."
            : $"Cannot start {purpose}: {holder.Purpose} is under way (process {holder.Owner.ProcessId} on " +
              $"{holder.Owner.Host}, since {holder.Started:yyyy-MM-dd HH:mm:ss}Z).");

    /// <summary>Stops the renewal and gives the lease up.</summary>
    public async ValueTask DisposeAsync()
    {
        await _ended.CancelAsync();
        await _renewal;
        await ReleaseAsync();
        _ended.Dispose();
        _lost.Dispose();
    }

    private async Task ReleaseAsync()
    {
        try
        {
            await _catalog.WriteAsync(
                transaction =>
                {
                    transaction.Leases.Release(Lease);
                    return true;
                },
                CancellationToken.None);
        }
        catch (CatalogException failure) when (failure.IsDiskFull)
        {
            // It ends with this process; what was done under it is no less done.
        }
    }

    private async Task RenewAsync(TimeProvider time)
    {
        try
        {
            // A cancelled wait that throws would cost every command a stack trace with symbols, 20 ms, at its end.
            while (await WaitAsync(time))
            {
                if (!await TryRenewAsync())
                {
                    await _lost.CancelAsync();
                    return;
                }
            }
        }
        catch (OperationCanceledException) when (_ended.IsCancellationRequested)
        {
            // The holder is done.
        }
        catch (CatalogException)
        {
            // A catalog that cannot be written cannot be published to either: the run ends as if the lease were lost.
            await _lost.CancelAsync();
        }
    }

    private async Task<bool> TryRenewAsync()
    {
        try
        {
            return await _catalog.WriteAsync(transaction => transaction.Leases.Renew(Lease), _ended.Token);
        }
        catch (CatalogException failure) when (failure.IsDiskFull)
        {
            // On this host a lease stands as long as its process, renewed or not; whoever publishes asks for it again.
            return true;
        }
    }

    private async Task<bool> WaitAsync(TimeProvider time)
    {
        await Task.Delay(RenewalInterval, time, _ended.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return !_ended.IsCancellationRequested;
    }
}
