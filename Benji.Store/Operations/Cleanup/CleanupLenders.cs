using Benji.Store.Blocks.Maps;
using Benji.Store.Catalogs;
using Benji.Store.Model;

namespace Benji.Store.Operations.Cleanup;

/// <summary>Gathers the blocks that needed blocks borrow from, and those that these borrow from, to the end; and those that
/// any other block borrows from.</summary>
/// <remarks>A lender is needed as a block of its own, because a backup may find it by its id and use it: so its lenders
/// are needed too. Memory: 8 to 20 bytes a lender. Not safe for concurrent calls.</remarks>
internal sealed class CleanupLenders(CleanupScope scope, CleanupBlocks blocks)
{
    private const int BatchMax = 1000;
    private const int SlotsMax = 1 << 28;

    private readonly FingerprintSet _lenders = new(SlotsMax, isWide: false);
    private readonly FingerprintSet _others = new(SlotsMax, isWide: false);

    /// <summary>True when a needed block borrows from this one.</summary>
    public bool Contains(BlockId id) => _lenders.Contains(id.Hash);

    /// <summary>True when a block that is not reached borrows from this one; also, rarely, when none does.</summary>
    public bool IsBorrowedByOthers(BlockId id) => _others.Contains(id.Hash);

    /// <summary>Adds the lenders of the blocks of one range.</summary>
    public async Task AddAsync(IdPartition range, FingerprintSet reached, CancellationToken cancellationToken)
    {
        var after = range.Before is { } before ? new BlockId(before) : (BlockId?)null;
        while (true)
        {
            var rows = await scope.Catalog.ReadAsync(
                transaction => transaction.BlockReferences.Scan(after, BatchMax), cancellationToken);
            var here = rows.Where(row => range.Contains(row.Id.Hash)).ToLookup(row => reached.Contains(row.Id.Hash));
            await FollowAsync([.. here[true].Where(row => row.Storage == scope.Store.Name)], cancellationToken);
            foreach (var lender in here[false].SelectMany(row => row.Lenders))
            {
                Invariant.Holds(_others.TryAdd(lender.Hash, out _));
            }

            if (rows.Count < BatchMax || !range.Contains(rows[^1].Id.Hash))
            {
                return;
            }

            after = rows[^1].Id;
        }
    }

    private async Task FollowAsync(IReadOnlyList<BlockRow> borrowers, CancellationToken cancellationToken)
    {
        while (borrowers.Count > 0)
        {
            borrowers = await AdoptAsync(borrowers, cancellationToken);
            BlockId[] found = [.. borrowers.SelectMany(row => row.Lenders).Where(IsNew)];
            borrowers = found.Length == 0
                ? []
                : await FindAsync(found, cancellationToken);
        }
    }

    // The row of an orphan does not say from whom it borrows. Only a fault makes one of what is needed.
    private async Task<IReadOnlyList<BlockRow>> AdoptAsync(
        IReadOnlyList<BlockRow> rows, CancellationToken cancellationToken)
    {
        BlockId[] orphans = [.. rows.Where(row => row.State == ReferenceState.Orphan).Select(row => row.Id)];
        foreach (var id in orphans)
        {
            await blocks.AdoptAsync(scope, id.Hash, cancellationToken);
        }

        return orphans.Length == 0 ? rows : await FindAsync([.. rows.Select(row => row.Id)], cancellationToken);
    }

    private Task<IReadOnlyList<BlockRow>> FindAsync(BlockId[] ids, CancellationToken cancellationToken) =>
        scope.Catalog.ReadAsync(
            transaction => (IReadOnlyList<BlockRow>)[.. transaction.BlockReferences.Find(ids).OfType<BlockRow>()],
            cancellationToken);

    private bool IsNew(BlockId lender)
    {
        Invariant.Holds(_lenders.TryAdd(lender.Hash, out var isNew));
        return isNew;
    }
}
