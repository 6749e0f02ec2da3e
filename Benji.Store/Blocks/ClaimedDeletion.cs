using Benji.Store.Blocks.Age;
using Benji.Store.Blocks.Sealing;
using Benji.Store.Catalogs;
using Benji.Store.Model;
using Benji.Store.Storages;

namespace Benji.Store.Blocks;

/// <summary>Deletes what the claim on a storage names: an age mark goes first, then the objects, then the rows.</summary>
/// <remarks>A claim stands from the transaction that moves its rows to <see cref="ReferenceState.Deleting"/> to the one that
/// removes them. Whatever ends its owner in between, the next who holds the lease on cleanup finishes all of it: each step
/// may be done again. Safe for concurrent calls. Format: docs/format.md, "Cleanup".</remarks>
internal sealed class ClaimedDeletion(OpenedStore store, ICatalog catalog, TimeProvider time)
{
    /// <summary>What one claim names at most.</summary>
    public const int RowsMax = 256;

    private readonly AgeWatch _age = new(store, catalog, time);

    /// <summary>Claims blocks and pages, in the transaction that sees that nothing needs them.</summary>
    /// <param name="transaction">It has checked the lease on cleanup, too.</param>
    /// <param name="storage">A storage without a claim.</param>
    /// <param name="blocks">Blocks that stand in it; the objects of both forms go.</param>
    /// <param name="pages">Pages that stand in it.</param>
    /// <param name="now">The time.</param>
    public static void Begin(
        ICatalogTransaction transaction,
        string storage,
        IReadOnlyList<BlockId> blocks,
        IReadOnlyList<PageId> pages,
        DateTimeOffset now)
    {
        transaction.BlockReferences.SetState(blocks, ReferenceState.Deleting, now);
        transaction.BlockMaps.SetState(pages, ReferenceState.Deleting, now);
        Record(transaction, storage, blocks, pages, [], now);
    }

    /// <summary>Claims the delta objects of blocks that stand whole, in the transaction that sees that they do.</summary>
    public static void BeginSuperseded(
        ICatalogTransaction transaction, string storage, IReadOnlyList<BlockId> blocks, DateTimeOffset now) =>
        Record(transaction, storage, [], [], blocks, now);

    /// <summary>Finishes the claim that stands on the storage, if any; durable when it returns.</summary>
    /// <param name="cleanup">The lease on cleanup under which this is done.</param>
    /// <param name="cancellationToken">Stops before the next step; the claim stands then.</param>
    /// <returns>What was deleted, or null when there was no claim.</returns>
    /// <exception cref="LeaseLostException">The lease was superseded: nothing more is deleted.</exception>
    /// <exception cref="AgeMismatchException">Catalog and storage are not of the same age: nothing was deleted.</exception>
    /// <exception cref="StorageException">The storage failed; the claim stands.</exception>
    public async Task<DeletionClaim?> FinishAsync(Lease cleanup, CancellationToken cancellationToken)
    {
        if (await FindAsync(cleanup, cancellationToken) is not { } claim)
        {
            return null;
        }

        await MarkAsync(claim.Mark, cancellationToken);
        claim = claim with { Deltas = await SupersededAsync(claim.Deltas, cleanup, cancellationToken) };
        await store.Storage.DeleteAsync(NamesOf(claim), cancellationToken);
        await catalog.WriteAsync(
            transaction =>
            {
                CheckHeld(transaction, cleanup);
                transaction.BlockReferences.Remove(claim.Blocks);
                transaction.BlockMaps.Remove(claim.Pages);
                AgeLedger.Confirm(transaction, store.Name, claim.Mark, claim.Over, time.GetUtcNow());
                transaction.DeletionClaims.Remove(store.Name);
                return true;
            },
            cancellationToken);
        return claim;
    }

    /// <summary>Finds the claim that <see cref="FinishAsync"/> would finish, or null.</summary>
    /// <exception cref="LeaseLostException">The lease was superseded.</exception>
    public Task<DeletionClaim?> FindAsync(Lease cleanup, CancellationToken cancellationToken) => catalog.ReadAsync(
        transaction =>
        {
            CheckHeld(transaction, cleanup);
            return transaction.DeletionClaims.Find(store.Name);
        },
        cancellationToken);

    /// <summary>True when a block stands whole and sound, so that a delta object of it serves nobody.</summary>
    public static bool IsWhole(BlockRow? row) =>
        row is { Form: BlockForm.Whole, IsInvalid: false, State: ReferenceState.Live or ReferenceState.Candidate };

    /// <summary>Refuses to go on when a lease on cleanup was superseded.</summary>
    /// <exception cref="LeaseLostException">It was.</exception>
    public static void CheckHeld(ICatalogTransaction transaction, Lease cleanup)
    {
        if (!transaction.Leases.IsHeld(cleanup))
        {
            throw new LeaseLostException("The cleanup lost its lease to another run; it deletes nothing more.");
        }
    }

    private static void Record(
        ICatalogTransaction transaction,
        string storage,
        IReadOnlyList<BlockId> blocks,
        IReadOnlyList<PageId> pages,
        IReadOnlyList<BlockId> deltas,
        DateTimeOffset now)
    {
        Invariant.Holds(blocks.Count + pages.Count + deltas.Count is > 0 and <= RowsMax);
        Invariant.Holds(transaction.DeletionClaims.Find(storage) is null);
        var (mark, over) = AgeLedger.Begin(transaction, storage, now);
        transaction.DeletionClaims.Put(new DeletionClaim(storage, mark, over, blocks, pages) { Deltas = deltas });
    }

    // From here on every catalog that does not know the mark is refused. A claim that is refused itself stands, as its rows
    // do, but its mark goes: the catalog that the storage belongs to never heard of it.
    private async Task MarkAsync(AgeMark mark, CancellationToken cancellationToken)
    {
        await _age.PutAsync(mark, cancellationToken);
        try
        {
            await _age.LookAsync(cancellationToken);
        }
        catch (AgeMismatchException refusal)
        {
            try
            {
                await _age.DeleteAsync([mark], CancellationToken.None);
            }
            catch (StorageException failure)
            {
                throw new AgeMismatchException($"{refusal.Message} Age mark {mark} could not be taken back.", failure);
            }

            throw;
        }
    }

    // The last look before the first object goes: the lease, and whether the whole blocks are still sound.
    private Task<IReadOnlyList<BlockId>> SupersededAsync(
        IReadOnlyList<BlockId> deltas, Lease cleanup, CancellationToken cancellationToken) => catalog.ReadAsync(
            transaction =>
            {
                CheckHeld(transaction, cleanup);
                var rows = transaction.BlockReferences.Find(deltas);
                return (IReadOnlyList<BlockId>)[.. deltas.Where((_, i) => IsWhole(rows[i]))];
            },
            cancellationToken);

    private static ObjectName[] NamesOf(DeletionClaim claim) =>
    [
        .. claim.Blocks.SelectMany(id => new[]
        {
            ObjectNames.Block(id, BlockForm.Delta), ObjectNames.Block(id, BlockForm.Whole),
        }),
        .. claim.Pages.Select(ObjectNames.Page),
        .. claim.Deltas.Select(id => ObjectNames.Block(id, BlockForm.Delta)),
    ];
}
