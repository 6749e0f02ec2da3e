using Benji.Store.Blocks;
using Benji.Store.Blocks.Maps;
using Benji.Store.Catalogs;
using Benji.Store.Model;

namespace Benji.Store.Operations.Cleanup;

/// <summary>Moves the rows of one range of ids along: needed ones back to live, others to candidate; those that may go are
/// handed on.</summary>
/// <remarks>Every move is made in a transaction that sees the row as it was judged and the lease on cleanup
/// held.</remarks>
/// <param name="scope">What the cleanup works with.</param>
/// <param name="roots">What the pass goes by.</param>
/// <param name="table">The table.</param>
/// <param name="claims">Takes the rows that go.</param>
/// <param name="tryDefer">Takes those of them that must go after others.</param>
/// <param name="counts">What was done so far.</param>
internal sealed class CleanupSweep(
    CleanupScope scope,
    CleanupRoots roots,
    ICleanupTable table,
    CleanupClaims claims,
    Func<CleanupRow, bool> tryDefer,
    CleanupCounts counts)
{
    /// <summary>Sweeps a range.</summary>
    /// <param name="range">The ids to look at.</param>
    /// <param name="isNeeded">Whether a version reaches an id; true for all that is needed, exact enough for the
    /// rest.</param>
    /// <param name="cancellationToken">Stops before the next step.</param>
    /// <exception cref="LeaseLostException">The lease on cleanup was superseded.</exception>
    /// <exception cref="AgeMismatchException">Catalog and storage are not of the same age.</exception>
    /// <exception cref="StorageException">The storage failed; the claim stands.</exception>
    public async Task RunAsync(IdPartition range, Func<Hash256, bool> isNeeded, CancellationToken cancellationToken)
    {
        var after = range.Before;
        while (true)
        {
            var rows = await scope.Catalog.ReadAsync(
                transaction => table.Scan(transaction, after, CleanupScope.BatchMax), cancellationToken);
            CleanupRow[] mine =
                [.. rows.Where(row => range.Contains(row.Id) && row.Storage == scope.Store.Name)];
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

        if (moves.Exists(judged => judged.Move is Move.ToLive or Move.ToCandidate or Move.WaitFromNow))
        {
            await scope.Catalog.WriteAsync(transaction => Apply(transaction, moves), cancellationToken);
        }

        foreach (var (row, move) in moves)
        {
            if (move == Move.Adopt)
            {
                await table.AdoptAsync(scope, row.Id, cancellationToken);
            }
            else if (move is Move.Wait or Move.WaitFromNow)
            {
                counts.Waiting++;
            }
            else if (move == Move.ToDeleting && !tryDefer(row))
            {
                await claims.AddAsync(row, cancellationToken);
            }
        }
    }

    private Move Judge(CleanupRow row, bool isNeeded) => (row.State, isNeeded) switch
    {
        (ReferenceState.Live, true) => Move.None,
        (ReferenceState.Live, false) => Move.ToCandidate,
        (ReferenceState.Candidate, true) => Move.ToLive,

        // An orphan's row says nothing of it. What is needed does not get as far as deleting; if it did, it is kept.
        (_, true) => Move.Adopt,

        // No claim stands any more, so that this is a fault; somebody may wait for the row to go.
        (ReferenceState.Deleting, false) => Move.ToDeleting,
        (_, false) when roots.MayGo(row.Since) => Move.ToDeleting,
        (_, false) => roots.IsAhead(row.Since) ? Move.WaitFromNow : Move.Wait,
    };

    private bool Apply(ICatalogTransaction transaction, List<(CleanupRow Row, Move Move)> moves)
    {
        ClaimedDeletion.CheckHeld(transaction, scope.Lease);
        var now = table.Find(transaction, [.. moves.Select(judged => judged.Row.Id)]).ToHashSet();
        var unchanged = moves.Where(judged => now.Contains(judged.Row))
            .ToLookup(judged => judged.Move, judged => judged.Row);
        Set(transaction, unchanged[Move.ToLive], ReferenceState.Live, scope.Time.GetUtcNow());
        var since = CleanupRoots.Since(transaction, scope.Time);
        Set(transaction, unchanged[Move.ToCandidate], ReferenceState.Candidate, since);
        foreach (var rows in unchanged[Move.WaitFromNow].GroupBy(row => row.State))
        {
            Set(transaction, rows, rows.Key, since);
        }

        counts.Waiting += unchanged[Move.ToCandidate].Count();
        counts.Moved += unchanged[Move.ToCandidate].Count();
        return true;
    }

    private void Set(
        ICatalogTransaction transaction, IEnumerable<CleanupRow> rows, ReferenceState state, DateTimeOffset since)
    {
        Hash256[] ids = [.. rows.Select(row => row.Id)];
        if (ids.Length > 0)
        {
            table.SetState(transaction, ids, state, since);
        }
    }

    private enum Move
    {
        None,
        ToLive,
        Adopt,
        ToCandidate,
        Wait,

        /// <summary>Its time was ahead of the clock and counts as now.</summary>
        WaitFromNow,
        ToDeleting,
    }
}
