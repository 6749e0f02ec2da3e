using System.Collections.Concurrent;
using Benji.Store.Blocks;
using Benji.Store.Blocks.Age;
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

    /// <summary>Refuses the path of a target that is one of the store's own.</summary>
    public required Action<string> CheckTarget { get; init; }

    /// <summary>The aligned buffers of all workers.</summary>
    public required BlockBufferPool Pool { get; init; }

    /// <summary>The only clock.</summary>
    public required TimeProvider Time { get; init; }

    /// <summary>Where operations log.</summary>
    public required ILogger Logger { get; init; }

    /// <summary>The versions of which the log says already that what a dead run left of them cannot be finished now.</summary>
    public ConcurrentDictionary<Guid, bool> Unfinished { get; } = new();

    /// <summary>The storages of which the log says already that they hang.</summary>
    public ConcurrentDictionary<string, bool> Hanging { get; } = new();

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

/// <summary>The configured storages, each opened once, when first asked for, as the store that the catalog knows.</summary>
/// <remarks>Every opening throws <see cref="UsageException"/> when the name is not configured and the catalog does not know it,
/// <see cref="ConfigurationException"/> when it is no longer configured, it is another store, of a newer format, or the key does
/// not fit, and <see cref="StorageException"/> when it cannot be read or is away.</remarks>
internal interface IStoreDirectory
{
    /// <summary>The configured names, the default one first.</summary>
    IReadOnlyList<string> Names { get; }

    /// <summary>Opens a storage to read from it; where it and the catalog are not of the same age, or nobody can tell, the log
    /// says so, once.</summary>
    Task<OpenedStore> OpenForReadingAsync(string name, CancellationToken cancellationToken);

    /// <summary>Opens a storage to change something in it or because of it: catalog and storage were of the same age at most
    /// 5 s ago.</summary>
    /// <exception cref="AgeMismatchException">They are not of the same age; nothing was changed.</exception>
    Task<AgeWatch> OpenForChangeAsync(string name, CancellationToken cancellationToken);

    /// <summary>Asks whether somebody who reads may mend what is damaged, or mark it: false where opening for reading gave a
    /// warning, or would now.</summary>
    Task<bool> MayMendAsync(string name, CancellationToken cancellationToken);
}
