using Benji.Store.Catalogs;
using Benji.Store.Images.Overlays.Files;
using Benji.Store.Model;
using Benji.Store.Operations.Running;

namespace Benji.Store.Operations.Overlays;

/// <summary>Deals with overlay files that have no row: what dead runs left, and what an older catalog does not know.</summary>
/// <remarks>A begun discard is finished, what a dead creation left is deleted, and what holds data gets its row again.
/// Safe beside living runs: each file is dealt with under its overlay's lease. Format: docs/format.md, "Overlay
/// file".</remarks>
internal sealed class OverlayRecovery(StoreContext context, OverlayDirectory files)
{
    /// <summary>Deals with all of them; costs one look at the directory when there is no overlay.</summary>
    /// <remarks>A directory or file that cannot be used is a line in the log: a backup needs no overlay, and an overlay not
    /// another one.</remarks>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var found = List();
        if (found.Count == 0)
        {
            return;
        }

        var known = await context.Catalog.ReadAsync(ListIds, cancellationToken);
        foreach (var (id, _) in found.Where(file => !known.Contains(file.Id)))
        {
            try
            {
                await FinishAsync(id, cancellationToken);
            }
            catch (BenjiException failure) when (failure is not CatalogException)
            {
                Log.OverlayUnfinished(context.Logger, files.PathOf(id), failure.Message);
            }
        }
    }

    private IReadOnlyList<(Guid Id, bool IsDiscarded)> List()
    {
        try
        {
            var found = files.List();
            files.DeleteTemporary(context.Time.GetUtcNow());
            return found;
        }
        catch (Exception failure) when (failure is StorageException or ConfigurationException or ReadOnlyException)
        {
            Log.OverlaysUnusable(context.Logger, failure.Message);
            return [];
        }
    }

    private static HashSet<Guid> ListIds(ICatalogTransaction transaction) =>
        [.. transaction.Overlays.List(baseId: null).Select(overlay => overlay.Id)];

    private async Task FinishAsync(Guid id, CancellationToken cancellationToken)
    {
        // A living creation holds the lease until its row is there.
        var lease = await context.Catalog.WriteAsync(
            transaction => !ListIds(transaction).Contains(id)
                && transaction.Leases.TryAcquire(
                    LeaseResource.Overlay(id), LeaseMode.Exclusive, $"recovery of overlay {id:N}", out var taken, out _)
                ? taken
                : null,
            cancellationToken);
        if (lease is null)
        {
            return;
        }

        await using var held = HeldLease.Hold(context.Catalog, lease, context.Time);

        // What was seen before the claim may be old: a promotion may have renamed the file meanwhile, and died.
        if (files.List().Contains((id, true)))
        {
            files.Delete(id);
            return;
        }

        try
        {
            await AdoptAsync(id, cancellationToken);
        }
        catch (NotFoundException)
        {
            // Somebody finished it between the look at the directory and the claim.
        }
    }

    private async Task AdoptAsync(Guid id, CancellationToken cancellationToken)
    {
        var header = ReadHeader(id, out var isEmpty);
        if (isEmpty)
        {
            files.Delete(id);
            return;
        }

        var version = await context.Catalog.ReadAsync(
            transaction => transaction.Versions.Find(header.BaseId), cancellationToken);
        var store = version is null ? null : await context.Stores.OpenForReadingAsync(version.Storage, cancellationToken);
        var row = store is null ? null : await context.Catalog.WriteAsync(
            transaction => OverlayAdoption.TryAdd(transaction, header, store.StoreId), cancellationToken);
        if (row is null)
        {
            Log.OverlayLeftAlone(
                context.Logger, files.PathOf(id), $"its base version {header.BaseName} is not in the catalog.");
        }
        else
        {
            Log.OverlayAdopted(context.Logger, $"{row.BaseName}@{row.Name}");
        }
    }

    private OverlayHeader ReadHeader(Guid id, out bool isEmpty)
    {
        using var file = files.Open(id, mayWrite: false);
        isEmpty = file.Count().Dirty == 0;
        return file.Header;
    }
}
