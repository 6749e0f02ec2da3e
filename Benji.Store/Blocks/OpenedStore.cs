using Benji.Store.Blocks.Documents;
using Benji.Store.Blocks.Opening;
using Benji.Store.Blocks.Sealing;
using Benji.Store.Model;
using Benji.Store.Storages;
using Benji.Store.Transforms;

namespace Benji.Store.Blocks;

/// <summary>One storage opened as a store: its keys, and what seals and opens its objects.</summary>
/// <remarks>Safe for concurrent calls. Disposing it clears the keys and disposes the storage.</remarks>
internal sealed class OpenedStore : IAsyncDisposable
{
    private readonly ZstdTransform _zstd;

    private OpenedStore(StoreOpening opening, StoreFile file, StoreKeys keys, bool isNew)
    {
        _zstd = new ZstdTransform(opening.ZstdLevel ?? ZstdTransform.LevelDefault, opening.MayUseNativeZstd);
        Name = opening.Name;
        Storage = new WitnessedStorage(opening.Storage, ObjectNames.StoreFile, opening.Time);
        Pool = opening.Pool;
        StoreId = file.Id;
        IsNew = isNew;
        Keys = keys;
        Sealer = new Sealer(keys, file.Id, opening.ZstdLevel is null ? null : _zstd, opening.Pool, opening.NewKey);
        Opener = new Opener(keys, file.Id, _zstd);
        Pages = new SealedPages(keys, Sealer, Opener);
    }

    /// <summary>The configured name of the storage.</summary>
    public string Name { get; }

    /// <summary>The store's id.</summary>
    public Guid StoreId { get; }

    /// <summary>True when it was made of an empty storage in this opening.</summary>
    public bool IsNew { get; }

    /// <summary>True when its objects are encrypted.</summary>
    public bool IsEncrypted => Keys.IsEncrypted;

    /// <summary>The keys of the store.</summary>
    public StoreKeys Keys { get; }

    /// <summary>The storage, which tells what is missing or damaged from a storage that is away or fails.</summary>
    public IStorage Storage { get; }

    /// <summary>Where the memory of objects comes from.</summary>
    public BlockBufferPool Pool { get; }

    /// <summary>Seals objects.</summary>
    public Sealer Sealer { get; }

    /// <summary>Opens objects.</summary>
    public Opener Opener { get; }

    /// <summary>Seals and opens map pages.</summary>
    public SealedPages Pages { get; }

    /// <summary>Opens a storage as a store, or makes a new store of an empty one when it may.</summary>
    /// <exception cref="ConfigurationException">It holds another or no store, a newer format, or the key is missing, wrong
    /// or not needed. Nothing was written.</exception>
    /// <exception cref="CorruptDataException">Its <c>store.json</c> is damaged.</exception>
    /// <exception cref="StorageException">The storage could not be read or written, or is empty where a store is
    /// expected.</exception>
    public static async Task<OpenedStore> OpenAsync(StoreOpening opening, CancellationToken cancellationToken)
    {
        StoreSecrets.CheckMaterial(opening);
        var bytes = await ReadFileAsync(opening, cancellationToken);
        var isNew = false;
        if (bytes is null)
        {
            isNew = await TryCreateAsync(opening, cancellationToken);
            bytes = await ReadFileAsync(opening, cancellationToken)
                ?? throw new StorageException(
                    $"Storage {opening.Name} does not hold the store.json that was just written.", isTransient: false);
        }

        var file = StoreFile.Parse(bytes);
        if (opening.ExpectedId is { } expected && file.Id != expected)
        {
            throw new ConfigurationException(
                $"Storage {opening.Name} ({opening.Storage.Traits.Description}) holds store {file.Id:N}, "
                + $"the catalog expects {expected:N}: it is another store's place.");
        }

        var keys = await StoreSecrets.DeriveAsync(opening, file, cancellationToken);
        try
        {
            StoreSecrets.CheckGenuine(opening, file, bytes, keys);
            return new OpenedStore(opening, file, keys, isNew);
        }
        catch
        {
            keys.Dispose();
            throw;
        }
    }

    /// <summary>Clears the keys and disposes the storage.</summary>
    public async ValueTask DisposeAsync()
    {
        Keys.Dispose();
        _zstd.Dispose();
        await Storage.DisposeAsync();
    }

    private static async Task<byte[]?> ReadFileAsync(StoreOpening opening, CancellationToken cancellationToken)
    {
        using var buffer = await ObjectReader.FindAsync(
            opening.Storage, ObjectNames.StoreFile, StoreFile.LengthMax, opening.Pool, cancellationToken);
        return buffer?.Memory.ToArray();
    }

    // False when another run was faster: then its file counts.
    private static async Task<bool> TryCreateAsync(StoreOpening opening, CancellationToken cancellationToken)
    {
        var place = $"Storage {opening.Name} ({opening.Storage.Traits.Description})";
        foreach (var prefix in new[] { ObjectNames.ManifestPrefix, ObjectNames.PagePrefix, ObjectNames.BlockPrefix })
        {
            await foreach (var found in opening.Storage.ListAsync(prefix, cancellationToken))
            {
                if (await opening.Storage.FindAsync(ObjectNames.StoreFile, cancellationToken) is not null)
                {
                    return false;
                }

                throw new ConfigurationException(
                    $"{place} has no store.json but holds {found.Name}: its store.json was lost. Put it back.");
            }
        }

        if (opening.ExpectedId is { } expected)
        {
            throw new StorageException(
                $"{place} is empty, but the catalog expects store {expected:N} there: is it mounted?", isTransient: false);
        }

        if (!opening.MayCreate)
        {
            throw new ConfigurationException($"{place} holds no store.");
        }

        var file = StoreSecrets.NewFile(opening);
        using var keys = await StoreSecrets.DeriveAsync(opening, file, cancellationToken);
        return await opening.Storage.TryCreateAsync(ObjectNames.StoreFile, file.Format(keys), cancellationToken);
    }
}
