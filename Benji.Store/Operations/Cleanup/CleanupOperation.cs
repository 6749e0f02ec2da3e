using Benji.Store.Blocks;
using Benji.Store.Catalogs;
using Benji.Store.Model;
using Benji.Store.Operations.Running;

namespace Benji.Store.Operations.Cleanup;

/// <summary>Deletes what no version has needed for the grace period, and what killed runs left.</summary>
/// <remarks>Straight path: docs/house.md, section 7. How it goes beside running backups: <see
/// cref="CleanupRun"/>.</remarks>
internal sealed class CleanupOperation(StoreContext context, CleanupRequest request, IOperationProgress progress)
{
    /// <summary>Cleans up every storage that this catalog was used with.</summary>
    /// <exception cref="UsageException">The grace period is negative.</exception>
    /// <exception cref="InUseException">Another cleanup is under way.</exception>
    /// <exception cref="AgeMismatchException">A storage and the catalog are not of the same age.</exception>
    /// <exception cref="ConfigurationException">A storage holds versions that the catalog does not know.</exception>
    /// <exception cref="CorruptDataException">A map page is missing or damaged: what hangs below it is not
    /// known.</exception>
    /// <exception cref="LeaseLostException">The lease was superseded; nothing more is deleted.</exception>
    /// <exception cref="StorageException">A storage failed; what was begun goes on next time.</exception>
    public async Task<CleanupResult> RunAsync(CancellationToken cancellationToken)
    {
        var grace = request.OlderThan ?? context.Settings.CleanupGracePeriod;
        if (grace < TimeSpan.Zero)
        {
            throw new UsageException($"The grace period of a cleanup cannot be negative: {grace}.");
        }

        await using var lease = await HeldLease.AcquireAsync(
            context.Catalog, context.Time, LeaseResource.Cleanup, LeaseMode.Exclusive, "cleanup", cancellationToken);
        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, lease.Lost);
        try
        {
            await new IntentRecovery(context).RunAsync(stopping.Token);
            var scope = new CleanupScope(
                context.Catalog, await OpenStoresAsync(stopping.Token), lease.Lease, context.Time);
            var result = await new CleanupRun(scope, grace, progress).RunAsync(stopping.Token);
            Log.CleanupDone(
                context.Logger, result.ObjectsDeleted, result.BytesDeleted, result.ObjectsWaiting, result.OrphansFound);
            return result;
        }
        catch (OperationCanceledException cause) when (lease.Lost.IsCancellationRequested)
        {
            throw new LeaseLostException("The cleanup lost its lease to another run; it deletes nothing more.", cause);
        }
    }

    // A storage that was never used has nothing to clean, and opening it would make a store of it.
    private async Task<IReadOnlyDictionary<string, OpenedStore>> OpenStoresAsync(CancellationToken cancellationToken)
    {
        var used = await context.Catalog.ReadAsync(
            transaction => context.Stores.Names
                .Where(name => transaction.StorageBindings.Find(name) is not null)
                .ToList(),
            cancellationToken);
        var stores = new Dictionary<string, OpenedStore>();
        foreach (var name in used)
        {
            stores.Add(name, (await context.Stores.OpenForChangeAsync(name, cancellationToken)).Store);
        }

        return stores;
    }
}
