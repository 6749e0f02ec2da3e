using Benji.Store.Catalogs;
using Benji.Store.Catalogs.LiteDb;
using Benji.Store.Storages;

namespace Benji.Store;

/// <summary>What stands around the parts that a store opens: nothing in the product, faults and counters in tests.</summary>
internal sealed record StoreParts
{
    /// <summary>Nothing around anything.</summary>
    public static StoreParts Plain { get; } = new();

    /// <summary>Wraps each storage as it is opened; the wrapper owns what it wraps.</summary>
    public Func<IStorage, IStorage> WrapStorage { get; init; } = storage => storage;

    /// <summary>Opens the catalog; true for somebody who can do without writing.</summary>
    public Func<LiteDbCatalogOptions, bool, CancellationToken, Task<ICatalog>> OpenCatalog { get; init; } =
        LiteDbOpening.OpenAsync;

    /// <summary>Wraps the catalog; the wrapper owns what it wraps.</summary>
    public Func<ICatalog, ICatalog> WrapCatalog { get; init; } = catalog => catalog;
}
