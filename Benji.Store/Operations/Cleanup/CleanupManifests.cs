using Benji.Store.Blocks;
using Benji.Store.Catalogs;
using Benji.Store.Model;

namespace Benji.Store.Operations.Cleanup;

/// <summary>Refuses a cleanup of a storage that holds versions of which the catalog knows nothing.</summary>
/// <remarks>Then the catalog is an old copy or another's, and what those versions need looks unneeded to it. A manifest
/// is known by a version of its id and name, or by an intent to make or remove that version.</remarks>
internal sealed class CleanupManifests(ICatalog catalog)
{
    /// <summary>Compares the manifests of one store with the catalog.</summary>
    /// <exception cref="ConfigurationException">The catalog does not know one of them.</exception>
    public async Task CheckAsync(OpenedStore store, CancellationToken cancellationToken)
    {
        var manifests = new ManifestStore(store);
        var names = new List<VersionName>();
        await foreach (var name in manifests.ListAsync(cancellationToken))
        {
            names.Add(name);
        }

        // Read after the listing: whoever put a manifest that was listed had recorded its intent before.
        var known = await catalog.ReadAsync(Known, cancellationToken);
        foreach (var name in names)
        {
            if (await IsUnknownAsync(manifests, name, known, cancellationToken))
            {
                // It may have been removed, or removed and made again under its name, since the catalog was read.
                known = await catalog.ReadAsync(Known, cancellationToken);
                if (await IsUnknownAsync(manifests, name, known, cancellationToken))
                {
                    throw new ConfigurationException(
                        $"Storage {store.Name} holds version {name}, which the catalog does not know: the catalog is " +
                        "older than the storage or belongs to another one. Nothing was deleted. " +
                        "'benji rebuild --force' makes the catalog anew from the storage.");
                }
            }
        }
    }

    private static Dictionary<VersionName, HashSet<Guid>> Known(ICatalogTransaction transaction)
    {
        var known = new Dictionary<VersionName, HashSet<Guid>>();
        var ids = transaction.Versions.List(volume: null).Select(version => (version.Name, version.Id))
            .Concat(transaction.Intents.List().Select(intent => (intent.Name, intent.VersionId)));
        foreach (var (name, id) in ids)
        {
            if (!known.TryGetValue(name, out var same))
            {
                known.Add(name, same = []);
            }

            same.Add(id);
        }

        return known;
    }

    // A damaged manifest says nothing about whose it is: a known name is enough then.
    private static async Task<bool> IsUnknownAsync(
        ManifestStore manifests,
        VersionName name,
        Dictionary<VersionName, HashSet<Guid>> known,
        CancellationToken cancellationToken)
    {
        try
        {
            var manifest = await manifests.FindAsync(name, cancellationToken);
            return manifest is not null && !(known.TryGetValue(name, out var ids) && ids.Contains(manifest.Id));
        }
        catch (CorruptDataException)
        {
            return !known.ContainsKey(name);
        }
    }
}
