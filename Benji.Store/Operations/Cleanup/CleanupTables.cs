using Benji.Store.Blocks;
using Benji.Store.Blocks.Sealing;
using Benji.Store.Catalogs;
using Benji.Store.Model;

namespace Benji.Store.Operations.Cleanup;

/// <summary>One row as a cleanup looks at it, of a block or a page.</summary>
/// <param name="Id">The id.</param>
/// <param name="Storage">The configured name of its storage.</param>
/// <param name="State">Where it stands.</param>
/// <param name="Since">Since when.</param>
/// <param name="IsInvalid">True for a damaged block.</param>
internal readonly record struct CleanupRow(
    Hash256 Id, string Storage, ReferenceState State, DateTimeOffset Since, bool IsInvalid);

/// <summary>One of the two tables that a cleanup sweeps: blocks or pages, in the same words.</summary>
internal interface ICleanupTable
{
    /// <summary>Lists rows in the order of their ids.</summary>
    IReadOnlyList<CleanupRow> Scan(ICatalogTransaction transaction, Hash256? after, int count);

    /// <summary>Finds rows; missing ones are left out.</summary>
    IReadOnlyList<CleanupRow> Find(ICatalogTransaction transaction, IReadOnlyList<Hash256> ids);

    /// <summary>Sets the state of rows.</summary>
    void SetState(
        ICatalogTransaction transaction, IReadOnlyList<Hash256> ids, ReferenceState state, DateTimeOffset since);

    /// <summary>Makes the row of an orphan that turned out to be needed; does nothing when its object is missing or
    /// damaged.</summary>
    /// <exception cref="LeaseLostException">The lease on cleanup was superseded.</exception>
    Task AdoptAsync(CleanupScope scope, Hash256 id, CancellationToken cancellationToken);

    /// <summary>Claims rows of a storage, all of which stand in it.</summary>
    void Begin(ICatalogTransaction transaction, string storage, IReadOnlyList<Hash256> ids, DateTimeOffset now);
}

/// <summary>The table of blocks.</summary>
internal sealed class CleanupBlocks : ICleanupTable
{
    /// <inheritdoc/>
    public IReadOnlyList<CleanupRow> Scan(ICatalogTransaction transaction, Hash256? after, int count) =>
        [.. transaction.BlockReferences.Scan(after is { } id ? new BlockId(id) : null, count).Select(Row)];

    /// <inheritdoc/>
    public IReadOnlyList<CleanupRow> Find(ICatalogTransaction transaction, IReadOnlyList<Hash256> ids) =>
        [.. transaction.BlockReferences.Find(Ids(ids)).OfType<BlockRow>().Select(Row)];

    /// <inheritdoc/>
    public void SetState(
        ICatalogTransaction transaction, IReadOnlyList<Hash256> ids, ReferenceState state, DateTimeOffset since) =>
        transaction.BlockReferences.SetState(Ids(ids), state, since);

    /// <inheritdoc/>
    public async Task AdoptAsync(CleanupScope scope, Hash256 id, CancellationToken cancellationToken)
    {
        using var adoption = new BlockAdoption(scope.Store);
        foreach (var form in new[] { BlockForm.Whole, BlockForm.Delta })
        {
            if (await scope.Store.Storage.FindAsync(ObjectNames.Block(new(id), form), cancellationToken) is not { } info)
            {
                continue;
            }

            try
            {
                var row = await adoption.ReadAsync(new(id), form, info.Size, scope.Time.GetUtcNow(), cancellationToken);
                await scope.Catalog.WriteAsync(
                    transaction =>
                    {
                        ClaimedDeletion.CheckHeld(transaction, scope.Lease);
                        var found = transaction.BlockReferences.Find([row.Id])[0];
                        if (found?.State is ReferenceState.Orphan or ReferenceState.Deleting)
                        {
                            transaction.BlockReferences.Put([row]);
                        }

                        return true;
                    },
                    cancellationToken);
                return;
            }
            catch (CorruptDataException)
            {
                // The row stays as it is: nothing deletes it while it is needed, and a scrub reports the damage.
            }
        }
    }

    /// <inheritdoc/>
    public void Begin(
        ICatalogTransaction transaction, string storage, IReadOnlyList<Hash256> ids, DateTimeOffset now) =>
        ClaimedDeletion.Begin(transaction, storage, Ids(ids), [], now);

    private static BlockId[] Ids(IReadOnlyList<Hash256> ids) => [.. ids.Select(id => new BlockId(id))];

    private static CleanupRow Row(BlockRow row) => new(row.Id.Hash, row.Storage, row.State, row.Since, row.IsInvalid);
}

/// <summary>The table of map pages.</summary>
internal sealed class CleanupPages : ICleanupTable
{
    /// <inheritdoc/>
    public IReadOnlyList<CleanupRow> Scan(ICatalogTransaction transaction, Hash256? after, int count) =>
    [
        .. transaction.BlockMaps.Scan(after is { } id ? new PageId(id) : null, count)
            .Select(row => new CleanupRow(row.Id.Hash, row.Storage, row.State, row.Since, IsInvalid: false)),
    ];

    /// <inheritdoc/>
    public IReadOnlyList<CleanupRow> Find(ICatalogTransaction transaction, IReadOnlyList<Hash256> ids) =>
    [
        .. transaction.BlockMaps.Find(Ids(ids)).OfType<MapPageRow>()
            .Select(row => new CleanupRow(row.Id.Hash, row.Storage, row.State, row.Since, IsInvalid: false)),
    ];

    /// <inheritdoc/>
    public void SetState(
        ICatalogTransaction transaction, IReadOnlyList<Hash256> ids, ReferenceState state, DateTimeOffset since) =>
        transaction.BlockMaps.SetState(Ids(ids), state, since);

    /// <inheritdoc/>
    public async Task AdoptAsync(CleanupScope scope, Hash256 id, CancellationToken cancellationToken)
    {
        if (await scope.Store.Storage.FindAsync(ObjectNames.Page(new(id)), cancellationToken) is null)
        {
            return;
        }

        await scope.Catalog.WriteAsync(
            transaction =>
            {
                ClaimedDeletion.CheckHeld(transaction, scope.Lease);

                // Marking read the page, and so its content is in the row already.
                SetState(transaction, [id], ReferenceState.Live, scope.Time.GetUtcNow());
                return true;
            },
            cancellationToken);
    }

    /// <inheritdoc/>
    public void Begin(
        ICatalogTransaction transaction, string storage, IReadOnlyList<Hash256> ids, DateTimeOffset now) =>
        ClaimedDeletion.Begin(transaction, storage, [], Ids(ids), now);

    private static PageId[] Ids(IReadOnlyList<Hash256> ids) => [.. ids.Select(id => new PageId(id))];
}
