using System.Diagnostics.CodeAnalysis;
using Benji.Store.Images;
using Benji.Store.Images.Overlays;
using Benji.Store.Images.Overlays.Files;
using Benji.Store.Model;
using Benji.Store.Operations.Running;

namespace Benji.Store.Operations.Overlays;

/// <summary>Opens a version as an image, by its id.</summary>
internal delegate Task<IImage> OpenVersionImage(Guid id, CancellationToken cancellationToken);

/// <summary>Opens the file of an overlay that was claimed before, over its base.</summary>
internal delegate Task<OverlayImage> OpenOverlayImage(
    ImageEntry overlay, VersionRecord version, CancellationToken cancellationToken);

/// <summary>Everything that can be done with the overlays of a store, from their creation to their end.</summary>
/// <remarks>Safe for concurrent calls. All openings of one overlay in this process share one file and one claim.</remarks>
internal sealed class OverlayDesk
{
    private readonly StoreContext _context;
    private readonly StorePlace _place;
    private readonly OverlayDirectory _files;
    private readonly OverlayClaims _claims;
    private readonly OverlayListing _listing;
    private readonly OpenOverlays _opened = new();
    private readonly PiecePool _pool = new();
    private readonly OpenVersionImage _openVersion;

    /// <summary>Creates the desk; nothing is touched yet.</summary>
    /// <param name="context">The store.</param>
    /// <param name="place">Where it is on this host.</param>
    /// <param name="openVersion">Opens bases.</param>
    public OverlayDesk(StoreContext context, StorePlace place, OpenVersionImage openVersion)
    {
        _context = context;
        _place = place;
        _files = new OverlayDirectory(place.OverlayPath);
        _claims = new OverlayClaims(context);
        _listing = new OverlayListing(context, _files);
        _openVersion = openVersion;
    }

    /// <summary>As <see cref="IImageDirectory.FindStoreIdentity"/>.</summary>
    public string? FindIdentity() => _place.FindIdentity();

    /// <summary>As <see cref="IImageDirectory.ListAsync"/>; <paramref name="isExact"/> counts dirty bytes from the marks.</summary>
    /// <exception cref="StorageException">The overlays' directory cannot be read.</exception>
    public Task<IReadOnlyList<ImageEntry>> ListAsync(
        string? volume, bool isExact, CancellationToken cancellationToken) =>
        _listing.ListAsync(volume, isExact, cancellationToken);

    /// <summary>Lists overlays only, with what each holds counted exactly.</summary>
    /// <param name="text">Only those of this volume, or of this version as the user named it; null for all.</param>
    /// <param name="cancellationToken">Stops the wait for the catalog.</param>
    /// <exception cref="NotFoundException">There is no such volume or version.</exception>
    /// <exception cref="StorageException">The overlays' directory cannot be read.</exception>
    public async Task<IReadOnlyList<ImageEntry>> ListOfAsync(string? text, CancellationToken cancellationToken)
    {
        var version = await _context.Catalog.ReadAsync(
            transaction => text is null || (Names.IsVolume(text) && transaction.Versions.List(text).Count > 0)
                ? null
                : VersionResolver.Resolve(transaction, text),
            cancellationToken);
        var listed = await _listing.ListAsync(version?.Name.Volume ?? text, isExact: true, cancellationToken);
        return [.. listed.Where(
            entry => entry.Overlay is not null && (version is null || entry.Version.Id == version.Id))];
    }

    /// <summary>Finds an overlay by its exact name, <c>volume/version@overlay</c>; null when there is none.</summary>
    /// <exception cref="StorageException">The overlays' directory cannot be read.</exception>
    public Task<ImageEntry?> FindAsync(string name, CancellationToken cancellationToken) =>
        _listing.FindAsync(name, cancellationToken);

    /// <summary>As <see cref="IImageDirectory.FindOverlayState"/>.</summary>
    public OverlayState? FindState(ImageEntry overlay) => _files.FindState(overlay.Id);

    /// <summary>As <see cref="IImageDirectory.CreateOverlayAsync"/>.</summary>
    public Task<ImageEntry> CreateAsync(VersionRecord version, string? name, CancellationToken cancellationToken) =>
        new OverlayCreation(_context, _files).RunAsync(version, name, cancellationToken);

    /// <summary>As <see cref="IImageDirectory.OpenOverlayAsync"/>.</summary>
    public Task<OverlayImage> OpenAsync(ImageEntry overlay, CancellationToken cancellationToken)
    {
        Invariant.Holds(overlay.Overlay is not null);
        return _opened.OpenAsync(overlay, token => ClaimAsync(overlay, token), cancellationToken);
    }

    /// <summary>Discards an overlay; see <see cref="OverlayDiscard"/>.</summary>
    public Task DiscardAsync(ImageEntry overlay, bool mayLoseData, CancellationToken cancellationToken) =>
        new OverlayDiscard(_context, _files, _claims).RunAsync(overlay, mayLoseData, cancellationToken);

    /// <summary>Discards the overlays that a user named.</summary>
    /// <returns>What they were.</returns>
    /// <exception cref="NotFoundException">There is no such overlay; all are there still.</exception>
    /// <exception cref="UsageException">One is no overlay of this store; all are there still.</exception>
    /// <exception cref="NotAllowedException">One holds data, and there is no force; those before it are gone.</exception>
    /// <exception cref="InUseException">One is open; those before it are gone.</exception>
    public async Task<IReadOnlyList<ImageEntry>> RemoveAsync(
        OverlayRemoveRequest request, CancellationToken cancellationToken)
    {
        var names = request.Overlays.Select(text => OverlayResolver.Read(text, _place)).ToList();
        var overlays = await _context.Catalog.ReadAsync(
            transaction => names.Select(name => OverlayResolver.Resolve(transaction, name))
                .DistinctBy(overlay => overlay.Id)
                .ToList(),
            cancellationToken);
        foreach (var overlay in overlays)
        {
            await DiscardAsync(overlay, request.Force, cancellationToken);
        }

        return overlays;
    }

    /// <summary>Promotes the overlay that a user named; see <see cref="PromoteOperation"/>.</summary>
    public async Task<BackupResult> PromoteAsync(
        PromoteRequest request, IOperationProgress progress, CancellationToken cancellationToken)
    {
        var name = OverlayResolver.Read(request.Overlay, _place);
        var overlay = await _context.Catalog.ReadAsync(
            transaction => OverlayResolver.Resolve(transaction, name), cancellationToken);
        return await PromoteAsync(overlay, request.Version, request.Labels, progress, cancellationToken);
    }

    /// <summary>Promotes an overlay; see <see cref="PromoteOperation"/>.</summary>
    public Task<BackupResult> PromoteAsync(
        ImageEntry overlay,
        string? name,
        IReadOnlyDictionary<string, string> labels,
        IOperationProgress progress,
        CancellationToken cancellationToken) =>
        new PromoteOperation(_context, _files, _claims, OpenAloneAsync, progress)
            .RunAsync(overlay, name, labels, cancellationToken);

    [SuppressMessage("Reliability", "CA2000", Justification = "The image closes the core, and is closed by who asked for it.")]
    private async Task<OverlayImage> OpenAloneAsync(
        ImageEntry overlay, VersionRecord version, CancellationToken cancellationToken)
    {
        var core = await OpenCoreAsync(overlay, version, mayOnlyRead: false, CancellationToken.None, cancellationToken);
        return new OverlayImage(overlay, core, core.DisposeAsync);
    }

    [SuppressMessage("Reliability", "CA2000", Justification = "The opened overlay owns its claim.")]
    private async Task<ClaimedCore> ClaimAsync(ImageEntry overlay, CancellationToken cancellationToken)
    {
        var claim = await _claims.AcquireAsync(
            overlay, $"use of overlay {overlay.Name}", TimeSpan.Zero, cancellationToken);
        try
        {
            var core = await OpenCoreAsync(overlay, overlay.Version, mayOnlyRead: true, claim.Lost, cancellationToken);
            return new ClaimedCore(core, claim);
        }
        catch
        {
            await claim.DisposeAsync();
            throw;
        }
    }

    [SuppressMessage("Reliability", "CA2000", Justification = "The core owns its file, and is closed by who asked for it.")]
    private async Task<OverlayCore> OpenCoreAsync(
        ImageEntry overlay,
        VersionRecord version,
        bool mayOnlyRead,
        CancellationToken lost,
        CancellationToken cancellationToken)
    {
        var baseImage = await _openVersion(version.Id, cancellationToken);
        OverlayFile? file = null;
        try
        {
            file = OpenFile(overlay.Id, mayOnlyRead, out var mayWrite);
            Check(file.Header, overlay, version);
            return new OverlayCore(file, baseImage, _pool, _context.Time, mayWrite, lost);
        }
        catch
        {
            file?.Dispose();
            await baseImage.DisposeAsync();
            throw;
        }
    }

    private OverlayFile OpenFile(Guid id, bool mayOnlyRead, out bool mayWrite)
    {
        try
        {
            mayWrite = true;
            return _files.Open(id, mayWrite: true);
        }
        catch (ReadOnlyException) when (mayOnlyRead)
        {
            mayWrite = false;
            return _files.Open(id, mayWrite: false);
        }
    }

    private void Check(OverlayHeader header, ImageEntry overlay, VersionRecord version)
    {
        if (header.Id != overlay.Id || header.BaseId != version.Id || header.BaseRoot != version.Root
            || header.Size != version.Size)
        {
            throw new CorruptDataException(
                $"{_files.PathOf(overlay.Id)} is not the file of overlay {overlay.Name}: it stands on {header.BaseName} " +
                $"with root {header.BaseRoot}, expected {version.Name} with root {version.Root}.");
        }
    }
}
