using Benji.Store.Blocks;
using Benji.Store.Blocks.Sealing;
using Benji.Store.Catalogs;
using Benji.Store.Model;
using Benji.Store.Storages;

namespace Benji.Store.Operations.Cleanup;

/// <summary>Finds what lies in a storage without being needed there: objects without a row, and superseded
/// deltas.</summary>
/// <remarks>An object without a row gets one as an orphan, and goes the way of all candidates from there. Lists and
/// looks up in batches.</remarks>
internal sealed class CleanupOrphans(CleanupScope scope, CleanupRoots roots, CleanupCounts counts)
{
    /// <summary>Looks through one store.</summary>
    /// <exception cref="LeaseLostException">The lease on cleanup was superseded.</exception>
    /// <exception cref="StorageException">The storage could not be listed, or an object not deleted.</exception>
    public async Task RunAsync(OpenedStore store, CancellationToken cancellationToken)
    {
        await RunAsync<BlockId>(
            store, ObjectNames.BlockPrefix, info => ObjectNames.TryParseBlock(info.Name, out var id, out _) ? id : null,
            RecordBlocks, cancellationToken);
        await RunAsync<PageId>(
            store, ObjectNames.PagePrefix, info => ObjectNames.TryParsePage(info.Name, out var id) ? id : null,
            RecordPages, cancellationToken);
    }

    private async Task RunAsync<TId>(
        OpenedStore store,
        string prefix,
        Func<ObjectInfo, TId?> parse,
        Func<ICatalogTransaction, OpenedStore, List<(TId Id, ObjectInfo Info)>, List<ObjectInfo>> record,
        CancellationToken cancellationToken)
        where TId : struct
    {
        var batch = new List<(TId, ObjectInfo)>(CleanupScope.BatchMax);
        await foreach (var info in store.Storage.ListAsync(prefix, cancellationToken))
        {
            if (roots.IsSettled(info.Modified) && parse(info) is { } id)
            {
                batch.Add((id, info));
            }

            if (batch.Count == CleanupScope.BatchMax)
            {
                await FlushAsync(store, batch, record, cancellationToken);
            }
        }

        await FlushAsync(store, batch, record, cancellationToken);
    }

    private async Task FlushAsync<TId>(
        OpenedStore store,
        List<(TId Id, ObjectInfo Info)> batch,
        Func<ICatalogTransaction, OpenedStore, List<(TId Id, ObjectInfo Info)>, List<ObjectInfo>> record,
        CancellationToken cancellationToken)
    {
        if (batch.Count == 0)
        {
            return;
        }

        var superseded = await scope.Catalog.WriteAsync(
            transaction =>
            {
                ClaimedDeletion.CheckHeld(transaction, scope.Lease);
                return record(transaction, store, batch);
            },
            cancellationToken);
        await store.Storage.DeleteAsync([.. superseded.Select(info => info.Name)], cancellationToken);
        counts.Deleted += superseded.Count;
        counts.DeletedBytes += superseded.Sum(info => info.Size);
        counts.Progress.Advance(batch.Count);
        batch.Clear();
    }

    // Answers the deltas whose blocks stand whole. Only a run that is alive could be about to put such a delta, and one
    // that begins later finds the whole block.
    private List<ObjectInfo> RecordBlocks(
        ICatalogTransaction transaction, OpenedStore store, List<(BlockId Id, ObjectInfo Info)> batch)
    {
        var rows = transaction.BlockReferences.Find([.. batch.Select(found => found.Id)]);
        var orphans = batch.Where((_, i) => rows[i] is null).DistinctBy(found => found.Id).ToList();
        if (orphans.Count > 0)
        {
            var since = CleanupRoots.Since(transaction, scope.Time);
            transaction.BlockReferences.Put([.. orphans.Select(found => new BlockRow(
                found.Id,
                store.Name,
                FormOf(found.Info),
                Length: 0,
                Allocated: 0,
                found.Info.Size,
                [],
                Own: null,
                IsInvalid: false,
                ReferenceState.Orphan,
                since))]);
            Count(orphans.Count);
        }

        return CleanupRoots.IsAnyRunAlive(transaction)
            ? []
            : [.. batch.Where((found, i) => FormOf(found.Info) == BlockForm.Delta && IsWhole(rows[i]))
                .Select(found => found.Info)];
    }

    private List<ObjectInfo> RecordPages(
        ICatalogTransaction transaction, OpenedStore store, List<(PageId Id, ObjectInfo Info)> batch)
    {
        var rows = transaction.BlockMaps.Find([.. batch.Select(found => found.Id)]);
        var orphans = batch.Where((_, i) => rows[i] is null).ToList();
        if (orphans.Count > 0)
        {
            // Its content is not known, and nobody takes zeros for it: they do not hash to its id.
            var since = CleanupRoots.Since(transaction, scope.Time);
            transaction.BlockMaps.Put([.. orphans.Select(found => new MapPageRow(
                found.Id, store.Name, Level: 0, new byte[BlockGeometry.PageSize], ReferenceState.Orphan, since))]);
            Count(orphans.Count);
        }

        return [];
    }

    private void Count(int orphans)
    {
        counts.Orphans += orphans;
        counts.Waiting += orphans;
        counts.Moved += orphans;
    }

    private static BlockForm FormOf(ObjectInfo info) =>
        ObjectNames.TryParseBlock(info.Name, out _, out var form) ? form : BlockForm.Whole;

    private static bool IsWhole(BlockRow? row) =>
        row is { Form: BlockForm.Whole, IsInvalid: false, State: ReferenceState.Live or ReferenceState.Candidate };
}
