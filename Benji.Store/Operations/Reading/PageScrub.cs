using Benji.Store.Blocks;
using Benji.Store.Blocks.Maps;
using Benji.Store.Blocks.Sealing;
using Benji.Store.Model;
using Benji.Store.Operations.Running;
using Benji.Store.Storages;

namespace Benji.Store.Operations.Reading;

/// <summary>Checks the map pages and the manifest of one version in the storage, and writes again what is missing or damaged.</summary>
/// <remarks>The catalog holds both, verified, so a fault here is repaired at once and only logged; where the storage is not of
/// the catalog's age it is only logged.</remarks>
internal sealed class PageScrub(StoreContext context, OpenedStore store, VersionRecord version)
{
    private const int PagesPerTrip = 64;

    /// <summary>Checks them all.</summary>
    /// <param name="isDeep">True to open each object; false to check that it is there.</param>
    /// <param name="progress">Told of every page.</param>
    /// <param name="cancellationToken">Stops before the next page.</param>
    /// <exception cref="CorruptDataException">A page is neither in the catalog nor sound in the storage.</exception>
    public async Task RunAsync(bool isDeep, IOperationProgress progress, CancellationToken cancellationToken)
    {
        progress.StartStage("checking pages", null, ProgressUnit.Items);
        await CheckManifestAsync(isDeep, cancellationToken);
        var map = StorePages.OpenMap(context, store, version);
        for (var level = map.RootLevel; level >= 0; level--)
        {
            var pages = (version.Geometry.BlockCount + MapTree.PageSpan(level) - 1) / MapTree.PageSpan(level);
            for (long first = 0; first < pages; first += PagesPerTrip)
            {
                var count = (int)Math.Min(PagesPerTrip, pages - first);
                await CheckAsync(map, level, first, count, isDeep, cancellationToken);
                progress.Advance(count);
            }
        }
    }

    private async Task CheckAsync(
        MapReader map, int level, long first, int count, bool isDeep, CancellationToken cancellationToken)
    {
        var numbers = Enumerable.Range(0, count).Select(i => first + i).ToList();
        var ids = await map.FindPagesAsync(level, numbers, cancellationToken);
        foreach (var id in ids.Where(id => !id.IsHole))
        {
            if (await IsSoundAsync(id, level, isDeep, cancellationToken))
            {
                continue;
            }

            if (!await context.Stores.MayMendAsync(store.Name, cancellationToken))
            {
                Log.ObjectLeftDamaged(context.Logger, ObjectNames.Page(id).Value, store.Name);
                continue;
            }

            var content = (await map.ReadPagesAsync([id], level, cancellationToken))[0]!;
            using var bytes = store.Pages.Seal(id, level, content);
            await RepairAsync(
                ObjectNames.Page(id), () => store.Storage.PutAsync(ObjectNames.Page(id), bytes.Memory, cancellationToken));
        }
    }

    // A disk that is full, or may not be written, is no reason not to check the rest.
    private async Task RepairAsync(ObjectName name, Func<Task> put)
    {
        try
        {
            await put();
            Log.ObjectRepaired(context.Logger, name.Value, store.Name);
        }
        catch (BenjiException failure) when (failure is StorageException or CatalogException or InUseException)
        {
            Log.ObjectNotRepaired(context.Logger, name.Value, failure.Message);
        }
    }

    private async Task<bool> IsSoundAsync(PageId id, int level, bool isDeep, CancellationToken cancellationToken)
    {
        if (!isDeep)
        {
            return await store.Storage.FindAsync(ObjectNames.Page(id), cancellationToken) is not null;
        }

        try
        {
            using var bytes = await ObjectReader.FindAsync(
                store.Storage, ObjectNames.Page(id), SealedPages.ObjectLengthMax, store.Pool, cancellationToken);
            if (bytes is null)
            {
                return false;
            }

            store.Pages.Open(id, level, bytes.Span);
            return true;
        }
        catch (CorruptDataException)
        {
            return false;
        }
    }

    private async Task CheckManifestAsync(bool isDeep, CancellationToken cancellationToken)
    {
        if (await HasManifestAsync(isDeep, cancellationToken))
        {
            return;
        }

        if (!await context.Stores.MayMendAsync(store.Name, cancellationToken))
        {
            Log.ObjectLeftDamaged(context.Logger, ObjectNames.Manifest(version.Name).Value, store.Name);
            return;
        }

        await RepairAsync(
            ObjectNames.Manifest(version.Name),
            () => new ManifestChange(context).ApplyAsync(
                version.Id, current => current with { Labels = current.Labels }, cancellationToken));
    }

    private async Task<bool> HasManifestAsync(bool isDeep, CancellationToken cancellationToken)
    {
        if (!isDeep)
        {
            return await store.Storage.FindAsync(ObjectNames.Manifest(version.Name), cancellationToken) is not null;
        }

        try
        {
            var manifest = await new ManifestStore(store).FindAsync(version.Name, cancellationToken);
            return manifest?.Id == version.Id && manifest.Root == version.Root;
        }
        catch (CorruptDataException)
        {
            return false;
        }
    }
}
