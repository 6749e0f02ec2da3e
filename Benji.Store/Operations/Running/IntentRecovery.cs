using Benji.Store.Blocks;
using Benji.Store.Catalogs;

namespace Benji.Store.Operations.Running;

/// <summary>Finishes what runs that died left half done: versions that were about to appear or to go.</summary>
/// <remarks>Safe beside living runs and beside itself in other processes: an intent is taken under its version's lease.
/// Format: docs/format.md, "Order of writes".</remarks>
internal sealed class IntentRecovery(StoreContext context)
{
    /// <summary>Finishes every intent whose run is dead; costs one read of the catalog when there is none.</summary>
    /// <returns>How many were finished.</returns>
    public async Task<int> RunAsync(CancellationToken cancellationToken)
    {
        var abandoned = await context.Catalog.ReadAsync(FindAbandoned, cancellationToken);
        var finished = 0;
        foreach (var intent in abandoned)
        {
            finished += await FinishAsync(intent, cancellationToken) ? 1 : 0;
        }

        return finished;
    }

    private static List<Intent> FindAbandoned(ICatalogTransaction transaction)
    {
        var intents = transaction.Intents.List();
        if (intents.Count == 0)
        {
            return [];
        }

        var held = transaction.Leases.List("").Select(lease => lease.Fencing).ToHashSet();
        return [.. intents.Where(intent => !held.Contains(intent.Fencing))];
    }

    private async Task<bool> FinishAsync(Intent intent, CancellationToken cancellationToken)
    {
        // The intent is looked at again in the transaction that takes the lease: another process may have finished it.
        var lease = await context.Catalog.WriteAsync(
            transaction => FindAbandoned(transaction).Exists(intent.IsSame)
                && transaction.Leases.TryAcquire(
                    LeaseResource.Version(intent.VersionId),
                    LeaseMode.Exclusive,
                    $"recovery of {intent.Name}",
                    out var taken,
                    out _)
                ? taken
                : null,
            cancellationToken);
        if (lease is null)
        {
            return false;
        }

        await using var held = HeldLease.Hold(context.Catalog, lease, context.Time);
        var store = await context.Stores.OpenAsync(intent.Storage, cancellationToken);
        var manifests = new ManifestStore(store);
        if (intent.Kind == IntentKind.Publish)
        {
            await FinishPublishAsync(intent, manifests, cancellationToken);
        }
        else
        {
            await FinishRemovalAsync(intent, manifests, cancellationToken);
        }

        Log.IntentFinished(context.Logger, intent.Kind, intent.Name);
        return true;
    }

    private async Task FinishPublishAsync(Intent intent, ManifestStore manifests, CancellationToken cancellationToken)
    {
        var manifest = await manifests.FindAsync(intent.Name, cancellationToken);
        await context.Catalog.WriteAsync(
            transaction =>
            {
                if (manifest is not null
                    && manifest.Id == intent.VersionId
                    && transaction.Versions.Find(intent.VersionId) is null)
                {
                    transaction.Versions.Add(manifest);
                    if (intent.OverlayId is { } overlay)
                    {
                        transaction.Overlays.Remove(overlay);
                    }
                }

                transaction.Intents.Remove(intent.VersionId);
                return true;
            },
            cancellationToken);
    }

    private async Task FinishRemovalAsync(Intent intent, ManifestStore manifests, CancellationToken cancellationToken)
    {
        await manifests.DeleteAsync(intent.Name, cancellationToken);
        await context.Catalog.WriteAsync(
            transaction =>
            {
                transaction.Versions.Remove(intent.VersionId);
                transaction.Intents.Remove(intent.VersionId);
                return true;
            },
            cancellationToken);
    }
}
