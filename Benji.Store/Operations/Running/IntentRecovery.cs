using Benji.Store.Blocks;
using Benji.Store.Catalogs;
using Benji.Store.Model;

namespace Benji.Store.Operations.Running;

/// <summary>Finishes what runs that died left half done: versions that were about to appear or to go.</summary>
/// <remarks>Safe beside living runs and beside itself in other processes: an intent is taken under its version's lease.
/// Format: docs/format.md, "Order of writes", "Age".</remarks>
internal sealed class IntentRecovery(StoreContext context)
{
    // A storage that takes so long for one intent hangs, as a network file system does whose server is away.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <summary>Finishes every intent whose run is dead and whose storage allows it; costs one read of the catalog when there is
    /// none.</summary>
    /// <remarks>What cannot be finished now is a line in the log, once in a command: it concerns one version, and stays for the
    /// next one. A storage that hangs holds up nothing of the others.</remarks>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var abandoned = await context.Catalog.ReadAsync(FindAbandoned, cancellationToken);
        var storages = abandoned.GroupBy(intent => intent.Storage);
        foreach (var storage in storages.Where(group => !context.Hanging.ContainsKey(group.Key)))
        {
            try
            {
                foreach (var intent in storage)
                {
                    await TryFinishAsync(intent, cancellationToken);
                }
            }
            catch (TimeoutException)
            {
                context.Hanging.TryAdd(storage.Key, true);
                Log.StorageHangs(context.Logger, storage.Key, Patience.TotalSeconds);
            }
        }
    }

    // A call that hangs cannot be taken back: its thread is left to it, and what it would do is safe beside other runs.
    private async Task TryFinishAsync(Intent intent, CancellationToken cancellationToken)
    {
        try
        {
            var finishing = Task.Run(() => FinishAsync(intent, cancellationToken), cancellationToken);
            await finishing.WaitAsync(Patience, context.Time, cancellationToken);
        }
        catch (BenjiException failure) when (failure is not CatalogException)
        {
            if (context.Unfinished.TryAdd(intent.VersionId, true))
            {
                Log.IntentUnfinished(context.Logger, intent.Kind, intent.Name, intent.Storage, failure);
            }
        }
    }

    /// <summary>Finishes the promotion of an overlay when the run that began it is dead.</summary>
    /// <returns>False when there is none, or somebody is at work on it.</returns>
    /// <exception cref="AgeMismatchException">Catalog and storage are not of the same age.</exception>
    /// <exception cref="StorageException">The storage failed.</exception>
    public async Task<bool> FinishPromotionAsync(Guid overlayId, CancellationToken cancellationToken)
    {
        var abandoned = await context.Catalog.ReadAsync(FindAbandoned, cancellationToken);
        return abandoned.Find(intent => intent.OverlayId == overlayId) is { } promotion
            && await FinishAsync(promotion, cancellationToken);
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
        var end = intent.Kind == IntentKind.Publish
            ? await PreparePublishAsync(intent, cancellationToken)
            : await PrepareRemovalAsync(intent, cancellationToken);
        var isFinished = await context.Catalog.WriteAsync(
            transaction =>
            {
                // Under the lease nobody else ends it.
                if (!transaction.Leases.IsHeld(lease))
                {
                    return false;
                }

                Invariant.Holds(transaction.Intents.List().Any(intent.IsSame));
                return end(transaction);
            },
            cancellationToken);
        if (isFinished)
        {
            Log.IntentFinished(context.Logger, intent.Kind, intent.Name);
        }

        return isFinished;
    }

    // Answers how the intent ends, and in the transaction whether it does. One without a mark never put a manifest.
    private async Task<Func<ICatalogTransaction, bool>> PreparePublishAsync(Intent intent, CancellationToken cancellationToken)
    {
        if (intent.Mark is not { } mark)
        {
            return Forget;
        }

        var age = await context.Stores.OpenForChangeAsync(intent.Storage, cancellationToken);
        var manifests = new ManifestStore(age.Store);
        var manifest = await manifests.FindAsync(intent.Name, cancellationToken);
        if (manifest is null || manifest.Id != intent.VersionId)
        {
            return Forget;
        }

        await age.PutAsync(mark, cancellationToken);
        await age.LookAsync(cancellationToken);

        // Blocks may have been marked as damaged after the run had written what it is.
        var watch = new DamageWatch(context, age.Store);
        if (manifest.Status == VersionStatus.Valid && await watch.FindAsync(manifest) is not { Count: 0 })
        {
            manifest = manifest with { Status = VersionStatus.Invalid, Revision = manifest.Revision + 1 };
            if (!await manifests.TryReplaceAsync(manifest, cancellationToken))
            {
                throw ForeignManifest.Refusal(age.Store, intent.Name, "It was not published.");
            }
        }

        return transaction =>
        {
            if (watch.IsOutdated(transaction))
            {
                return false;
            }

            IntentLedger.Publish(transaction, intent, manifest, context.Time.GetUtcNow());
            return true;
        };

        bool Forget(ICatalogTransaction transaction)
        {
            IntentLedger.Forget(transaction, intent, context.Time.GetUtcNow());
            return true;
        }
    }

    private async Task<Func<ICatalogTransaction, bool>> PrepareRemovalAsync(Intent intent, CancellationToken cancellationToken)
    {
        var age = await context.Stores.OpenForChangeAsync(intent.Storage, cancellationToken);
        await new ManifestStore(age.Store).DeleteAsync(intent.Name, intent.VersionId, cancellationToken);
        await age.PutAsync(intent.Mark!.Value, cancellationToken);
        return transaction =>
        {
            IntentLedger.Remove(transaction, intent, context.Time.GetUtcNow());
            return true;
        };
    }
}
