using Benji.Store.Model;

namespace Benji.Store.Catalogs;

/// <summary>The database of versions, map pages, block references, overlays, leases and intents.</summary>
/// <remarks>Safe for concurrent calls, from several processes too. One short transaction at a time: the work it is given
/// computes and calls the roles, and does nothing that waits. Decision: docs/decisions/0002.</remarks>
internal interface ICatalog : IAsyncDisposable
{
    /// <summary>Who this process is in the leases it takes.</summary>
    LeaseOwner Owner { get; }

    /// <summary>True when every write is refused with <see cref="ReadOnlyException"/>, leases included: who reads looks now and
    /// then whether what it reads is still there.</summary>
    bool IsReadOnly => false;

    /// <summary>Runs <paramref name="work"/> on one consistent state; what it changes is refused.</summary>
    /// <param name="work">Runs synchronously on one thread, at most once, but when <see cref="IsReadOnly"/>; returns values,
    /// nothing lazy.</param>
    /// <param name="cancellationToken">Stops the wait for the catalog, never the work.</param>
    /// <exception cref="CatalogException">The catalog cannot be read.</exception>
    Task<T> ReadAsync<T>(Func<ICatalogTransaction, T> work, CancellationToken cancellationToken);

    /// <summary>Runs <paramref name="work"/> and commits it, whole and durable when this returns; when the work throws,
    /// nothing of it is seen by anybody.</summary>
    /// <param name="work">Runs synchronously on one thread, at most once; returns values, nothing lazy.</param>
    /// <param name="cancellationToken">Stops the wait for the catalog, never the work or its commit.</param>
    /// <exception cref="CatalogException">The catalog cannot be written. When the
    /// commit's outcome is unknown the message says so, and the next transaction sees which it was.</exception>
    Task<T> WriteAsync<T>(Func<ICatalogTransaction, T> work, CancellationToken cancellationToken);

    /// <summary>Returns a number that every commit of any process changes; cheap enough to ask twice a second.</summary>
    long ReadGeneration();
}

/// <summary>The roles of the catalog inside one transaction; none is used after it.</summary>
internal interface ICatalogTransaction
{
    /// <summary>The versions.</summary>
    IVersions Versions { get; }

    /// <summary>The map pages.</summary>
    IBlockMaps BlockMaps { get; }

    /// <summary>The stored blocks.</summary>
    IBlockReferences BlockReferences { get; }

    /// <summary>The overlays.</summary>
    IOverlays Overlays { get; }

    /// <summary>The leases.</summary>
    ILeases Leases { get; }

    /// <summary>The intents: versions that are about to appear or to go.</summary>
    IIntents Intents { get; }

    /// <summary>The batches that are being deleted.</summary>
    IDeletionClaims DeletionClaims { get; }

    /// <summary>The blocks that runs are about to store as deltas.</summary>
    IDeltaReservations DeltaReservations { get; }

    /// <summary>The age marks of the storages.</summary>
    IAgeMarks AgeMarks { get; }

    /// <summary>The storages this catalog belongs to.</summary>
    IStorageBindings StorageBindings { get; }
}
