using System.Collections.Concurrent;
using Benji.Store.Catalogs;
using Benji.Store.Catalogs.LiteDb;
using Benji.Store.Images;
using Benji.Store.Images.Overlays.Files;
using Benji.Store.Model;
using Benji.Store.Operations;
using Benji.Store.Operations.Backup;
using Benji.Store.Operations.Cleanup;
using Benji.Store.Operations.Overlays;
using Benji.Store.Operations.Reading;
using Benji.Store.Operations.Removal;
using Benji.Store.Operations.Running;
using Benji.Store.Operations.Serving;
using Microsoft.Extensions.Logging;

namespace Benji.Store;

/// <summary>The front door: a catalog with its storages, opened, and one method for each thing that can be asked of them.</summary>
/// <remarks>Safe for concurrent calls. Every method may throw what its operation documents, and <see cref="CatalogException"/>
/// when the catalog cannot be used.</remarks>
public sealed class BenjiStore : IAsyncDisposable
{
    /// <summary>Bytes of image content that are kept in memory where nothing else is asked for.</summary>
    public const long ImageCacheBytes = 256L * 1024 * 1024;

    private const long IdleBufferBytes = 64L * 1024 * 1024;

    // What a promotion reads of the base: frames that the overlay replaced in part.
    private const long OwnCacheBytes = 64L * 1024 * 1024;

    private readonly StoreContext _context;
    private readonly StoreDirectory _stores;
    private readonly ConcurrentStack<StoreImageDirectory> _images = [];
    private readonly StorePlace _place;
    private readonly Lazy<StoreImageDirectory> _own;

    private BenjiStore(
        StoreOptions options, StoreParts parts, ICatalog catalog, ILogger logger, TimeProvider time)
    {
        _place = new StorePlace(options.CatalogPath, options.OverlayDirectory);
        _own = new Lazy<StoreImageDirectory>(() => OpenDirectory(OwnCacheBytes));
        var pool = new BlockBufferPool(IdleBufferBytes);
        _stores = new StoreDirectory(options, parts, catalog, pool, time, logger);
        _context = new StoreContext
        {
            Catalog = catalog,
            Stores = _stores,
            Sources = options.Sources,
            CheckTarget = path => options.Places.RequireOutside(path, "The target"),
            Pool = pool,
            Time = time,
            Logger = logger,
            Settings = new OperationSettings(
                options.BlockSize, options.DisallowRemoveWhenYounger, options.CleanupGracePeriod, options.Workers),
        };
    }

    /// <summary>Opens the store.</summary>
    /// <param name="options">Where everything is.</param>
    /// <param name="use">What for; what dead runs left half done is finished only by who changes something.</param>
    /// <param name="logging">Where operations log.</param>
    /// <param name="time">The only clock.</param>
    /// <param name="cancellationToken">Stops the opening.</param>
    /// <exception cref="NotFoundException">There is no catalog.</exception>
    /// <exception cref="NotAllowedException">Two of the store's places lie in one another.</exception>
    /// <exception cref="ConfigurationException">The catalog is of a newer format.</exception>
    /// <exception cref="ReadOnlyException">The catalog cannot be written, and something is to be changed.</exception>
    public static Task<BenjiStore> OpenAsync(
        StoreOptions options,
        StoreUse use,
        ILoggerFactory logging,
        TimeProvider time,
        CancellationToken cancellationToken = default) =>
        OpenAsync(options, StoreParts.Plain, use, logging, time, cancellationToken);

    /// <summary>Makes a new catalog from the storages alone and puts it in the place of the old one, if any.</summary>
    /// <exception cref="AlreadyExistsException">There is a catalog, and the request does not force.</exception>
    /// <exception cref="InUseException">The catalog is in use, or was used meanwhile; it stands as it is.</exception>
    /// <exception cref="ConfigurationException">No storage holds a store, or one cannot be opened.</exception>
    /// <exception cref="StorageException">A storage failed; the old catalog, or none, stands.</exception>
    public static Task<RebuildResult> RebuildAsync(
        StoreOptions options,
        RebuildRequest request,
        ILoggerFactory logging,
        TimeProvider time,
        IOperationProgress progress,
        CancellationToken cancellationToken = default) =>
        StoreRebuild.RunAsync(
            options, StoreParts.Plain, request, logging.CreateLogger("benji"), time, progress, cancellationToken);

    /// <summary>Refuses a backup that cannot begin, before a new store is made for it; where there is a catalog, the backup
    /// itself does.</summary>
    /// <exception cref="NotFoundException">The source, the hints or the base version do not exist.</exception>
    /// <exception cref="UsageException">A name is not valid.</exception>
    /// <exception cref="StorageException">The source cannot be read, or the storage not be looked into.</exception>
    /// <exception cref="ConfigurationException">The storage holds versions: its catalog was lost.</exception>
    public static async Task CheckFirstBackupAsync(StoreOptions options, BackupRequest request)
    {
        if (LiteDbCatalog.Exists(options.CatalogPath))
        {
            return;
        }

        await BackupOperation.CheckFirstAsync(options.Sources, request);
        var name = request.Storage ?? options.DefaultStorage;
        if (options.Storages.FirstOrDefault(other => other.Name == name) is { } storage && StorePlaces.HoldsVersions(storage.Path))
        {
            throw new ConfigurationException(
                $"There is no catalog at {options.CatalogPath}, and storage {name} ({storage.Path}) holds versions: 'benji rebuild' "
                + "makes the catalog from the storage.");
        }
    }

    /// <summary>Backs a source up into a new version.</summary>
    public Task<BackupResult> BackupAsync(
        BackupRequest request, IOperationProgress progress, CancellationToken cancellationToken = default) =>
        new BackupOperation(_context, request, progress).RunAsync(cancellationToken);

    /// <summary>Writes a version to a target.</summary>
    public Task<RestoreResult> RestoreAsync(
        RestoreRequest request, IOperationProgress progress, CancellationToken cancellationToken = default) =>
        new RestoreOperation(_context, request, progress).RunAsync(cancellationToken);

    /// <summary>Checks a version.</summary>
    public Task<ScrubResult> ScrubAsync(
        ScrubRequest request, IOperationProgress progress, CancellationToken cancellationToken = default) =>
        new ScrubOperation(_context, request, progress).RunAsync(cancellationToken);

    /// <summary>Removes versions.</summary>
    public Task<RemoveResult> RemoveAsync(RemoveRequest request, CancellationToken cancellationToken = default) =>
        new RemoveOperation(_context).RunAsync(request, cancellationToken);

    /// <summary>Deletes what no version needs any more.</summary>
    public Task<CleanupResult> CleanupAsync(
        CleanupRequest request, IOperationProgress progress, CancellationToken cancellationToken = default) =>
        new CleanupOperation(_context, request, progress).RunAsync(cancellationToken);

    /// <summary>Lists versions by volume, then date.</summary>
    /// <param name="text">Only those of this volume, or those whose name begins so; null for all.</param>
    /// <param name="cancellationToken">Stops the wait for the catalog.</param>
    /// <exception cref="NotFoundException">There is no such volume or version.</exception>
    /// <exception cref="UsageException">The text is a filter.</exception>
    public Task<IReadOnlyList<VersionRecord>> ListAsync(string? text, CancellationToken cancellationToken = default) =>
        _context.Catalog.ReadAsync(transaction => VersionResolver.List(transaction, text), cancellationToken);

    /// <summary>Opens the store's versions and overlays as images.</summary>
    /// <param name="cacheBytes">Bytes of image content to keep in memory, verified and ready.</param>
    /// <returns>The images, for as long as the store is open; all of them are closed before it is.</returns>
    public IImageDirectory OpenImages(long cacheBytes = ImageCacheBytes) => OpenDirectory(cacheBytes);

    /// <summary>Makes an empty overlay of a version, which pins it.</summary>
    public async Task<ImageEntry> CreateOverlayAsync(
        string version, string? name, CancellationToken cancellationToken = default)
    {
        var found = await _context.Catalog.ReadAsync(
            transaction => VersionResolver.Resolve(transaction, version), cancellationToken);
        return await _own.Value.Overlays.CreateAsync(found, name, cancellationToken);
    }

    /// <summary>Lists overlays by volume, then their bases' dates, with what each holds counted exactly.</summary>
    /// <param name="text">Only those of this volume, or of this version as the user named it; null for all.</param>
    /// <param name="cancellationToken">Stops the wait for the catalog.</param>
    public Task<IReadOnlyList<ImageEntry>> ListOverlaysAsync(
        string? text, CancellationToken cancellationToken = default) =>
        _own.Value.Overlays.ListOfAsync(text, cancellationToken);

    /// <summary>Removes overlays; those that hold data only with force.</summary>
    public Task<IReadOnlyList<ImageEntry>> RemoveOverlaysAsync(
        OverlayRemoveRequest request, CancellationToken cancellationToken = default) =>
        _own.Value.Overlays.RemoveAsync(request, cancellationToken);

    /// <summary>Makes an overlay a new version of its volume.</summary>
    public Task<BackupResult> PromoteAsync(
        PromoteRequest request, IOperationProgress progress, CancellationToken cancellationToken = default) =>
        _own.Value.Overlays.PromoteAsync(request, progress, cancellationToken);

    /// <summary>Sets and removes labels of a version.</summary>
    /// <exception cref="NotFoundException">There is no such version.</exception>
    public async Task<VersionRecord> LabelAsync(
        string version,
        IReadOnlyDictionary<string, string> set,
        IReadOnlyCollection<string> remove,
        CancellationToken cancellationToken = default) =>
        await ChangeAsync(version, record => Labels.Change(record, set, remove), cancellationToken);

    /// <summary>Protects a version from removal and retention, or allows both again.</summary>
    /// <exception cref="NotFoundException">There is no such version.</exception>
    public async Task<VersionRecord> ProtectAsync(
        string version, bool isProtected, CancellationToken cancellationToken = default) =>
        await ChangeAsync(
            version,
            record => record.IsProtected == isProtected ? record : record with { IsProtected = isProtected },
            cancellationToken);

    /// <summary>Closes the storages and the catalog; leases of this process end.</summary>
    public async ValueTask DisposeAsync()
    {
        foreach (var images in _images)
        {
            await images.DisposeAsync();
        }

        await _stores.DisposeAsync();
        await _context.Catalog.DisposeAsync();
    }

    /// <summary>The catalog, for tests that put it in a state that a crash would leave.</summary>
    internal ICatalog Catalog => _context.Catalog;

    internal static async Task<BenjiStore> OpenAsync(
        StoreOptions options,
        StoreParts parts,
        StoreUse use,
        ILoggerFactory logging,
        TimeProvider time,
        CancellationToken cancellationToken)
    {
        options.Places.RequireApart();
        if (use != StoreUse.Create && !LiteDbCatalog.Exists(options.CatalogPath))
        {
            throw new NotFoundException(
                $"There is no catalog at {options.CatalogPath}. 'benji backup' makes a new one; 'benji rebuild' makes it " +
                "from the storages that hold versions already.");
        }

#pragma warning disable CA2000 // The wrapper owns the catalog, and the store the wrapper.
        var catalog = parts.WrapCatalog(await parts.OpenCatalog(
            new LiteDbCatalogOptions
            {
                Path = options.CatalogPath,
                Create = use == StoreUse.Create,
                TimeProvider = time,
                Waiting = SayHolder(options, logging.CreateLogger("benji")),
            },
            use is StoreUse.Read or StoreUse.Serve,
            cancellationToken));
#pragma warning restore CA2000
        var store = new BenjiStore(options, parts, catalog, logging.CreateLogger("benji"), time);
        try
        {
            if (use != StoreUse.Read && !catalog.IsReadOnly)
            {
                await store.FinishAsync(cancellationToken);
            }
        }
        catch
        {
            await store.DisposeAsync();
            throw;
        }

        return store;
    }

    private static Action<string> SayHolder(StoreOptions options, ILogger logger) =>
        holder => Log.Waiting(logger, $"{holder} is at work in the catalog {options.CatalogPath}");

    private async Task FinishAsync(CancellationToken cancellationToken)
    {
        await new IntentRecovery(_context).RunAsync(cancellationToken);
        await new OverlayRecovery(_context, new OverlayDirectory(_place.OverlayPath)).RunAsync(cancellationToken);
    }

    private StoreImageDirectory OpenDirectory(long cacheBytes)
    {
        var images = new StoreImageDirectory(_context, _place, cacheBytes);
        _images.Push(images);
        return images;
    }

    private async Task<VersionRecord> ChangeAsync(
        string version, Func<VersionRecord, VersionRecord> change, CancellationToken cancellationToken)
    {
        var found = await _context.Catalog.ReadAsync(
            transaction => VersionResolver.Resolve(transaction, version), cancellationToken);
        return await new ManifestChange(_context).ApplyAsync(found.Id, change, cancellationToken);
    }
}
