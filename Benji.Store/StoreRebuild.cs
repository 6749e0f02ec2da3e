using Benji.Store.Blocks;
using Benji.Store.Catalogs.LiteDb;
using Benji.Store.Images.Overlays.Files;
using Benji.Store.Model;
using Benji.Store.Operations;
using Benji.Store.Operations.Rebuild;
using Benji.Store.Operations.Running;
using Benji.Store.Posix;
using Microsoft.Extensions.Logging;

namespace Benji.Store;

/// <summary>Opens what a rebuild works with, lets it fill a new catalog, and puts that in the old one's
/// place.</summary>
internal static class StoreRebuild
{
    private const long IdleBufferBytes = 64L * 1024 * 1024;

    // A storage in which somebody works each time is in use.
    private const int TriesMax = 3;

    /// <summary>Rebuilds the catalog.</summary>
    /// <exception cref="AlreadyExistsException">There is a catalog, and the request does not force.</exception>
    /// <exception cref="InUseException">The catalog is in use, or a storage by another catalog.</exception>
    /// <exception cref="ConfigurationException">No storage holds a store, or one cannot be opened.</exception>
    /// <exception cref="StorageException">A storage failed, or one that the old catalog knows is not there; the old catalog,
    /// or none, stands.</exception>
    /// <exception cref="UsageException">A storage that is to be forgotten is there, or unknown.</exception>
    public static async Task<RebuildResult> RunAsync(
        StoreOptions options,
        StoreParts parts,
        RebuildRequest request,
        ILogger logger,
        TimeProvider time,
        IOperationProgress progress,
        CancellationToken cancellationToken)
    {
        options.Places.RequireApart();
        if (!request.Force && LiteDbCatalog.Exists(options.CatalogPath))
        {
            throw new AlreadyExistsException(
                $"There is a catalog at {options.CatalogPath}; 'benji rebuild --force' replaces it.");
        }

        var stores = new List<OpenedStore>();
        try
        {
            await OpenStoresAsync(options, parts, logger, time, stores, cancellationToken);
            for (var tries = 0; tries < TriesMax; tries++)
            {
                if (await TryRunAsync(options, parts, request, stores, logger, time, progress, cancellationToken) is { } result)
                {
                    Log.CatalogRebuilt(logger, options.CatalogPath, result.Versions, result.Blocks, result.Problems.Count);
                    return result;
                }
            }

            throw new InUseException(
                "Another process works in the storage, by another catalog: end it, then run the rebuild again.");
        }
        finally
        {
            foreach (var store in stores)
            {
                await store.DisposeAsync();
            }
        }
    }

    // Null when somebody worked in a storage meanwhile; the old catalog stands then.
    private static async Task<RebuildResult?> TryRunAsync(
        StoreOptions options,
        StoreParts parts,
        RebuildRequest request,
        IReadOnlyList<OpenedStore> stores,
        ILogger logger,
        TimeProvider time,
        IOperationProgress progress,
        CancellationToken cancellationToken)
    {
        StorageClaim[] claims = [.. stores.Select(store => new StorageClaim(store))];
        foreach (var claim in claims)
        {
            await claim.PrepareAsync(cancellationToken);
        }

        await using var rebuild = await LiteDbRebuild.StartAsync(
            new LiteDbCatalogOptions { Path = options.CatalogPath, TimeProvider = time },
            old =>
            {
                KnownStorages.Check(old, stores, request.Forget);
                Array.ForEach(claims, claim => claim.Announce(old, time.GetUtcNow()));
            },
            cancellationToken);
        await using var target = parts.WrapCatalog(rebuild.Target);
        var overlayFiles = new OverlayDirectory(options.OverlayDirectory);
        var operation = new RebuildOperation(target, rebuild.Old, stores, overlayFiles, time, progress, claims);
        RebuildResult? result;
        try
        {
            result = await operation.RunAsync(cancellationToken);
            if (result is not null)
            {
                await rebuild.CompleteAsync(cancellationToken);
            }
        }
        catch (Exception failure) when (failure is not CatalogException)
        {
            // The old catalog stands, and works on when it finds nobody else's marks.
            await operation.DeleteMarksAsync(areOwn: true, logger);
            throw;
        }

        await operation.DeleteMarksAsync(areOwn: result is null, logger);
        return result;
    }

    // A storage that was never used has no directory, or an empty one; opening it would make a store of it.
    private static async Task OpenStoresAsync(
        StoreOptions options,
        StoreParts parts,
        ILogger logger,
        TimeProvider time,
        List<OpenedStore> stores,
        CancellationToken cancellationToken)
    {
        var pool = new BlockBufferPool(IdleBufferBytes);
        foreach (var storage in options.Storages)
        {
            if (!IsUsed(storage))
            {
                Log.StoragePassedOver(logger, storage.Name, storage.Path);
            }
            else
            {
                stores.Add(await StorageFactory.OpenStoreAsync(
                    storage with { MayCreate = false }, parts, binding: null, pool, time, cancellationToken));
            }
        }

        if (stores.Count == 0)
        {
            throw new ConfigurationException(
                "No configured storage holds anything, so there is nothing to make a catalog from: "
                + string.Join(", ", options.Storages.Select(storage => $"{storage.Name} ({storage.Path})")) + ".");
        }
    }

    private static bool IsUsed(StorageOptions storage)
    {
        try
        {
            if (FileStatus.Find(storage.Path, followLink: true) is not { } found)
            {
                return false;
            }

            // Says so with an error number when the directory is not ours to list.
            PosixFile.Open(storage.Path, OpenFlags.Read).Dispose();
            return found.Kind != FileKind.Directory || Directory.EnumerateFileSystemEntries(storage.Path).Any();
        }
        catch (IOException failure)
        {
            throw new StorageException(
                $"Storage {storage.Name} could not be looked at: {failure.Message}", isTransient: false, failure);
        }
    }
}
