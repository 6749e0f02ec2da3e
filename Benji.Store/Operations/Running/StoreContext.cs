using Benji.Store.Blocks;
using Benji.Store.Catalogs;
using Benji.Store.Model;
using Benji.Store.Sources;
using Microsoft.Extensions.Logging;

namespace Benji.Store.Operations.Running;

/// <summary>What every operation works with: the catalog, the opened storages, buffers, the clock and the rules.</summary>
internal sealed record StoreContext
{
    /// <summary>The catalog.</summary>
    public required ICatalog Catalog { get; init; }

    /// <summary>Opens the storages by name.</summary>
    public required IStoreDirectory Stores { get; init; }

    /// <summary>Opens sources and targets.</summary>
    public required ISourceOpener Sources { get; init; }

    /// <summary>The aligned buffers of all workers.</summary>
    public required BlockBufferPool Pool { get; init; }

    /// <summary>The only clock.</summary>
    public required TimeProvider Time { get; init; }

    /// <summary>Where operations log.</summary>
    public required ILogger Logger { get; init; }

    /// <summary>The rules and sizes that the user configured.</summary>
    public required OperationSettings Settings { get; init; }
}

/// <summary>The rules and sizes of operations.</summary>
/// <param name="BlockSize">Bytes per block of a volume's first version.</param>
/// <param name="DisallowRemoveWhenYounger">Removal refuses younger versions.</param>
/// <param name="CleanupGracePeriod">Cleanup waits so long.</param>
/// <param name="Workers">Workers that hash and seal at once.</param>
internal sealed record OperationSettings(
    int BlockSize, TimeSpan DisallowRemoveWhenYounger, TimeSpan CleanupGracePeriod, int Workers);

/// <summary>The configured storages, each opened once, when first asked for.</summary>
internal interface IStoreDirectory
{
    /// <summary>The configured names, the default one first.</summary>
    IReadOnlyList<string> Names { get; }

    /// <summary>Opens a storage as a store and checks that it is the one the catalog knows.</summary>
    /// <param name="name">A configured name.</param>
    /// <param name="cancellationToken">Stops the opening.</param>
    /// <exception cref="UsageException">The name is not configured.</exception>
    /// <exception cref="ConfigurationException">It is another store, of a newer format, or the key does not fit.</exception>
    Task<OpenedStore> OpenAsync(string name, CancellationToken cancellationToken);
}
