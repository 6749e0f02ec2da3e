using Benji.Store.Blocks;
using Benji.Store.Catalogs;
using Benji.Store.Model;
using Benji.Store.Operations.Running;

namespace Benji.Store.Operations.Reading;

/// <summary>Marks damaged blocks, the blocks that borrow from them, and every version that uses one of those.</summary>
/// <remarks>A marked block is never used for deduplication and never lends; the next backup of its content heals it.</remarks>
internal sealed class DamageMarking(StoreContext context, OpenedStore store)
{
    private const int RowsPerScan = 4096;

    /// <summary>Marks what a reader of a version found damaged, unless catalog and storage are not of the same age; what cannot
    /// be recorded is a warning.</summary>
    /// <returns>The versions that were valid until now.</returns>
    public Task<IReadOnlyList<VersionRecord>> TryMarkAsync(
        VersionRecord version, DamageLedger ledger, CancellationToken cancellationToken) =>
        new Recording(context).TryAsync<IReadOnlyList<VersionRecord>>(
            $"The damage of {version.Name}",
            [],
            async () => await context.Stores.MayMendAsync(store.Name, cancellationToken)
                ? await MarkAsync(ledger, cancellationToken)
                : []);

    /// <summary>Marks what a ledger holds.</summary>
    /// <returns>The versions that were valid until now.</returns>
    public async Task<IReadOnlyList<VersionRecord>> MarkAsync(DamageLedger ledger, CancellationToken cancellationToken)
    {
        var age = await context.Stores.OpenForChangeAsync(store.Name, cancellationToken);
        IReadOnlyCollection<BlockId> damaged = [];
        var affected = new HashSet<BlockId>();
        await age.ChangeAsync(
            // From here on nobody borrows from these any more, so that the scan finds all who did.
            transaction => damaged = DamagedObjects.Mark(transaction.BlockReferences, ledger.Blocks, ledger.Faults),
            async () =>
            {
                affected.UnionWith(damaged);
                await AddBorrowersAsync(affected, cancellationToken);
            },
            transaction =>
            {
                transaction.BlockReferences.SetInvalid([.. affected.Except(damaged)], isInvalid: true);
                return true;
            },
            cancellationToken);
        var versions = await context.Catalog.ReadAsync(
            transaction => transaction.Versions.List(volume: null), cancellationToken);
        var marked = new List<VersionRecord>();
        foreach (var version in versions.Where(version => version.Storage == store.Name))
        {
            if (version.Status == VersionStatus.Valid && await UsesAsync(version, affected, cancellationToken))
            {
                marked.Add(await SetStatusAsync(version.Id, VersionStatus.Invalid, cancellationToken));
                Log.VersionInvalidated(context.Logger, version.Name);
            }
        }

        return marked;
    }

    /// <summary>Sets a version's status, in its manifest too.</summary>
    public Task<VersionRecord> SetStatusAsync(Guid id, VersionStatus status, CancellationToken cancellationToken) =>
        new ManifestChange(context).ApplyAsync(
            id, version => version.Status == status ? version : version with { Status = status }, cancellationToken);

    private async Task AddBorrowersAsync(HashSet<BlockId> affected, CancellationToken cancellationToken)
    {
        var lenders = affected.ToHashSet();
        IReadOnlyList<BlockRow> rows;
        BlockId? after = null;
        do
        {
            var from = after;
            rows = await context.Catalog.ReadAsync(
                transaction => transaction.BlockReferences.Scan(from, RowsPerScan), cancellationToken);
            foreach (var row in rows)
            {
                after = row.Id;
                if (row.Lenders.Any(lenders.Contains))
                {
                    affected.Add(row.Id);
                }
            }
        }
        while (rows.Count > 0);
    }

    private async Task<bool> UsesAsync(
        VersionRecord version, HashSet<BlockId> affected, CancellationToken cancellationToken)
    {
        var map = StorePages.OpenMap(context, store, version);
        await foreach (var run in map.ReadDistinctAsync(cancellationToken))
        {
            if (run.Ids.ToArray().Any(affected.Contains))
            {
                return true;
            }
        }

        return false;
    }
}
