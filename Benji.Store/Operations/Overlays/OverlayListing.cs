using Benji.Store.Catalogs;
using Benji.Store.Images;
using Benji.Store.Images.Overlays.Files;
using Benji.Store.Model;
using Benji.Store.Operations.Running;

namespace Benji.Store.Operations.Overlays;

/// <summary>Lists overlays with their bases, who has them open, and what they hold.</summary>
/// <remarks>Safe for concurrent calls.</remarks>
internal sealed class OverlayListing(StoreContext context, OverlayDirectory files)
{
    /// <summary>Lists versions by volume, then date, each followed by its overlays, oldest first.</summary>
    /// <param name="volume">Only this volume's; null for all.</param>
    /// <param name="isExact">True to count what each overlay holds from its marks; false for the space that it takes, which
    /// is cheaper to learn.</param>
    /// <param name="cancellationToken">Stops the wait for the catalog.</param>
    /// <exception cref="StorageException">The overlays' directory cannot be read.</exception>
    public async Task<IReadOnlyList<ImageEntry>> ListAsync(
        string? volume, bool isExact, CancellationToken cancellationToken)
    {
        var (versions, overlays, holders) = await context.Catalog.ReadAsync(
            transaction =>
            (
                transaction.Versions.List(volume),
                transaction.Overlays.List(baseId: null),
                transaction.Leases.List(LeaseResource.OverlayPrefix)),
            cancellationToken);
        var byBase = overlays.ToLookup(overlay => overlay.BaseId);
        var entries = new List<ImageEntry>(versions.Count);
        foreach (var version in versions)
        {
            entries.Add(new ImageEntry(version));
            entries.AddRange(byBase[version.Id].Select(
                overlay => new ImageEntry(version, Describe(overlay, holders, isExact))));
        }

        return entries;
    }

    /// <summary>Finds an overlay by its exact name, <c>volume/version@overlay</c>; any text may be asked for.</summary>
    /// <returns>Null when there is none.</returns>
    /// <exception cref="StorageException">The overlays' directory cannot be read.</exception>
    public async Task<ImageEntry?> FindAsync(string name, CancellationToken cancellationToken)
    {
        var at = name.IndexOf('@', StringComparison.Ordinal);
        if (at < 0 || !VersionName.TryParse(name[..at], out var baseName))
        {
            return null;
        }

        var (version, overlay, holders) = await context.Catalog.ReadAsync(
            transaction => transaction.Versions.Find(baseName) is { } found
                && transaction.Overlays.Find(found.Id, name[(at + 1)..]) is { } row
                ? (found, row, transaction.Leases.List(LeaseResource.Overlay(row.Id)))
                : default,
            cancellationToken);
        return overlay is null ? null : new ImageEntry(version, Describe(overlay, holders, isExact: false));
    }

    /// <summary>Describes one overlay.</summary>
    public OverlayEntry Describe(OverlayRecord overlay, IReadOnlyList<Lease> holders, bool isExact)
    {
        var resource = LeaseResource.Overlay(overlay.Id);
        var holder = holders.FirstOrDefault(lease => lease.Resource == resource);
        return new OverlayEntry(
            overlay.Id,
            overlay.Name,
            overlay.Created,
            isExact ? CountDirty(overlay.Id) : CountTaken(overlay.Id),
            holder is null ? null : $"process {holder.Owner.ProcessId} on {holder.Owner.Host}");
    }

    // While another process writes the marks, a page may be read half old and half new.
    private long CountDirty(Guid id)
    {
        try
        {
            using var file = files.Open(id, mayWrite: false);
            return file.Count().Dirty * OverlayLayout.UnitSize;
        }
        catch (Exception failure) when (failure is CorruptDataException or NotFoundException)
        {
            return CountTaken(id);
        }
    }

    private long CountTaken(Guid id) => Math.Max(0, (files.FindAllocated(id) ?? 0) - OverlayHeader.Length);
}
