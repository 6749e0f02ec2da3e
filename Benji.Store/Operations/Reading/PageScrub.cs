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

        // Each page once, level by level: the work is measured by the pages that there are, not by the size of the version.
        HashSet<PageId> pages = map.Root.IsHole ? [] : [map.Root];
        for (var level = map.RootLevel; level >= 0; level--)
        {
            var below = new HashSet<PageId>();
            foreach (var batch in pages.Chunk(PagesPerTrip))
            {
                await CheckAsync(map, level, batch, isDeep, cancellationToken);
                if (level > 0)
                {
                    var contents = await map.ReadPagesAsync(batch, level, cancellationToken);
                    below.UnionWith(contents.SelectMany(content => MapPage.ReadChildren(content!)));
                }

                progress.Advance(batch.Length);
            }

            pages = below;
        }
    }

    private async Task CheckAsync(
        MapReader map, int level, IReadOnlyList<PageId> ids, bool isDeep, CancellationToken cancellationToken)
    {
        foreach (var id in ids)
        {
            if (await IsSoundAsync(id, level, isDeep, cancellationToken))
            {
                continue;
            }

            var content = (await map.ReadPagesAsync([id], level, cancellationToken))[0]!;
            await MendAsync(ObjectNames.Page(id), () => PutAsync(id, level, content, cancellationToken), cancellationToken);
        }
    }

    private async Task PutAsync(PageId id, int level, byte[] content, CancellationToken cancellationToken)
    {
        using var bytes = store.Pages.Seal(id, level, content);
        await store.Storage.PutAsync(ObjectNames.Page(id), bytes.Memory, cancellationToken);
    }

    // What cannot be written again is a warning: the catalog holds it.
    private async Task MendAsync(ObjectName name, Func<Task> mend, CancellationToken cancellationToken)
    {
        if (!await context.Stores.MayMendAsync(store.Name, cancellationToken))
        {
            Log.ObjectLeftDamaged(context.Logger, name.Value, store.Name);
            return;
        }

        try
        {
            await mend();
            Log.ObjectRepaired(context.Logger, name.Value, store.Name);
        }
        catch (BenjiException failure) when (Recording.IsOfPlace(failure))
        {
            Log.ObjectNotMended(context.Logger, name.Value, store.Name, failure.Message);
        }
    }

    private async Task<bool> IsSoundAsync(PageId id, int level, bool isDeep, CancellationToken cancellationToken)
    {
        try
        {
            if (!isDeep)
            {
                return await store.Storage.FindAsync(ObjectNames.Page(id), cancellationToken) is not null;
            }

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

        await MendAsync(
            ObjectNames.Manifest(version.Name),
            () => new ManifestChange(context).ApplyAsync(
                version.Id, current => current with { Labels = current.Labels }, cancellationToken),
            cancellationToken);
    }

    private async Task<bool> HasManifestAsync(bool isDeep, CancellationToken cancellationToken)
    {
        try
        {
            if (!isDeep)
            {
                return await store.Storage.FindAsync(ObjectNames.Manifest(version.Name), cancellationToken) is not null;
            }

            var manifest = await new ManifestStore(store).FindAsync(version.Name, cancellationToken);
            return manifest?.Id == version.Id && manifest.Root == version.Root;
        }
        catch (CorruptDataException)
        {
            return false;
        }
    }
}
