using Benji.Store.Blocks;
using Benji.Store.Blocks.Maps;
using Benji.Store.Blocks.Opening;
using Benji.Store.Catalogs;
using Benji.Store.Catalogs.LiteDb;
using Benji.Store.Model;
using Benji.Store.Storages.Files;

namespace Benji.Bench;

/// <summary>The parts of a store in a home directory, as the program itself lays it out, opened without the program.</summary>
internal sealed class BenchParts : IAsyncDisposable
{
    /// <summary>The name of the storage in a home directory without a configuration.</summary>
    public const string StorageName = "storage";

    private BenchParts(OpenedStore store, ICatalog catalog)
    {
        Store = store;
        Catalog = catalog;
        Pages = new PageStore(store, catalog, new PendingDeletions(store, catalog, TimeProvider.System), TimeProvider.System);
    }

    /// <summary>The storage, opened.</summary>
    public OpenedStore Store { get; }

    /// <summary>The catalog.</summary>
    public ICatalog Catalog { get; }

    /// <summary>The map pages.</summary>
    public PageStore Pages { get; }

    /// <summary>The time.</summary>
    public static DateTimeOffset Now => TimeProvider.System.GetUtcNow();

    /// <summary>The directory of the storage in a home directory.</summary>
    public static string StoragePath(string home) => Path.Combine(home, "storage");

    /// <summary>Opens or makes the store of a home directory, without encryption.</summary>
    public static async Task<BenchParts> OpenAsync(string home)
    {
        var storage = new FileStorage(new FileStorageOptions { Path = StoragePath(home), Create = true });
        var opening = new StoreOpening
        {
            Name = StorageName,
            Storage = storage,
            MayCreate = true,
            Pool = new BlockBufferPool(16 << 20),
            Time = TimeProvider.System,
        };
        var store = await OpenedStore.OpenAsync(opening, CancellationToken.None);
        var catalog = await LiteDbCatalog.OpenAsync(
            new LiteDbCatalogOptions { Path = Path.Combine(home, "catalog.db"), Create = true }, CancellationToken.None);
        await catalog.WriteAsync(
            t =>
            {
                t.StorageBindings.Put(new StorageBinding(StorageName, store.StoreId, store.IsEncrypted));
                return true;
            },
            CancellationToken.None);
        return new BenchParts(store, catalog);
    }

    /// <summary>Closes both.</summary>
    public async ValueTask DisposeAsync()
    {
        await Catalog.DisposeAsync();
        await Store.DisposeAsync();
    }
}
