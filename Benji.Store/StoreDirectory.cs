using System.Collections.Concurrent;
using Benji.Store.Blocks;
using Benji.Store.Blocks.Age;
using Benji.Store.Blocks.Sealing;
using Benji.Store.Catalogs;
using Benji.Store.Model;
using Benji.Store.Operations.Running;
using Microsoft.Extensions.Logging;

namespace Benji.Store;

/// <summary>Opens the configured storages, each once, and binds the catalog to the stores it finds in them.</summary>
/// <remarks>Safe for concurrent calls.</remarks>
internal sealed class StoreDirectory(
    StoreOptions options, StoreParts parts, ICatalog catalog, BlockBufferPool pool, TimeProvider time, ILogger logger)
    : IStoreDirectory, IAsyncDisposable
{
    // One for each storage, so that one that hangs holds up no other.
    private readonly ConcurrentDictionary<string, SemaphoreSlim> _opening = new();
    private readonly ConcurrentDictionary<string, AgeWatch> _opened = new();

    // Those that gave a warning: nothing is mended there by this process any more.
    private readonly ConcurrentDictionary<string, bool> _distrusted = new();

    /// <inheritdoc/>
    public IReadOnlyList<string> Names { get; } =
        [.. options.Storages.Select(storage => storage.Name).OrderByDescending(name => name == options.DefaultStorage)];

    /// <inheritdoc/>
    public async Task<OpenedStore> OpenForReadingAsync(string name, CancellationToken cancellationToken)
    {
        var age = await OpenAsync(name, mayCreate: false, cancellationToken);
        await IsTrustedAsync(age, cancellationToken);
        return age.Store;
    }

    /// <inheritdoc/>
    public async Task<AgeWatch> OpenForChangeAsync(string name, CancellationToken cancellationToken)
    {
        var age = await OpenAsync(name, mayCreate: true, cancellationToken);
        await age.LookUnlessRecentAsync(cancellationToken);
        return age;
    }

    /// <inheritdoc/>
    public async Task<bool> MayMendAsync(string name, CancellationToken cancellationToken) =>
        !catalog.IsReadOnly && await IsTrustedAsync(await OpenAsync(name, mayCreate: false, cancellationToken), cancellationToken);

    /// <summary>Closes every storage that was opened.</summary>
    public async ValueTask DisposeAsync()
    {
        foreach (var age in _opened.Values)
        {
            await age.Store.DisposeAsync();
        }

        foreach (var opening in _opening.Values)
        {
            opening.Dispose();
        }
    }

    private async Task<AgeWatch> OpenAsync(string name, bool mayCreate, CancellationToken cancellationToken)
    {
        var storage = options.Storages.FirstOrDefault(storage => storage.Name == name)
            ?? throw await NotConfiguredAsync(name, cancellationToken);
        var opening = _opening.GetOrAdd(name, _ => new SemaphoreSlim(1, 1));
        await opening.WaitAsync(cancellationToken);
        try
        {
            if (!_opened.TryGetValue(name, out var age))
            {
                age = await OpenAsync(storage with { MayCreate = mayCreate && storage.MayCreate }, cancellationToken);
                _opened[name] = age;
            }

            return age;
        }
        finally
        {
            opening.Release();
        }
    }

    // One that the catalog knows was configured once: then it is not the command line that is wrong.
    private async Task<BenjiException> NotConfiguredAsync(string name, CancellationToken cancellationToken)
    {
        var message = $"Storage {Model.Names.Show(name)} is not configured; there is {string.Join(", ", Names)}.";
        return await FindBindingAsync(name, cancellationToken) is null
            ? new UsageException(message)
            : new ConfigurationException(message);
    }

    private async Task<AgeWatch> OpenAsync(StorageOptions storage, CancellationToken cancellationToken)
    {
        var binding = await FindBindingAsync(storage.Name, cancellationToken);
#pragma warning disable CA2000 // This directory closes the store; every failure before that closes it here.
        var store = await StorageFactory.OpenStoreAsync(
            storage with { MayCreate = storage.MayCreate && binding is null }, parts, binding, pool, time, cancellationToken);
#pragma warning restore CA2000 // The reason ends here.
        try
        {
            var age = new AgeWatch(store, catalog, time);
            if (binding is null)
            {
                await BindAsync(age, cancellationToken);
            }

            return age;
        }
        catch
        {
            await store.DisposeAsync();
            throw;
        }
    }

    // A catalog that never met a store which has versions, or age marks, was lost or is another's: writing on would leave two
    // truths. The look at the marks is the first one of this run, too.
    private async Task BindAsync(AgeWatch age, CancellationToken cancellationToken)
    {
        var store = age.Store;
        var holdsStrays = !store.IsNew && await HoldsAnyAsync(store, ObjectNames.BlockPrefix, cancellationToken);
        if (await FindForeignAsync(age, cancellationToken) is { } foreign
            && await FindBindingAsync(store.Name, cancellationToken) is null)
        {
            throw new ConfigurationException(
                $"Storage {store.Name} ({store.Storage.Traits.Description}) holds {foreign}; 'benji rebuild' makes the catalog " +
                "from the storage.");
        }

        var bound = await catalog.WriteAsync(
            transaction =>
            {
                // Another process of this catalog may have met the storage at the same time.
                var binding = transaction.StorageBindings.Find(store.Name)
                    ?? new StorageBinding(store.Name, store.StoreId, store.IsEncrypted, HoldsStrays: holdsStrays);
                transaction.StorageBindings.Put(binding);
                return binding;
            },
            cancellationToken);
        if (bound.StoreId != store.StoreId)
        {
            throw new ConfigurationException(
                $"Storage {store.Name} ({store.Storage.Traits.Description}) holds store {store.StoreId:N}, " +
                $"the catalog expects {bound.StoreId:N}: it is another store's place.");
        }
    }

    private static async Task<string?> FindForeignAsync(AgeWatch age, CancellationToken cancellationToken)
    {
        await foreach (var version in new ManifestStore(age.Store).ListAsync(cancellationToken))
        {
            return $"versions that this catalog does not know, {version} for one";
        }

        return await age.FindMismatchAsync(cancellationToken) is null
            ? null
            : "the age marks of a catalog that was used with it before";
    }

    private static async Task<bool> HoldsAnyAsync(OpenedStore store, string prefix, CancellationToken cancellationToken)
    {
        await foreach (var info in store.Storage.ListAsync(prefix, cancellationToken))
        {
            return true;
        }

        return false;
    }

    private Task<StorageBinding?> FindBindingAsync(string name, CancellationToken cancellationToken) =>
        catalog.ReadAsync(transaction => transaction.StorageBindings.Find(name), cancellationToken);

    private async Task<bool> IsTrustedAsync(AgeWatch age, CancellationToken cancellationToken)
    {
        var name = age.Store.Name;
        if (_distrusted.ContainsKey(name))
        {
            return false;
        }

        var reason = await FindReasonAsync(age, cancellationToken);
        if (reason is not null && _distrusted.TryAdd(name, true))
        {
            Log.AgeInDoubt(logger, reason);
        }

        return reason is null;
    }

    private static async Task<string?> FindReasonAsync(AgeWatch age, CancellationToken cancellationToken)
    {
        const string consequence = "What is there is read all the same; nothing is repaired or marked.";
        try
        {
            var mismatch = age.IsRecent ? null : await age.FindMismatchAsync(cancellationToken);
            return mismatch?.Describe(age.Store, consequence);
        }
        catch (StorageException failure)
        {
            return $"Nobody can tell whether storage {age.Store.Name} is of the same age as the catalog: {failure.Message} {consequence}";
        }
    }
}
