using Benji.Store.Catalogs;
using Benji.Store.Model;

namespace Benji.Store.Blocks.Writing;

/// <summary>What the catalog says of a block that is about to be stored.</summary>
internal enum BlockStanding
{
    /// <summary>It is not stored.</summary>
    Absent,

    /// <summary>It is stored and sound, and stays so for this run.</summary>
    Stored,

    /// <summary>An object of it may be there, but must not be relied on: it is stored again, whole.</summary>
    Doubtful,
}

/// <summary>A block as a run saw it at its last look.</summary>
/// <param name="Standing">What may be done with it.</param>
/// <param name="Row">Its row; null for none.</param>
internal readonly record struct BlockSight(BlockStanding Standing, BlockRow? Row);

/// <summary>Looks blocks up in the catalog in the way that keeps cleanup from deleting what a run uses, and in the storage
/// where the catalog alone does not tell.</summary>
/// <remarks>Safe for concurrent calls. Format: docs/format.md, "Cleanup", "Delta block", "Age".</remarks>
internal sealed class BlockLedger(OpenedStore store, ICatalog catalog, StoringRun run, TimeProvider time)
{
    private readonly PendingDeletions _deletions = new(store, catalog, time);
    private readonly StorageLook _storage = new(store);
    private Task<bool>? _hasDoubt;

    /// <summary>Looks a block up, waits while it is being deleted, makes a candidate live again with all that it needs, and
    /// looks for the objects of those that are in doubt.</summary>
    /// <param name="id">The block.</param>
    /// <param name="mustLook">True to look for its object however its row stands.</param>
    /// <param name="cancellationToken">Stops before the next step.</param>
    /// <exception cref="CatalogException">The catalog failed.</exception>
    /// <exception cref="StorageException">The storage failed.</exception>
    public async ValueTask<BlockSight> FindAsync(BlockId id, bool mustLook, CancellationToken cancellationToken)
    {
        while (true)
        {
            var seen = await catalog.ReadAsync(transaction => Look(transaction, id), cancellationToken);
            if (seen.Row is null)
            {
                return new BlockSight(BlockStanding.Absent, null);
            }

            var doubts = seen.Doubts;
            if (seen.MustClaim)
            {
                seen = seen.Row.State == ReferenceState.Deleting ? default : await catalog.WriteAsync(
                    transaction => Claim(transaction, id), cancellationToken);
                doubts = [.. doubts, .. seen.Doubts ?? []];
            }

            if (seen.Doubts is null)
            {
                await _deletions.WaitAsync([id], cancellationToken);
                continue;
            }

            return seen is { IsUsable: true, Row: { } row }
                && await _storage.AreThereAsync(doubts, cancellationToken)
                && (!mustLook || await _storage.IsThereAsync(row, cancellationToken))
                ? new BlockSight(BlockStanding.Stored, row)
                : new BlockSight(BlockStanding.Doubtful, seen.Row);
        }
    }

    /// <summary>Chooses the blocks that <see cref="FindAsync"/> must be asked about before a version takes them over unread: those
    /// that may not be used as they stand, and those in doubt.</summary>
    /// <exception cref="CatalogException">The catalog failed.</exception>
    public Task<IReadOnlyList<BlockId>> FindDoubtfulAsync(
        IReadOnlyList<BlockId> ids, CancellationToken cancellationToken) => catalog.ReadAsync<IReadOnlyList<BlockId>>(
            transaction =>
                [.. ids.Where(id => Look(transaction, id) is not { IsUsable: true, MustClaim: false, Doubts.Count: 0 })],
            cancellationToken);

    /// <summary>Says whether any row was in doubt when this was asked first: a run that began later is another's affair.</summary>
    /// <exception cref="CatalogException">The catalog failed.</exception>
    public Task<bool> HasDoubtAsync(CancellationToken cancellationToken) => _hasDoubt ??= catalog.ReadAsync(
        transaction => transaction.StorageBindings.Find(store.Name)?.DoubtFrom is not null, cancellationToken);

    /// <summary>Says whether a storage holds an object of a block in either form, though no row tells of it.</summary>
    /// <exception cref="StorageException">The storage failed.</exception>
    public ValueTask<bool> HasStrayAsync(BlockId id, CancellationToken cancellationToken) =>
        _storage.HoldsAnyAsync(id, cancellationToken);

    /// <summary>Says whether each lender covers its loan, is live, and there where that is in doubt: such a delta may be
    /// planned.</summary>
    /// <exception cref="CatalogException">The catalog failed.</exception>
    /// <exception cref="StorageException">The storage failed.</exception>
    public async ValueTask<bool> MayBorrowAsync(
        IReadOnlyList<Loan> loans, int length, CancellationToken cancellationToken)
    {
        var doubts = await catalog.ReadAsync(
            transaction =>
            {
                var doubtFrom = transaction.StorageBindings.Find(store.Name)?.DoubtFrom;
                return MayBorrow(transaction.BlockReferences, loans, length, store.Name)
                    ? transaction.BlockReferences.Find([.. loans.Select(loan => loan.Lender)])
                        .Where(lender => IsInDoubt(lender!, doubtFrom)).ToList()
                    : null;
            },
            cancellationToken);
        return doubts is not null && await _storage.AreThereAsync(doubts!, cancellationToken);
    }

    /// <summary>Says the same in a transaction.</summary>
    public static bool MayBorrow(
        IBlockReferences references, IReadOnlyList<Loan> loans, int length, string storage) => references
            .Find([.. loans.Select(loan => loan.Lender)])
            .Zip(loans)
            .All(pair => pair.First?.State == ReferenceState.Live
                && BlockSoundness.Covers(pair.First, pair.Second, length, storage));

    /// <summary>Notes blocks that this run has put itself: their objects are not looked for.</summary>
    public void NotePut(IEnumerable<BlockId> ids) => _storage.Note(ids);

    private Sight Look(ICatalogTransaction transaction, BlockId id)
    {
        var references = transaction.BlockReferences;
        var row = references.Find([id])[0];
        if (row is null)
        {
            return new Sight(null, IsUsable: false, MustClaim: false, []);
        }

        var lenders = references.Find([.. row.Lenders]);
        var isUsable = BlockSoundness.IsUsable(row, lenders, store.Name);
        var mustClaim = row.State != ReferenceState.Live
            || (isUsable && lenders.Any(lender => lender!.State != ReferenceState.Live));
        if (!isUsable)
        {
            return new Sight(row, isUsable, mustClaim, []);
        }

        var doubtFrom = transaction.StorageBindings.Find(store.Name)?.DoubtFrom;
        return new Sight(row, isUsable, mustClaim, [.. lenders.Prepend(row).Where(used => IsInDoubt(used!, doubtFrom))!]);
    }

    // A candidate may have been one when an older copy of the storage was made, and its object gone since.
    private static bool IsInDoubt(BlockRow row, DateTimeOffset? doubtFrom) =>
        row.State == ReferenceState.Candidate || row.Since >= doubtFrom;

    // Takes the block out of cleanup's reach; nothing at all when cleanup has it, or had it.
    private Sight Claim(ICatalogTransaction transaction, BlockId id)
    {
        var seen = Look(transaction, id);
        var references = transaction.BlockReferences;
        switch (seen.Row?.State)
        {
            case null or ReferenceState.Deleting:
                return default;

            case ReferenceState.Orphan:
                // Without a row nothing deletes the object while this run, which is younger than the orphan, is alive.
                references.Remove([id]);
                return new Sight(null, IsUsable: false, MustClaim: false, []);

            default:
                references.SetState(
                    seen.IsUsable ? ListCandidates(references, seen.Row) : [id], ReferenceState.Live, run.Stamp(time));
                return seen with { Row = references.Find([id])[0] };
        }
    }

    // The block and all that it needs, at every remove, as far as they are candidates. What needs itself is met once.
    private static BlockId[] ListCandidates(IBlockReferences references, BlockRow row)
    {
        var met = new HashSet<BlockId> { row.Id };
        var candidates = new List<BlockId>();
        for (IReadOnlyList<BlockRow> rows = [row]; rows.Count > 0;)
        {
            candidates.AddRange(rows.Where(met => met.State == ReferenceState.Candidate).Select(met => met.Id));
            rows = [.. references.Find([.. rows.SelectMany(met => met.Lenders).Where(met.Add)]).OfType<BlockRow>()];
        }

        return [.. candidates];
    }

    private readonly record struct Sight(
        BlockRow? Row, bool IsUsable, bool MustClaim, IReadOnlyList<BlockRow> Doubts);
}
