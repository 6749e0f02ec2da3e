using Benji.Store.Blocks;
using Benji.Store.Catalogs;
using Benji.Store.Model;

namespace Benji.Store.Operations.Cleanup;

/// <summary>Notes what a complete pass over a storage has settled: which rows are in doubt, and whether there are
/// strays.</summary>
/// <remarks>After the pass a row that is live is needed by a version of the moment R at which the pass read the catalog, or
/// is of a run that was alive at R or began later; every object that lay there at R has a row. A run that ended in between
/// without a version counts itself: then all stays as it is, and the next pass settles it. Format: docs/format.md,
/// "Age".</remarks>
internal sealed class CleanupDoubt(CleanupScope scope, CleanupRoots roots)
{
    /// <summary>Notes it.</summary>
    /// <param name="isListed">True when every object that was listed has a row.</param>
    /// <param name="cancellationToken">Stops the wait for the catalog.</param>
    /// <exception cref="LeaseLostException">The lease on cleanup was superseded.</exception>
    public async Task SettleAsync(bool isListed, CancellationToken cancellationToken)
    {
        if (roots.Binding is { DoubtFrom: null, HoldsStrays: false } && roots.DeadReservations.Count == 0)
        {
            return;
        }

        await scope.Catalog.WriteAsync(
            transaction =>
            {
                ClaimedDeletion.CheckHeld(transaction, scope.Lease);
                Settle(transaction, hasNoStrays: isListed && roots.OldestRun is null);
                return true;
            },
            cancellationToken);
    }

    private void Settle(ICatalogTransaction transaction, bool hasNoStrays)
    {
        if (transaction.StorageBindings.Find(scope.Store.Name) is not { } binding
            || binding.Doubts != roots.Binding?.Doubts)
        {
            return;
        }

        transaction.StorageBindings.Put(binding with
        {
            DoubtFrom = roots.OldestRun is { } oldest && binding.DoubtFrom is { } doubt
                ? (oldest > doubt ? oldest : doubt)
                : null,
            HoldsStrays = binding.HoldsStrays && !hasNoStrays,
        });
        if (hasNoStrays)
        {
            foreach (var reservation in roots.DeadReservations)
            {
                transaction.DeltaReservations.Remove(reservation);
            }
        }
    }
}
