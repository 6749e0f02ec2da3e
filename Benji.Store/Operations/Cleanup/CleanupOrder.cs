using Benji.Store.Blocks;
using Benji.Store.Catalogs;
using Benji.Store.Model;

namespace Benji.Store.Operations.Cleanup;

/// <summary>Keeps back the blocks that others borrow from, and deletes them after those: borrowers before lenders.</summary>
/// <remarks><para>A lender goes only when no borrower of it stays. Else a borrower that stays for another reason would be left
/// behind without the frames, and the lender's id could come back as a delta that does not own them.</para>
/// <para>What is kept back in one pass is counted in one scan of all rows, however long its chains of borrowers are. Not
/// safe for concurrent calls. Memory: 100 to 200 bytes a block kept back.</para></remarks>
internal sealed class CleanupOrder(
    CleanupScope scope, CleanupLenders lenders, CleanupClaims claims, CleanupCounts counts)
{
    /// <summary>Blocks kept back in one pass: 1 TiB of the default size in 50 MiB of memory. More take another pass.</summary>
    public const int RowsMaxDefault = 1 << 18;

    private const int ScanMax = 1000;
    private const int Absent = -1;

    private readonly List<CleanupRow> _rows = [];
    private int[][] _lendersOf = [];
    private int[] _borrowers = [];
    private bool[] _stays = [];

    /// <summary>How many it keeps back; tests make it small.</summary>
    public int RowsMax { get; init; } = RowsMaxDefault;

    /// <summary>True when there were more.</summary>
    public bool IsFull { get; private set; }

    /// <summary>Takes a block that may go when others borrow from it; blocks come in the order of their ids.</summary>
    /// <returns>False when nobody borrows from it.</returns>
    public bool TryDefer(CleanupRow row)
    {
        if (!lenders.IsBorrowedByOthers(new(row.Id)))
        {
            return false;
        }

        if (_rows.Count == RowsMax)
        {
            IsFull = true;
            counts.Waiting++;
            return true;
        }

        Invariant.Holds(_rows.Count == 0 || row.Id > _rows[^1].Id);
        _rows.Add(row);
        return true;
    }

    /// <summary>Deletes what was kept back and has no borrower that stays; those that nobody borrows from are gone.</summary>
    /// <exception cref="LeaseLostException">The lease on cleanup was superseded.</exception>
    /// <exception cref="AgeMismatchException">Catalog and storage are not of the same age.</exception>
    /// <exception cref="StorageException">The storage failed; the claim stands.</exception>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        if (_rows.Count == 0)
        {
            return;
        }

        await CountAsync(cancellationToken);
        foreach (var batch in Sort().Chunk(ClaimedDeletion.RowsMax))
        {
            await claims.DeleteAsync(
                [.. batch.Select(i => _rows[i])], (row, isFree) => Choose(IndexOf(row.Id), isFree), cancellationToken);
        }
    }

    // One scan of all rows: a borrower that is not kept back itself is there to stay.
    private async Task CountAsync(CancellationToken cancellationToken)
    {
        (_lendersOf, _borrowers, _stays) = (new int[_rows.Count][], new int[_rows.Count], new bool[_rows.Count]);
        Array.Fill(_lendersOf, []);
        BlockId? after = null;
        IReadOnlyList<BlockRow> rows;
        do
        {
            var from = after;
            rows = await scope.Catalog.ReadAsync(
                transaction => transaction.BlockReferences.Scan(from, ScanMax), cancellationToken);
            foreach (var row in rows)
            {
                Count(row);
                after = row.Id;
            }
        }
        while (rows.Count == ScanMax);
    }

    private void Count(BlockRow row)
    {
        var borrower = IndexOf(row.Id.Hash);
        int[] found = [.. row.Lenders.Select(id => IndexOf(id.Hash)).Where(i => i != Absent && i != borrower)];
        foreach (var lender in found)
        {
            _stays[lender] |= borrower == Absent;
            _borrowers[lender]++;
        }

        if (borrower != Absent && found.Length > 0)
        {
            _lendersOf[borrower] = found;
        }
    }

    // Lists what may go, borrowers first.
    private List<int> Sort()
    {
        SpreadStays();
        var sorted = new List<int>(_rows.Count);
        sorted.AddRange(Enumerable.Range(0, _rows.Count).Where(i => !_stays[i] && _borrowers[i] == 0));
        for (var next = 0; next < sorted.Count; next++)
        {
            foreach (var lender in _lendersOf[sorted[next]])
            {
                if (--_borrowers[lender] == 0 && !_stays[lender])
                {
                    sorted.Add(lender);
                }
            }
        }

        // What is left borrows in a circle. Only a fault makes one; nothing that is used borrows from it.
        sorted.AddRange(Enumerable.Range(0, _rows.Count).Where(i => !_stays[i] && _borrowers[i] > 0));
        return sorted;
    }

    // Who lends to a block that stays, stays.
    private void SpreadStays()
    {
        var waiting = new Stack<int>(Enumerable.Range(0, _rows.Count).Where(i => _stays[i]));
        while (waiting.TryPop(out var borrower))
        {
            counts.Waiting++;
            foreach (var lender in _lendersOf[borrower].Where(lender => !_stays[lender]))
            {
                _stays[lender] = true;
                waiting.Push(lender);
            }
        }
    }

    // A block that changed since it was judged stays, and so do its lenders, which come after it.
    private bool Choose(int index, bool isFree)
    {
        if (isFree && !_stays[index])
        {
            return true;
        }

        foreach (var lender in _lendersOf[index])
        {
            _stays[lender] = true;
        }

        return false;
    }

    private int IndexOf(Hash256 id)
    {
        var (low, high) = (0, _rows.Count - 1);
        while (low <= high)
        {
            var middle = (low + high) / 2;
            var order = _rows[middle].Id.CompareTo(id);
            if (order == 0)
            {
                return middle;
            }

            (low, high) = order < 0 ? (middle + 1, high) : (low, middle - 1);
        }

        return Absent;
    }
}
