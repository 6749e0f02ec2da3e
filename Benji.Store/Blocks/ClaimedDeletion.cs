using Benji.Store.Blocks.Sealing;
using Benji.Store.Catalogs;
using Benji.Store.Model;
using Benji.Store.Storages;

namespace Benji.Store.Blocks;

/// <summary>Deletes what stands in <see cref="ReferenceState.Deleting"/>: first the objects, then the rows.</summary>
/// <remarks>A crash in between leaves rows that whoever holds the cleanup lease next finishes; deleting is idempotent.
/// Safe for concurrent calls. Format: docs/format.md, "Cleanup".</remarks>
internal sealed class ClaimedDeletion(OpenedStore store, ICatalog catalog)
{
    /// <summary>Deletes blocks and pages whose rows are in that state, durable when it returns.</summary>
    /// <param name="blocks">Blocks of this store; the objects of both forms go.</param>
    /// <param name="pages">Pages of this store.</param>
    /// <param name="cleanup">The lease on cleanup under which this is done.</param>
    /// <param name="cancellationToken">Stops before the next step.</param>
    /// <exception cref="LeaseLostException">The lease was superseded: nothing more is deleted.</exception>
    /// <exception cref="StorageException">Some objects could not be deleted; the rows stand.</exception>
    public async Task DeleteAsync(
        IReadOnlyList<BlockId> blocks,
        IReadOnlyList<PageId> pages,
        Lease cleanup,
        CancellationToken cancellationToken)
    {
        if (blocks.Count + pages.Count == 0)
        {
            return;
        }

        await catalog.ReadAsync(transaction => CheckHeld(transaction, cleanup), cancellationToken);
        ObjectName[] names =
        [
            .. blocks.SelectMany(id => new[]
            {
                ObjectNames.Block(id, BlockForm.Whole), ObjectNames.Block(id, BlockForm.Delta),
            }),
            .. pages.Select(ObjectNames.Page),
        ];
        await store.Storage.DeleteAsync(names, cancellationToken);
        await catalog.WriteAsync(
            transaction =>
            {
                CheckHeld(transaction, cleanup);
                transaction.BlockReferences.Remove(blocks);
                transaction.BlockMaps.Remove(pages);
                return true;
            },
            cancellationToken);
    }

    /// <summary>Refuses to go on when a lease on cleanup was superseded.</summary>
    /// <returns>True.</returns>
    /// <exception cref="LeaseLostException">It was.</exception>
    public static bool CheckHeld(ICatalogTransaction transaction, Lease cleanup) =>
        transaction.Leases.IsHeld(cleanup)
            ? true
            : throw new LeaseLostException("The cleanup lost its lease to another run; it deletes nothing more.");
}
