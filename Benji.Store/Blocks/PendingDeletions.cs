using Benji.Store.Catalogs;
using Benji.Store.Model;

namespace Benji.Store.Blocks;

/// <summary>Lets a writer pass a deletion that is under way: it waits for the cleanup, or finishes what a dead one
/// left.</summary>
/// <remarks>Safe for concurrent calls. Format: docs/format.md, "Cleanup".</remarks>
internal sealed class PendingDeletions(OpenedStore store, ICatalog catalog, TimeProvider time)
{
    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan SaidAfter = TimeSpan.FromSeconds(2);

    private readonly ClaimedDeletion _deletion = new(store, catalog, time);

    /// <summary>Told once, of the cleanup, when a wait lasts longer than 2 s.</summary>
    public Action<Lease?> Waiting { get; init; } = _ => { };

    /// <summary>Returns when no row of these blocks is being deleted any more.</summary>
    /// <exception cref="AgeMismatchException">Catalog and storage are not of the same age.</exception>
    /// <exception cref="StorageException">The objects that a dead cleanup left could not be deleted.</exception>
    public Task WaitAsync(IReadOnlyList<BlockId> blocks, CancellationToken cancellationToken) =>
        WaitAsync(blocks, [], cancellationToken);

    /// <summary>Returns when no row of these pages is being deleted any more.</summary>
    /// <exception cref="AgeMismatchException">Catalog and storage are not of the same age.</exception>
    /// <exception cref="StorageException">The objects that a dead cleanup left could not be deleted.</exception>
    public Task WaitAsync(IReadOnlyList<PageId> pages, CancellationToken cancellationToken) =>
        WaitAsync([], pages, cancellationToken);

    private async Task WaitAsync(
        IReadOnlyList<BlockId> blocks, IReadOnlyList<PageId> pages, CancellationToken cancellationToken)
    {
        var began = time.GetTimestamp();
        for (var isSaid = false; ;)
        {
            var (isPending, lease, holder) = await catalog.WriteAsync(
                transaction => TakeOver(transaction, blocks, pages), cancellationToken);
            if (!isPending)
            {
                return;
            }

            if (lease is not null)
            {
                await FinishAsync(lease, cancellationToken);
                continue;
            }

            if (!isSaid && time.GetElapsedTime(began) >= SaidAfter)
            {
                isSaid = true;
                Waiting(holder);
            }

            // A cleanup that dies commits nothing: its end shows only in that its lease can be taken.
            await Task.Delay(PollInterval, time, cancellationToken);
        }
    }

    // The lease is free only when the cleanup that began these deletions is dead or done.
    private (bool IsPending, Lease? Lease, Lease? Holder) TakeOver(
        ICatalogTransaction transaction, IReadOnlyList<BlockId> blocks, IReadOnlyList<PageId> pages)
    {
        BlockRow[] pendingBlocks = [.. transaction.BlockReferences.Find(blocks).OfType<BlockRow>()
            .Where(row => row.State == ReferenceState.Deleting)];
        MapPageRow[] pendingPages = [.. transaction.BlockMaps.Find(pages).OfType<MapPageRow>()
            .Where(row => row.State == ReferenceState.Deleting)];
        if (pendingBlocks.Length + pendingPages.Length == 0)
        {
            return (false, null, null);
        }

        // What stands in another storage is for a cleanup to finish.
        BlockId[] ownBlocks = [.. pendingBlocks.Where(row => row.Storage == store.Name).Select(row => row.Id)
            .Take(ClaimedDeletion.RowsMax)];
        PageId[] ownPages = [.. pendingPages.Where(row => row.Storage == store.Name).Select(row => row.Id)
            .Take(ClaimedDeletion.RowsMax - ownBlocks.Length)];
        Lease? holder = null;
        if (ownBlocks.Length + ownPages.Length == 0 || !transaction.Leases.TryAcquire(
            LeaseResource.Cleanup,
            LeaseMode.Exclusive,
            "finishing the deletions of a cleanup that died",
            out var lease,
            out holder))
        {
            return (true, null, holder);
        }

        if (transaction.DeletionClaims.Find(store.Name) is null)
        {
            // Only a fault leaves rows so. They are deleted like all others: whether their objects are there nobody knows.
            ClaimedDeletion.Begin(transaction, store.Name, ownBlocks, ownPages, time.GetUtcNow());
        }

        return (true, lease, null);
    }

    private async Task FinishAsync(Lease lease, CancellationToken cancellationToken)
    {
        try
        {
            await _deletion.FinishAsync(lease, cancellationToken);
        }
        finally
        {
            await catalog.WriteAsync(
                transaction =>
                {
                    transaction.Leases.Release(lease);
                    return true;
                },
                CancellationToken.None);
        }
    }
}
