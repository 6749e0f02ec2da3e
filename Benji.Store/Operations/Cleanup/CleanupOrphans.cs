using Benji.Store.Blocks;
using Benji.Store.Blocks.Sealing;
using Benji.Store.Catalogs;
using Benji.Store.Model;
using Benji.Store.Storages;

namespace Benji.Store.Operations.Cleanup;

/// <summary>Finds what lies in the store without being needed there: objects without a row, and superseded
/// deltas.</summary>
/// <remarks>An object without a row gets one as an orphan, and goes the way of all candidates from there. Lists and
/// looks up in batches.</remarks>
internal sealed class CleanupOrphans(CleanupScope scope, CleanupRoots roots, CleanupCounts counts)
{
    private readonly CleanupDeletion _deletion = new(scope, counts);

    /// <summary>True when every object that was listed has a row now: none was too young to get one.</summary>
    public bool IsComplete { get; private set; } = true;

    /// <summary>Looks through the store.</summary>
    /// <exception cref="LeaseLostException">The lease on cleanup was superseded.</exception>
    /// <exception cref="AgeMismatchException">Catalog and storage are not of the same age.</exception>
    /// <exception cref="StorageException">The storage could not be listed, or an object not deleted.</exception>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        await RunAsync<BlockId>(
            ObjectNames.BlockPrefix, info => ObjectNames.TryParseBlock(info.Name, out var id, out _) ? id : null,
            RecordBlocks, cancellationToken);
        await RunAsync<PageId>(
            ObjectNames.PagePrefix, info => ObjectNames.TryParsePage(info.Name, out var id) ? id : null,
            RecordPages, cancellationToken);
    }

    private async Task RunAsync<TId>(
        string prefix,
        Func<ObjectInfo, TId?> parse,
        Func<ICatalogTransaction, List<(TId Id, ObjectInfo Info)>, bool> record,
        CancellationToken cancellationToken)
        where TId : struct
    {
        var batch = new List<(TId, ObjectInfo)>(CleanupScope.BatchMax);
        await foreach (var info in scope.Store.Storage.ListAsync(prefix, cancellationToken))
        {
            if (parse(info) is { } id)
            {
                batch.Add((id, info));
            }

            if (batch.Count == CleanupScope.BatchMax)
            {
                await FlushAsync(batch, record, cancellationToken);
            }
        }

        await FlushAsync(batch, record, cancellationToken);
    }

    private async Task FlushAsync<TId>(
        List<(TId Id, ObjectInfo Info)> batch,
        Func<ICatalogTransaction, List<(TId Id, ObjectInfo Info)>, bool> record,
        CancellationToken cancellationToken)
    {
        if (batch.Count == 0)
        {
            return;
        }

        var hasClaimed = await scope.Catalog.WriteAsync(
            transaction =>
            {
                ClaimedDeletion.CheckHeld(transaction, scope.Lease);
                return record(transaction, batch);
            },
            cancellationToken);
        if (hasClaimed)
        {
            await _deletion.FinishAsync(cancellationToken);
        }

        counts.Progress.Advance(batch.Count);
        batch.Clear();
    }

    // Answers whether something was claimed.
    private bool RecordBlocks(ICatalogTransaction transaction, List<(BlockId Id, ObjectInfo Info)> batch)
    {
        var rows = transaction.BlockReferences.Find([.. batch.Select(found => found.Id)]);
        var orphans = Settled(batch.Where((_, i) => rows[i] is null)).DistinctBy(found => found.Id).ToList();
        if (orphans.Count > 0)
        {
            var since = CleanupRoots.Since(transaction, scope.Time);
            transaction.BlockReferences.Put([.. orphans.Select(found => new BlockRow(
                found.Id,
                scope.Store.Name,
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

        return ClaimSuperseded(transaction, batch.Where((found, i) => FormOf(found.Info) == BlockForm.Delta
            && roots.IsSettled(found.Info.Modified) && ClaimedDeletion.IsWhole(rows[i])));
    }

    // Only a run that is alive could be about to put such a delta, and one that begins later finds the whole block.
    private bool ClaimSuperseded(ICatalogTransaction transaction, IEnumerable<(BlockId Id, ObjectInfo Info)> deltas)
    {
        BlockId[] superseded = [.. deltas.Select(found => found.Id)];
        if (superseded.Length == 0 || CleanupRoots.IsAnyRunAlive(transaction))
        {
            return false;
        }

        if (transaction.Leases.HasReaders())
        {
            counts.IsHeldBack = true;
            return false;
        }

        ClaimedDeletion.BeginSuperseded(transaction, scope.Store.Name, superseded, scope.Time.GetUtcNow());
        return true;
    }

    private bool RecordPages(ICatalogTransaction transaction, List<(PageId Id, ObjectInfo Info)> batch)
    {
        var rows = transaction.BlockMaps.Find([.. batch.Select(found => found.Id)]);
        var orphans = Settled(batch.Where((_, i) => rows[i] is null)).ToList();
        if (orphans.Count > 0)
        {
            // Its content is not known, and nobody takes zeros for it: they do not hash to its id.
            var since = CleanupRoots.Since(transaction, scope.Time);
            transaction.BlockMaps.Put([.. orphans.Select(found => new MapPageRow(
                found.Id, scope.Store.Name, Level: 0, new byte[BlockGeometry.PageSize], ReferenceState.Orphan, since))]);
            Count(orphans.Count);
        }

        return false;
    }

    // One that is too young may be of a run that is about to record it.
    private IEnumerable<(TId Id, ObjectInfo Info)> Settled<TId>(IEnumerable<(TId Id, ObjectInfo Info)> strays)
    {
        foreach (var stray in strays)
        {
            if (roots.IsSettled(stray.Info.Modified))
            {
                yield return stray;
            }
            else
            {
                IsComplete = false;
            }
        }
    }

    private void Count(int orphans)
    {
        counts.Orphans += orphans;
        counts.Waiting += orphans;
        counts.Moved += orphans;
    }

    private static BlockForm FormOf(ObjectInfo info) =>
        ObjectNames.TryParseBlock(info.Name, out _, out var form) ? form : BlockForm.Whole;
}
