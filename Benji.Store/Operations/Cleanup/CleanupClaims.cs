using Benji.Store.Blocks;
using Benji.Store.Blocks.Sealing;
using Benji.Store.Catalogs;
using Benji.Store.Model;

namespace Benji.Store.Operations.Cleanup;

/// <summary>Gathers the rows that may go, claims them batch by batch and deletes what it claimed.</summary>
/// <remarks>A row is claimed in a transaction that sees it as it was judged, the lease on cleanup held, and nobody who reads
/// without a lease. Not safe for concurrent calls. Format: docs/format.md, "Cleanup".</remarks>
internal sealed class CleanupClaims(CleanupScope scope, ICleanupTable table, CleanupCounts counts)
{
    private readonly CleanupDeletion _deletion = new(scope, counts);
    private readonly List<CleanupRow> _gathered = new(ClaimedDeletion.RowsMax);

    /// <summary>Takes a row that nothing needs and nobody borrows from; it goes now or when enough others came.</summary>
    /// <exception cref="LeaseLostException">The lease on cleanup was superseded.</exception>
    /// <exception cref="AgeMismatchException">Catalog and storage are not of the same age.</exception>
    /// <exception cref="StorageException">The storage failed; the claim stands.</exception>
    public async Task AddAsync(CleanupRow row, CancellationToken cancellationToken)
    {
        _gathered.Add(row);
        if (_gathered.Count == ClaimedDeletion.RowsMax)
        {
            await FlushAsync(cancellationToken);
        }
    }

    /// <summary>Deletes what was gathered.</summary>
    /// <exception cref="LeaseLostException">The lease on cleanup was superseded.</exception>
    /// <exception cref="AgeMismatchException">Catalog and storage are not of the same age.</exception>
    /// <exception cref="StorageException">The storage failed; the claim stands.</exception>
    public async Task FlushAsync(CancellationToken cancellationToken)
    {
        await DeleteAsync(_gathered, (_, isFree) => isFree, cancellationToken);
        _gathered.Clear();
    }

    /// <summary>Claims some of one batch of rows, and deletes those.</summary>
    /// <param name="rows">The rows as they were judged, at most what a claim may name.</param>
    /// <param name="choose">Asked for each row, in order and in the claiming transaction, whether it goes; told whether it may:
    /// one that changed since does not.</param>
    /// <param name="cancellationToken">Stops before the next step.</param>
    /// <exception cref="LeaseLostException">The lease on cleanup was superseded.</exception>
    /// <exception cref="AgeMismatchException">Catalog and storage are not of the same age.</exception>
    /// <exception cref="StorageException">The storage failed; the claim stands.</exception>
    public async Task DeleteAsync(
        IReadOnlyList<CleanupRow> rows, Func<CleanupRow, bool, bool> choose, CancellationToken cancellationToken)
    {
        if (rows.Count > 0
            && await scope.Catalog.WriteAsync(transaction => Claim(transaction, rows, choose), cancellationToken))
        {
            await _deletion.FinishAsync(cancellationToken);
        }
    }

    private bool Claim(
        ICatalogTransaction transaction, IReadOnlyList<CleanupRow> rows, Func<CleanupRow, bool, bool> choose)
    {
        ClaimedDeletion.CheckHeld(transaction, scope.Lease);
        var unchanged = table.Find(transaction, [.. rows.Select(row => row.Id)]).ToHashSet();
        unchanged.IntersectWith(rows);
        var isAnyRunAlive = CleanupRoots.IsAnyRunAlive(transaction);
        if (transaction.Leases.HasReaders())
        {
            counts.Waiting += unchanged.Count;
            unchanged.Clear();
            counts.IsHeldBack = true;
        }

        Hash256[] chosen =
        [
            .. rows.Where(row => choose(row, unchanged.Contains(row) && !(isAnyRunAlive && IsReplaceable(row))))
                .Select(row => row.Id),
        ];
        counts.Waiting += unchanged.Count - chosen.Length;
        if (chosen.Length > 0)
        {
            table.Begin(transaction, scope.Store.Name, chosen, scope.Time.GetUtcNow());
        }

        return chosen.Length > 0;
    }

    // A run that meets such a row puts the object anew without a word in the catalog, so that only the absence of all
    // runs tells that none is about to.
    private static bool IsReplaceable(CleanupRow row) => row.State == ReferenceState.Orphan || row.IsInvalid;
}

/// <summary>Finishes the claim that stands on the store, and counts what went.</summary>
internal sealed class CleanupDeletion(CleanupScope scope, CleanupCounts counts)
{
    private readonly ClaimedDeletion _deletion = new(scope.Store, scope.Catalog, scope.Time);

    /// <summary>Finishes it; nothing happens without a claim.</summary>
    /// <exception cref="LeaseLostException">The lease on cleanup was superseded.</exception>
    /// <exception cref="AgeMismatchException">Catalog and storage are not of the same age.</exception>
    /// <exception cref="StorageException">The storage failed; the claim stands.</exception>
    public async Task FinishAsync(CancellationToken cancellationToken)
    {
        if (await _deletion.FindAsync(scope.Lease, cancellationToken) is not { } claim)
        {
            return;
        }

        var bytes = await MeasureAsync(claim, cancellationToken);
        var deleted = await _deletion.FinishAsync(scope.Lease, cancellationToken);
        Invariant.Holds(deleted is not null);
        counts.Deleted += deleted.Blocks.Count + deleted.Pages.Count + deleted.Deltas.Count;
        counts.DeletedBytes += bytes;
    }

    private async Task<long> MeasureAsync(DeletionClaim claim, CancellationToken cancellationToken)
    {
        var bytes = await scope.Catalog.ReadAsync(
            transaction => transaction.BlockReferences.Find(claim.Blocks).Sum(row => row?.StoredLength ?? 0),
            cancellationToken);
        foreach (var name in claim.Pages.Select(ObjectNames.Page)
            .Concat(claim.Deltas.Select(id => ObjectNames.Block(id, BlockForm.Delta))))
        {
            bytes += (await scope.Store.Storage.FindAsync(name, cancellationToken))?.Size ?? 0;
        }

        return bytes;
    }
}
