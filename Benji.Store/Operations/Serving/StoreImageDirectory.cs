using Benji.Store.Catalogs;
using Benji.Store.Images;
using Benji.Store.Images.Overlays;
using Benji.Store.Images.Versions;
using Benji.Store.Model;
using Benji.Store.Operations.Overlays;
using Benji.Store.Operations.Running;

namespace Benji.Store.Operations.Serving;

/// <summary>The images of one store.</summary>
internal sealed class StoreImageDirectory : IImageDirectory, IAsyncDisposable
{
    private readonly StoreContext _context;
    private readonly ImageStores _stores;
    private readonly OpenVersions _versions;

    /// <summary>Opens the directory; no storage is opened before its first image is.</summary>
    /// <param name="context">The store.</param>
    /// <param name="place">Where it is on this host.</param>
    /// <param name="cacheBytes">Bytes of frames to keep in memory.</param>
    public StoreImageDirectory(StoreContext context, StorePlace place, long cacheBytes)
    {
        _context = context;
        _stores = new ImageStores(context, cacheBytes);
        _versions = new OpenVersions(context, _stores);
        Overlays = new OverlayDesk(
            context, place, async (id, token) => await _versions.OpenAsync(id, token));
    }

    /// <summary>The overlays, for who asks more of them than a protocol does.</summary>
    public OverlayDesk Overlays { get; }

    /// <inheritdoc/>
    public string? FindStoreIdentity() => Overlays.FindIdentity();

    /// <inheritdoc/>
    public long ReadGeneration() => _context.Catalog.ReadGeneration();

    /// <inheritdoc/>
    public Task<IReadOnlyList<ImageEntry>> ListAsync(string? volume, CancellationToken cancellationToken) =>
        Overlays.ListAsync(volume, isExact: false, cancellationToken);

    /// <inheritdoc/>
    public async Task<ImageEntry?> FindAsync(string name, CancellationToken cancellationToken)
    {
        if (name.Contains('@', StringComparison.Ordinal))
        {
            return await Overlays.FindAsync(name, cancellationToken);
        }

        var version = await _context.Catalog.ReadAsync(transaction => Find(transaction, name), cancellationToken);
        return version is null ? null : new ImageEntry(version);
    }

    /// <inheritdoc/>
    public OverlayState? FindOverlayState(ImageEntry overlay) => Overlays.FindState(overlay);

    /// <inheritdoc/>
    public async Task<IImage> OpenVersionAsync(ImageEntry version, CancellationToken cancellationToken) =>
        await _versions.OpenAsync(version.Version.Id, cancellationToken);

    /// <inheritdoc/>
    public async Task<IWritableImage> OpenOverlayAsync(ImageEntry overlay, CancellationToken cancellationToken) =>
        await Overlays.OpenAsync(overlay, cancellationToken);

    /// <inheritdoc/>
    public Task<ImageEntry> CreateOverlayAsync(ImageEntry version, string? name, CancellationToken cancellationToken) =>
        Overlays.CreateAsync(version.Version, name, cancellationToken);

    /// <inheritdoc/>
    public Task DiscardOverlayAsync(ImageEntry overlay, CancellationToken cancellationToken) =>
        Overlays.DiscardAsync(overlay, mayLoseData: true, cancellationToken);

    /// <inheritdoc/>
    public async Task<VersionRecord> PromoteAsync(ImageEntry overlay, CancellationToken cancellationToken)
    {
        var labels = new Dictionary<string, string>();
        var result = await Overlays.PromoteAsync(overlay, null, labels, NoProgress.Instance, cancellationToken);
        return result.Version;
    }

    /// <inheritdoc/>
    public async Task<IExtentMap?> FindChangesAsync(IImage image, string since, CancellationToken cancellationToken)
    {
        var found = await _context.Catalog.ReadAsync(
            transaction => VersionName.TryParse(since, out var name) ? transaction.Versions.Find(name) : null,
            cancellationToken);
        return (image, found) switch
        {
            (_, null) => null,
            (VersionImage version, _) => await FindChangesAsync(version, found, cancellationToken),
            (OverlayImage overlay, _) => await FindChangesAsync(overlay, found, cancellationToken),
            _ => null,
        };
    }

    /// <summary>Ends; every image is closed.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stores.DisposeAsync();
        _versions.Dispose();
    }

    private static VersionRecord? Find(ICatalogTransaction transaction, string name)
    {
        if (VersionName.TryParse(name, out var exact))
        {
            return transaction.Versions.Find(exact);
        }

        const string suffix = "/" + VersionName.Latest;
        return name.EndsWith(suffix, StringComparison.Ordinal) && Names.IsVolume(name[..^suffix.Length])
            ? transaction.Versions.FindLatest(name[..^suffix.Length], VersionStatus.Valid)
            : null;
    }

    // Block ids can be compared within one store and block size only.
    private static bool AreComparable(VersionRecord version, VersionRecord since) =>
        version.Storage == since.Storage && version.BlockSize == since.BlockSize;

    private async Task<IExtentMap?> FindChangesAsync(
        OverlayImage overlay, VersionRecord since, CancellationToken cancellationToken)
    {
        if (since.Id == overlay.Entry.Version.Id)
        {
            return overlay.ChangesOver(baseChanges: null);
        }

        return overlay.Base is VersionImage version
            && await FindChangesAsync(version, since, cancellationToken) is { } changes
            ? overlay.ChangesOver(changes)
            : null;
    }

    private async Task<IExtentMap?> FindChangesAsync(
        VersionImage version, VersionRecord since, CancellationToken cancellationToken) =>
        AreComparable(version.Entry.Version, since) ? await CompareAsync(version, since, cancellationToken) : null;

    // The other version stays open, and its blocks with it, for as long as the image.
    private async Task<IExtentMap?> CompareAsync(
        VersionImage image, VersionRecord since, CancellationToken cancellationToken)
    {
        try
        {
#pragma warning disable CA2000 // The image owns what it is compared with.
            var other = image.Own(await _versions.OpenAsync(since.Id, cancellationToken));
#pragma warning restore CA2000
            return new ChangeExtents(image.Source, other.Map, image.Map);
        }
        catch (NotFoundException)
        {
            return null;
        }
    }
}
