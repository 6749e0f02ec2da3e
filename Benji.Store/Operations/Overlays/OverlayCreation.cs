using System.Globalization;
using Benji.Store.Catalogs;
using Benji.Store.Images;
using Benji.Store.Images.Overlays.Files;
using Benji.Store.Model;
using Benji.Store.Operations.Running;

namespace Benji.Store.Operations.Overlays;

/// <summary>Makes an empty overlay: its file, durable, then its row, which pins the base.</summary>
/// <remarks>Format: docs/format.md, "Overlay file".</remarks>
internal sealed class OverlayCreation(StoreContext context, OverlayDirectory files)
{
    private const string NameFormat = "yyyyMMdd'T'HHmmss'Z'";

    /// <summary>Makes it.</summary>
    /// <param name="version">The base.</param>
    /// <param name="name">Its name; null for a new one after the time.</param>
    /// <param name="cancellationToken">Stops before it is made.</param>
    /// <exception cref="NotFoundException">The base is gone.</exception>
    /// <exception cref="AlreadyExistsException">The base has an overlay of that name.</exception>
    /// <exception cref="UsageException">The name is not valid.</exception>
    /// <exception cref="NoSpaceException">The disk of the overlays is full.</exception>
    /// <exception cref="StorageException">The file could not be made.</exception>
    public async Task<ImageEntry> RunAsync(VersionRecord version, string? name, CancellationToken cancellationToken)
    {
        if (name is not null && !Names.IsOverlay(name))
        {
            throw new UsageException(
                $"Overlay name {Names.Show(name)} is not valid: use A-Z a-z 0-9 _ . : + -, starting with a letter, a digit " +
                $"or '_', at most {Names.PartLengthMax} bytes, not ending in '.img'.");
        }

        var store = await context.Stores.OpenForReadingAsync(version.Storage, cancellationToken);
        while (true)
        {
            try
            {
                return await CreateAsync(version, name, store.StoreId, cancellationToken);
            }
            catch (AlreadyExistsException) when (name is null)
            {
                // Another run chose the same name in the same second, and its row is there now.
            }
        }
    }

    private async Task<ImageEntry> CreateAsync(
        VersionRecord version, string? name, Guid storeId, CancellationToken cancellationToken)
    {
        var id = Guid.NewGuid();
        var created = Now();
        var (current, chosen, lease) = await context.Catalog.WriteAsync(
            transaction =>
            {
                var found = FindBase(transaction, version);
                var free = ChooseName(transaction, found, name, created);
                var purpose = $"creation of overlay {found.Name}@{free}";
                return (found, free, HeldLease.AcquireIn(
                    transaction, LeaseResource.Overlay(id), LeaseMode.Exclusive, purpose));
            },
            cancellationToken);
        await using var held = HeldLease.Hold(context.Catalog, lease, context.Time);
        files.Create(new OverlayHeader
        {
            Id = id,
            Name = chosen,
            Created = created,
            BaseId = current.Id,
            BaseName = current.Name,
            BaseRoot = current.Root,
            StoreId = storeId,
            Size = current.Size,
            BlockSize = current.BlockSize,
        });
        await AddRowAsync(new OverlayRecord(id, chosen, current.Id, current.Name, created), current, held.Lease);
        return new ImageEntry(current, new OverlayEntry(id, chosen, created, DirtyBytes: 0, Holder: null));
    }

    // When it is not known whether the row is there, the file stays: the next run finds out.
    private async Task AddRowAsync(OverlayRecord row, VersionRecord version, Lease lease)
    {
        try
        {
            await context.Catalog.WriteAsync(
                transaction =>
                {
                    FindBase(transaction, version);
                    if (!transaction.Leases.IsHeld(lease))
                    {
                        throw new LeaseLostException(
                            $"Overlay {row.BaseName}@{row.Name} was not made: this run was taken for dead.");
                    }

                    transaction.Overlays.Add(row);
                    return true;
                },
                CancellationToken.None);
        }
        catch (Exception failure) when (failure is NotFoundException or AlreadyExistsException)
        {
            files.Delete(row.Id);
            throw;
        }
    }

    private static VersionRecord FindBase(ICatalogTransaction transaction, VersionRecord version)
    {
        var isBeingRemoved = transaction.Intents.List().Any(
            intent => intent.Kind == IntentKind.Remove && intent.VersionId == version.Id);
        return (isBeingRemoved ? null : transaction.Versions.Find(version.Id))
            ?? throw new NotFoundException($"Version {version.Name} was removed meanwhile.");
    }

    private static string ChooseName(
        ICatalogTransaction transaction, VersionRecord version, string? name, DateTimeOffset created)
    {
        var taken = transaction.Overlays.List(version.Id).Select(overlay => overlay.Name).ToHashSet(StringComparer.Ordinal);
        if (name is not null)
        {
            return taken.Contains(name)
                ? throw new AlreadyExistsException($"There is an overlay {version.Name}@{name} already.")
                : name;
        }

        var time = created.UtcDateTime.ToString(NameFormat, CultureInfo.InvariantCulture);
        var chosen = time;
        for (var number = 2; taken.Contains(chosen); number++)
        {
            chosen = string.Create(CultureInfo.InvariantCulture, $"{time}-{number}");
        }

        return chosen;
    }

    private DateTimeOffset Now()
    {
        var now = context.Time.GetUtcNow();
        return now.AddTicks(-(now.Ticks % TimeSpan.TicksPerMicrosecond));
    }
}
