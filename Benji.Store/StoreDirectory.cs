using System.Collections.Concurrent;
using Benji.Store.Blocks;
using Benji.Store.Catalogs;
using Benji.Store.Model;
using Benji.Store.Operations.Running;

namespace Benji.Store;

/// <summary>Opens the configured storages, each once, and binds the catalog to the stores it finds in them.</summary>
/// <remarks>Safe for concurrent calls.</remarks>
internal sealed class StoreDirectory(
    StoreOptions options, StoreParts parts, ICatalog catalog, BlockBufferPool pool, TimeProvider time)
    : IStoreDirectory, IAsyncDisposable
{
    // One for each storage, so that one that hangs holds up no other.
    private readonly ConcurrentDictionary<string, SemaphoreSlim> _opening = new();
    private readonly ConcurrentDictionary<string, OpenedStore> _opened = new();

    /// <inheritdoc/>
    public IReadOnlyList<string> Names { get; } =
        [.. options.Storages.Select(storage => storage.Name).OrderByDescending(name => name == options.DefaultStorage)];

    /// <inheritdoc/>
    public async Task<OpenedStore> OpenAsync(string name, CancellationToken cancellationToken)
    {
        var storage = options.Storages.FirstOrDefault(storage => storage.Name == name)
            ?? throw new UsageException(
                $"Storage {Model.Names.Show(name)} is not configured; there is {string.Join(", ", Names)}.");
        var opening = _opening.GetOrAdd(name, _ => new SemaphoreSlim(1, 1));
        await opening.WaitAsync(cancellationToken);
        try
        {
            if (!_opened.TryGetValue(name, out var store))
            {
                store = await OpenAsync(storage, cancellationToken);
                _opened[name] = store;
            }

            return store;
        }
        finally
        {
            opening.Release();
        }
    }

    /// <summary>Closes every storage that was opened.</summary>
    public async ValueTask DisposeAsync()
    {
        foreach (var store in _opened.Values)
        {
            await store.DisposeAsync();
        }

        foreach (var opening in _opening.Values)
        {
            opening.Dispose();
        }
    }

    private async Task<OpenedStore> OpenAsync(StorageOptions storage, CancellationToken cancellationToken)
    {
        var binding = await catalog.ReadAsync(
            transaction => transaction.StorageBindings.Find(storage.Name), cancellationToken);
        var store = await StorageFactory.OpenStoreAsync(storage, parts, binding, pool, time, cancellationToken);
        try
        {
            if (binding is null)
            {
                await BindAsync(store, cancellationToken);
            }
        }
        catch
        {
            await store.DisposeAsync();
            throw;
        }

        return store;
    }

    // A catalog that never met a store which has versions was lost or is another's: writing on would leave two truths.
    private async Task BindAsync(OpenedStore store, CancellationToken cancellationToken)
    {
        await foreach (var version in new ManifestStore(store).ListAsync(cancellationToken))
        {
            throw new ConfigurationException(
                $"Storage {store.Name} ({store.Storage.Traits.Description}) holds versions that this catalog does not know, " +
                $"{version} for one; 'benji rebuild' makes the catalog from the storage.");
        }

        await catalog.WriteAsync(
            transaction =>
            {
                transaction.StorageBindings.Put(new StorageBinding(store.Name, store.StoreId, store.IsEncrypted));
                return true;
            },
            cancellationToken);
    }
}
