using Benji.Store.Blocks;
using Benji.Store.Catalogs;
using Benji.Store.Model;

namespace Benji.Store.Operations.Rebuild;

/// <summary>Marks the blocks that borrow from one that is damaged or missing, or that does not hold what they borrow, and those
/// that borrow from these, to the end.</summary>
/// <remarks>Walks the new catalog once more than the longest chain of them.</remarks>
internal sealed class RebuildBorrowers(OpenedStore store, ICatalog target, RebuildProblems problems)
{
    private const int RowsPerScan = 4096;

    /// <summary>Marks them.</summary>
    /// <returns>How many.</returns>
    public async Task<long> MarkAsync(CancellationToken cancellationToken)
    {
        var marked = 0L;
        for (var more = 1L; more > 0; marked += more)
        {
            more = await MarkOnceAsync(cancellationToken);
        }

        return marked;
    }

    private async Task<long> MarkOnceAsync(CancellationToken cancellationToken)
    {
        var marked = 0L;
        BlockId? after = null;
        while (true)
        {
            var (last, unsound) = await target.ReadAsync(
                transaction => Find(transaction.BlockReferences, after), cancellationToken);
            if (last is null)
            {
                return marked;
            }

            after = last;
            marked += unsound.Count;
            if (unsound.Count > 0)
            {
                await target.WriteAsync(
                    transaction =>
                    {
                        transaction.BlockReferences.SetInvalid(unsound, isInvalid: true);
                        return true;
                    },
                    cancellationToken);
            }
        }
    }

    private (BlockId? Last, IReadOnlyList<BlockId> Unsound) Find(IBlockReferences references, BlockId? after)
    {
        var rows = references.Scan(after, RowsPerScan);
        var unsound = new List<BlockId>();
        foreach (var row in rows.Where(row => row.Loans.Count > 0 && BlockSoundness.IsThere(row, store.Name)))
        {
            var lenders = references.Find([.. row.Lenders]);
            if (!BlockSoundness.IsUsable(row, lenders, store.Name))
            {
                var (loan, _) = row.Loans.Zip(lenders)
                    .First(pair => !BlockSoundness.Covers(pair.Second, pair.First, row.Length, store.Name));
                problems.Add($"Block {row.Id} in storage {store.Name} is damaged: it borrows from {loan.Lender}, which is damaged or "
                    + "missing, or does not hold what is borrowed.");
                unsound.Add(row.Id);
            }
        }

        return (rows.Count > 0 ? rows[^1].Id : null, unsound);
    }
}
