using Benji.Store.Catalogs.LiteDb.Rows;
namespace Benji.Store.Catalogs.LiteDb.Roles;

/// <summary>The roles of the catalog inside one transaction of LiteDB.</summary>
internal sealed class LiteDbTransaction(
    LiteDbRows rows, BlockGroupCache groups, ILeaseOwners owners, TimeProvider timeProvider)
    : ICatalogTransaction
{
    /// <inheritdoc/>
    public IVersions Versions { get; } = new LiteDbVersions(rows);

    /// <inheritdoc/>
    public IBlockMaps BlockMaps { get; } = new LiteDbBlockMaps(rows);

    /// <inheritdoc/>
    public IBlockReferences BlockReferences { get; } = new LiteDbBlockReferences(rows, groups);

    /// <inheritdoc/>
    public IOverlays Overlays { get; } = new LiteDbOverlays(rows);

    /// <inheritdoc/>
    public ILeases Leases { get; } = new LiteDbLeases(rows, owners, timeProvider);

    /// <inheritdoc/>
    public IIntents Intents { get; } = new LiteDbIntents(rows);

    /// <inheritdoc/>
    public IDeletionClaims DeletionClaims { get; } = new LiteDbDeletionClaims(rows);

    /// <inheritdoc/>
    public IDeltaReservations DeltaReservations { get; } = new LiteDbDeltaReservations(rows);

    /// <inheritdoc/>
    public IAgeMarks AgeMarks { get; } = new LiteDbAgeMarks(rows);

    /// <inheritdoc/>
    public IStorageBindings StorageBindings { get; } = new LiteDbStorageBindings(rows);
}
