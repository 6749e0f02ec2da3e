using Benji.Store.Blocks;
using Benji.Store.Blocks.Opening;
using Benji.Store.Catalogs;
using Benji.Store.Model;
using Benji.Store.Storages;
using Benji.Store.Storages.Files;
using Benji.Store.Storages.Wrappers;

namespace Benji.Store;

#pragma warning disable CA2000 // Each wrapper owns what it wraps; the outermost belongs to the opened store.

/// <summary>Makes a storage from its options, with the wrappers that they ask for, and opens it as a store.</summary>
internal static class StorageFactory
{
    /// <summary>Opens a storage as the store that the catalog knows, or as whatever store it is without a binding.</summary>
    /// <exception cref="ConfigurationException">It is another store, of a newer format, or the key does not fit.</exception>
    /// <exception cref="StorageException">It could not be read, or it is away: missing or empty.</exception>
    public static async Task<OpenedStore> OpenStoreAsync(
        StorageOptions options,
        StoreParts parts,
        StorageBinding? binding,
        BlockBufferPool pool,
        TimeProvider time,
        CancellationToken cancellationToken)
    {
        var storage = parts.WrapStorage(Create(options, pool, time));
        try
        {
            return await OpenedStore.OpenAsync(
                new StoreOpening
                {
                    Name = options.Name,
                    Storage = storage,
                    Key = Convert(options.Key),
                    ZstdLevel = options.ZstdLevel,
                    MayCreate = options.MayCreate,
                    ExpectedId = binding?.StoreId,
                    Pool = pool,
                    Time = time,
                },
                cancellationToken);
        }
        catch
        {
            await storage.DisposeAsync();
            throw;
        }
    }

    private static KeyMaterial? Convert(KeyOptions? key) =>
        key is null
            ? null
            : new KeyMaterial
            {
                MasterKey = key.MasterKey,
                Password = key.Password,
                Salt = key.KdfSalt,
                Iterations = key.KdfIterations,
            };

    // From the inside out: what is tried again counts against the limits once, and waits for its bandwidth each time; what
    // is read back waits for it too.
    private static LimitedStorage Create(StorageOptions options, BlockBufferPool pool, TimeProvider time)
    {
        IStorage storage = new FileStorage(new FileStorageOptions
        {
            Path = options.Path,
            Create = options.MayCreate,
            SimultaneousReads = options.SimultaneousReads,
            SimultaneousWrites = options.SimultaneousWrites,
        });
        if (options.BandwidthRead > 0 || options.BandwidthWrite > 0)
        {
            storage = new ThrottledStorage(storage, options.BandwidthRead, options.BandwidthWrite, time);
        }

        storage = new RetryingStorage(storage, RetryPolicy.Default, new Random(), time);
        return new LimitedStorage(options.ConsistencyCheckWrites ? new ReadBackStorage(storage, pool) : storage);
    }
}
