using Benji.Store.Blocks;
using Benji.Store.Blocks.Maps;
using Benji.Store.Catalogs;
using Benji.Store.Model;

namespace Benji.Store.Operations.Cleanup;

/// <summary>Moves the rows of one range of ids along: needed ones back to live, others to candidate, to deleting,
/// away.</summary>
/// <remarks>Every move is made in a transaction that sees the row as it was judged and the lease on cleanup
/// held.</remarks>
internal sealed class CleanupSweep(
    CleanupScope scope, CleanupRoots roots, ICleanupTable table, CleanupCounts counts)
{
    /// <summary>Sweeps a range.</summary>
    /// <param name="range">The ids to look at.</param>
    /// <param name="isNeeded">Whether a version reaches an id; true for all that is needed, exact enough for the
    /// rest.</param>
    /// <param name="cancellationToken">Stops before the next step.</param>
    /// <exception cref="LeaseLostException">The lease on cleanup was superseded.</exception>
    /// <exception cref="StorageException">An object could not be deleted.</exception>
    public async Task RunAsync(IdPartition range, Func<Hash256, bool> isNeeded, CancellationToken cancellationToken)
    {
        var after = range.Before;
        while (true)
        {
            var rows = await scope.Catalog.ReadAsync(
                transaction => table.Scan(transaction, after, CleanupScope.BatchMax), cancellationToken);
            CleanupRow[] mine =
                [.. rows.Where(row => range.Contains(row.Id) && scope.Stores.ContainsKey(row.Storage))];
            await MoveAsync(mine, isNeeded, cancellationToken);
            counts.Progress.Advance(mine.Length);
            if (rows.Count < CleanupScope.BatchMax || !range.Contains(rows[^1].Id))
            {
                return;
            }

            after = rows[^1].Id;
        }
    }

    private async Task MoveAsync(
        CleanupRow[] rows, Func<Hash256, bool> isNeeded, CancellationToken cancellationToken)
    {
        var moves = rows.Select(row => (Row: row, Move: Judge(row, isNeeded(row.Id))))
            .Where(judged => judged.Move != Move.None)
            .ToList();
        if (moves.Count == 0)
        {
            return;
        }

        var claimed = await scope.Catalog.WriteAsync(transaction => Apply(transaction, moves), cancellationToken);
        foreach (var (row, _) in moves.Where(judged => judged.Move == Move.Adopt))
        {
            await table.AdoptAsync(
                scope.Stores[row.Storage], row.Id, scope.Time.GetUtcNow(), cancellationToken);
        }

        foreach (var store in claimed.GroupBy(row => row.Storage))
        {
            await DeleteAsync(scope.Stores[store.Key], [.. store.Select(row => row.Id)], cancellationToken);
        }
    }

    private Move Judge(CleanupRow row, bool isNeeded) => (row.State, isNeeded) switch
    {
        (ReferenceState.Live, true) => Move.None,
        (ReferenceState.Live, false) => Move.ToCandidate,
        (ReferenceState.Candidate, true) => Move.ToLive,

        // An orphan's row says nothing of it. What is needed does not get as far as deleting; if it did, it is kept.
        (_, true) => Move.Adopt,
        (ReferenceState.Deleting, false) => Move.Finish,
        (_, false) => roots.MayGo(row.Since) ? Move.ToDeleting : Move.Wait,
    };

    private List<CleanupRow> Apply(ICatalogTransaction transaction, List<(CleanupRow Row, Move Move)> moves)
    {
        ClaimedDeletion.CheckHeld(transaction, scope.Lease);
        var now = table.Find(transaction, [.. moves.Select(judged => judged.Row.Id)]).ToHashSet();
        var unchanged = moves.Where(judged => now.Contains(judged.Row))
            .ToLookup(judged => judged.Move, judged => judged.Row);
        var claimed = unchanged[Move.ToDeleting].ToList();
        if (claimed.Exists(IsReplaceable) && CleanupRoots.IsAnyRunAlive(transaction))
        {
            claimed.RemoveAll(IsReplaceable);
        }

        Set(transaction, unchanged[Move.ToLive], ReferenceState.Live, scope.Time.GetUtcNow());
        var since = CleanupRoots.Since(transaction, scope.Time);
        Set(transaction, unchanged[Move.ToCandidate], ReferenceState.Candidate, since);
        Set(transaction, claimed, ReferenceState.Deleting, scope.Time.GetUtcNow());
        counts.Waiting += unchanged[Move.ToCandidate].Count() + unchanged[Move.Wait].Count()
            + unchanged[Move.ToDeleting].Count() - claimed.Count;
        counts.Moved += unchanged[Move.ToCandidate].Count();
        claimed.AddRange(unchanged[Move.Finish]);
        return claimed;
    }

    // A run that meets such a row puts the object anew without a word in the catalog, so that only the absence of all
    // runs tells that none is about to.
    private static bool IsReplaceable(CleanupRow row) => row.State == ReferenceState.Orphan || row.IsInvalid;

    private void Set(
        ICatalogTransaction transaction, IEnumerable<CleanupRow> rows, ReferenceState state, DateTimeOffset since)
    {
        Hash256[] ids = [.. rows.Select(row => row.Id)];
        if (ids.Length > 0)
        {
            table.SetState(transaction, ids, state, since);
        }
    }

    private async Task DeleteAsync(OpenedStore store, Hash256[] ids, CancellationToken cancellationToken)
    {
        var bytes = await table.MeasureAsync(store, ids, cancellationToken);
        await table.DeleteAsync(store, ids, scope.Lease, cancellationToken);
        counts.Deleted += ids.Length;
        counts.DeletedBytes += bytes;
    }

    private enum Move
    {
        None,
        ToLive,
        Adopt,
        ToCandidate,
        Wait,
        ToDeleting,
        Finish,
    }
}
