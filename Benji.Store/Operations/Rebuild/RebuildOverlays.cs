using Benji.Store.Blocks;
using Benji.Store.Catalogs;
using Benji.Store.Images.Overlays.Files;
using Benji.Store.Model;
using Benji.Store.Operations.Overlays;

namespace Benji.Store.Operations.Rebuild;

/// <summary>Adopts overlays into a new catalog: those that the old one knew, and those whose files tell of themselves.</summary>
/// <remarks>A file to which nothing was written is left out, and deleted by the next run. Format: docs/format.md, "Overlay
/// file".</remarks>
internal sealed class RebuildOverlays(
    ICatalog target,
    CatalogRemains? old,
    IReadOnlyList<OpenedStore> stores,
    OverlayDirectory files,
    RebuildProblems problems)
{
    /// <summary>Adopts them.</summary>
    /// <param name="versions">The adopted versions by their ids.</param>
    /// <param name="cancellationToken">Stops before the next one.</param>
    /// <returns>How many.</returns>
    /// <exception cref="StorageException">The overlays' directory cannot be read.</exception>
    public async Task<int> AdoptAsync(
        IReadOnlyDictionary<Guid, VersionRecord> versions, CancellationToken cancellationToken)
    {
        var known = old?.Overlays ?? [];
        var adopted = known.Where(overlay => versions.ContainsKey(overlay.BaseId)).ToList();
        foreach (var overlay in known.Except(adopted))
        {
            problems.Add($"Overlay {overlay.BaseName}@{overlay.Name} is left out: its base version was not found.");
        }

        await target.WriteAsync(
            transaction =>
            {
                adopted.ForEach(transaction.Overlays.Add);
                return true;
            },
            cancellationToken);
        var count = adopted.Count;
        var ids = known.Select(overlay => overlay.Id).ToHashSet();

        // A discard that was begun is to be finished, unless its row may have been among what was lost.
        foreach (var (id, _) in files.List().Where(
            file => !ids.Contains(file.Id) && (!file.IsDiscarded || old is null)).OrderBy(file => file.Id))
        {
            count += await TryAdoptAsync(id, versions, cancellationToken) ? 1 : 0;
        }

        return count;
    }

    private async Task<bool> TryAdoptAsync(
        Guid id, IReadOnlyDictionary<Guid, VersionRecord> versions, CancellationToken cancellationToken)
    {
        try
        {
            var header = ReadHeader(id, out var isEmpty);
            if (isEmpty)
            {
                return false;
            }

            var storage = versions.GetValueOrDefault(header.BaseId)?.Storage;
            var store = stores.FirstOrDefault(opened => opened.Name == storage);
            var row = store is null ? null : await target.WriteAsync(
                transaction => OverlayAdoption.TryAdd(transaction, header, store.StoreId), cancellationToken);
            if (row is null)
            {
                problems.Add($"{files.PathOf(id)}, overlay {header.BaseName}@{header.Name}, is left alone: its base version " +
                    "was not found.");
            }

            return row is not null;
        }
        catch (CorruptDataException fault)
        {
            problems.Add($"An overlay file is left alone: {fault.Message}");
            return false;
        }
    }

    private OverlayHeader ReadHeader(Guid id, out bool isEmpty)
    {
        using var file = files.Open(id, mayWrite: false);
        isEmpty = file.Count().Dirty == 0;
        return file.Header;
    }
}
