using Benji.Store.Blocks;
using Benji.Store.Catalogs;
using Benji.Store.Model;

namespace Benji.Store.Operations.Running;

/// <summary>Tells which blocks of a version that is about to appear are marked as damaged, and whether more were marked
/// since.</summary>
/// <remarks>Who marks blocks looks for the versions that use them afterwards: it finds those that have appeared, and this
/// finds the marks for the others. For one caller at a time.</remarks>
internal sealed class DamageWatch(StoreContext context, OpenedStore store)
{
    private HashSet<BlockId> _marked = [];

    /// <summary>Finds the marked blocks that a version uses; walks its map only when any block is marked.</summary>
    /// <returns>The blocks; null when its map cannot be read.</returns>
    public async Task<IReadOnlySet<BlockId>?> FindAsync(VersionRecord version)
    {
        _marked = (await context.Catalog.ReadAsync(
            transaction => transaction.BlockReferences.ListInvalid(), CancellationToken.None)).ToHashSet();
        var used = new HashSet<BlockId>();
        if (_marked.Count == 0)
        {
            return used;
        }

        try
        {
            var map = StorePages.OpenMap(context, store, version);
            await foreach (var run in map.ReadDistinctAsync(CancellationToken.None))
            {
                used.UnionWith(run.Ids.ToArray().Where(_marked.Contains));
            }
        }
        catch (Exception fault) when (fault is CorruptDataException or NotFoundException)
        {
            return null;
        }

        return used;
    }

    /// <summary>True when blocks were marked since the last look; asked in the transaction that publishes.</summary>
    public bool IsOutdated(ICatalogTransaction transaction) =>
        transaction.BlockReferences.ListInvalid().Any(id => !_marked.Contains(id));
}
