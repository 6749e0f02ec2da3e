using Benji.Store.Catalogs;
using Benji.Store.Model;

namespace Benji.Store.Blocks;

/// <summary>Lets a writer pass a deletion that is under way: it waits for the cleanup, or finishes what a dead one
/// left.</summary>
/// <remarks>Safe for concurrent calls. Format: docs/format.md, "Cleanup".</remarks>
internal sealed class PendingDeletions(OpenedStore store, ICatalog catalog, TimeProvider time)
{
    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(50);

    private readonly ClaimedDeletion _deletion = new(store, catalog);

    /// <summary>Returns when no row of these blocks is being deleted any more.</summary>
    /// <exception cref="StorageException">The objects that a dead cleanup left could not be deleted.</exception>
    public Task WaitAsync(IReadOnlyList<BlockId> blocks, CancellationToken cancellationToken) =>
        WaitAsync(blocks, [], cancellationToken);

    /// <summary>Returns when no row of these pages is being deleted any more.</summary>
    /// <exception cref="StorageException">The objects that a dead cleanup left could not be deleted.</exception>
    public Task WaitAsync(IReadOnlyList<PageId> pages, CancellationToken cancellationToken) =>
        WaitAsync([], pages, cancellationToken);

    private async Task WaitAsync(
        IReadOnlyList<BlockId> blocks, IReadOnlyList<PageId> pages, CancellationToken cancellationToken)
    {
        while (true)
        {
            var (pending, lease) = await catalog.WriteAsync(
                transaction => Claim(transaction, blocks, pages), cancellationToken);
            if (pending.IsEmpty)
            {
                return;
            }

            if (lease is not null)
            {
                await FinishAsync(pending, lease, cancellationToken);
                return;
            }

            // A cleanup that dies commits nothing: its end shows only in that its lease can be taken.
            await Task.Delay(PollInterval, time, cancellationToken);
        }
    }

    // The lease is free only when the cleanup that began these deletions is dead or done.
    private static (Pending Pending, Lease? Lease) Claim(
        ICatalogTransaction transaction, IReadOnlyList<BlockId> blocks, IReadOnlyList<PageId> pages)
    {
        var pending = new Pending(
            [.. transaction.BlockReferences.Find(blocks).Where(row => row?.State == ReferenceState.Deleting)
                .Select(row => row!.Id)],
            [.. transaction.BlockMaps.Find(pages).Where(row => row?.State == ReferenceState.Deleting)
                .Select(row => row!.Id)]);
        return !pending.IsEmpty
            && transaction.Leases.TryAcquire(
                LeaseResource.Cleanup,
                LeaseMode.Exclusive,
                "finishing the deletions of a cleanup that died",
                out var lease,
                out _)
            ? (pending, lease)
            : (pending, null);
    }

    private async Task FinishAsync(Pending pending, Lease lease, CancellationToken cancellationToken)
    {
        try
        {
            await _deletion.DeleteAsync(pending.Blocks, pending.Pages, lease, cancellationToken);
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

    private readonly record struct Pending(IReadOnlyList<BlockId> Blocks, IReadOnlyList<PageId> Pages)
    {
        public bool IsEmpty => Blocks.Count + Pages.Count == 0;
    }
}
