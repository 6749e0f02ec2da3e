using Benji.Store.Catalogs;
using Benji.Store.Images;
using Benji.Store.Images.Versions;
using Benji.Store.Model;
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
    /// <param name="cacheBytes">Bytes of frames to keep in memory.</param>
    public StoreImageDirectory(StoreContext context, long cacheBytes)
    {
        _context = context;
        _stores = new ImageStores(context, cacheBytes);
        _versions = new OpenVersions(context, _stores);
    }

    /// <inheritdoc/>
    public long ReadGeneration() => _context.Catalog.ReadGeneration();

    /// <inheritdoc/>
    public async Task<IReadOnlyList<ImageEntry>> ListAsync(string? volume, CancellationToken cancellationToken)
    {
        var versions = await _context.Catalog.ReadAsync(
            transaction => transaction.Versions.List(volume), cancellationToken);
        return [.. versions.Select(version => new ImageEntry(version))];
    }

    /// <inheritdoc/>
    public async Task<ImageEntry?> FindAsync(string name, CancellationToken cancellationToken)
    {
        var version = await _context.Catalog.ReadAsync(transaction => Find(transaction, name), cancellationToken);
        return version is null ? null : new ImageEntry(version);
    }

    /// <inheritdoc/>
    public async Task<IImage> OpenVersionAsync(ImageEntry version, CancellationToken cancellationToken) =>
        await _versions.OpenAsync(version.Version.Id, cancellationToken);

    /// <inheritdoc/>
    public Task<IWritableImage> OpenOverlayAsync(ImageEntry overlay, CancellationToken cancellationToken) =>
        throw new NotFoundException("Overlays come with the next step.");

    /// <inheritdoc/>
    public Task<ImageEntry> CreateOverlayAsync(ImageEntry version, string? name, CancellationToken cancellationToken) =>
        throw new NotFoundException("Overlays come with the next step.");

    /// <inheritdoc/>
    public Task DiscardOverlayAsync(ImageEntry overlay, CancellationToken cancellationToken) =>
        throw new NotFoundException("Overlays come with the next step.");

    /// <inheritdoc/>
    public Task<VersionRecord> PromoteAsync(ImageEntry overlay, CancellationToken cancellationToken) =>
        throw new NotFoundException("Overlays come with the next step.");

    /// <inheritdoc/>
    public async Task<IExtentMap?> FindChangesAsync(IImage image, string since, CancellationToken cancellationToken)
    {
        var found = await _context.Catalog.ReadAsync(
            transaction => VersionName.TryParse(since, out var name) ? transaction.Versions.Find(name) : null,
            cancellationToken);
        return image is VersionImage version && found is not null && AreComparable(version.Entry.Version, found)
            ? await CompareAsync(version, found, cancellationToken)
            : null;
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
