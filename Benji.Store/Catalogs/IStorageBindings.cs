namespace Benji.Store.Catalogs;

/// <summary>The storages this catalog has been used with, so that another store under the same name is noticed.</summary>
internal interface IStorageBindings
{
    /// <summary>Finds the store that a configured storage name stands for, or null when it was never used.</summary>
    StorageBinding? Find(string storage);

    /// <summary>Lists all of them, in no order.</summary>
    IReadOnlyList<StorageBinding> List();

    /// <summary>Records a storage at its first use, or replaces it in a rebuild.</summary>
    void Put(StorageBinding binding);
}

/// <summary>Which store a configured storage name stands for.</summary>
/// <param name="Storage">The configured name.</param>
/// <param name="StoreId">The id in its <c>store.json</c>.</param>
/// <param name="IsEncrypted">Its mode, which never changes.</param>
/// <param name="DoubtFrom">Rows that are younger, or as old, may be of a run that never published: their objects are looked
/// up before they are used. Null when there are none such.</param>
/// <param name="HoldsStrays">True when the storage may hold objects that no row knows, but for those of living runs.</param>
/// <param name="Doubts">Counts the runs that brought doubt: by it a cleanup knows that none did while it looked.</param>
internal sealed record StorageBinding(
    string Storage,
    Guid StoreId,
    bool IsEncrypted,
    DateTimeOffset? DoubtFrom = null,
    bool HoldsStrays = false,
    long Doubts = 0);
