using Benji.Store.Blocks;
using Benji.Store.Catalogs;
using Benji.Store.Model;

namespace Benji.Store.Operations.Rebuild;

/// <summary>Refuses a rebuild that would forget a storage which the old catalog knows and which is not there.</summary>
/// <remarks>A storage is there when its store is, whatever it is called now.</remarks>
internal static class KnownStorages
{
    /// <summary>Compares the storages of the old catalog with those that were opened.</summary>
    /// <param name="old">The catalog that is to be replaced.</param>
    /// <param name="stores">The stores that were opened.</param>
    /// <param name="forget">The names of those that are to be forgotten.</param>
    /// <exception cref="StorageException">One is not there, and not to be forgotten.</exception>
    /// <exception cref="UsageException">One that is to be forgotten is there, or unknown.</exception>
    public static void Check(
        ICatalogTransaction old, IReadOnlyList<OpenedStore> stores, IReadOnlyCollection<string> forget)
    {
        var away = old.StorageBindings.List()
            .Where(binding => stores.All(store => store.StoreId != binding.StoreId))
            .Select(binding => binding.Storage)
            .Order(StringComparer.Ordinal)
            .ToList();
        if (forget.FirstOrDefault(name => !away.Contains(name)) is { } wrong)
        {
            throw new UsageException(
                $"There is nothing to forget of storage {Names.Show(wrong)}: it is there, or the catalog does not know it.");
        }

        if (away.Find(name => !forget.Contains(name)) is not { } missing)
        {
            return;
        }

        var count = old.Versions.List(volume: null).Count(version => version.Storage == missing);
        throw new StorageException(
            $"The catalog knows storage {missing}, with {count} {(count == 1 ? "version" : "versions")}, and it is not there: not mounted, "
            + "not configured, or another store is in its place. The catalog stands as it is. 'benji rebuild --force "
            + $"--forget {missing}' gives up what only that storage holds.",
            isTransient: false);
    }
}
