using Benji.Store.Catalogs;

namespace Benji.Testing.Catalogs;

/// <summary>The roles of one transaction of a <see cref="MemoryCatalog"/>.</summary>
internal sealed class MemoryTransaction(MemorySession session) : ICatalogTransaction
{
    /// <inheritdoc/>
    public IVersions Versions { get; } = new MemoryVersions(session);

    /// <inheritdoc/>
    public IBlockMaps BlockMaps { get; } = new MemoryBlockMaps(session);

    /// <inheritdoc/>
    public IBlockReferences BlockReferences { get; } = new MemoryBlockReferences(session);

    /// <inheritdoc/>
    public IOverlays Overlays { get; } = new MemoryOverlays(session);

    /// <inheritdoc/>
    public ILeases Leases { get; } = new MemoryLeases(session);

    /// <inheritdoc/>
    public IIntents Intents { get; } = new MemoryIntents(session);

    /// <inheritdoc/>
    public IDeletionClaims DeletionClaims { get; } = new MemoryDeletionClaims(session);

    /// <inheritdoc/>
    public IDeltaReservations DeltaReservations { get; } = new MemoryDeltaReservations(session);

    /// <inheritdoc/>
    public IAgeMarks AgeMarks { get; } = new MemoryAgeMarks(session);

    /// <inheritdoc/>
    public IStorageBindings StorageBindings { get; } = new MemoryStorageBindings(session);
}
