using Benji.Store.Blocks;
using Benji.Store.Blocks.Writing;
using Benji.Store.Model;
using Benji.Store.Operations.Running;

namespace Benji.Store.Operations.Reading;

/// <summary>Looks for the objects of a version's blocks whose rows are in doubt, before another version takes them over unread.</summary>
/// <remarks>Costs nothing while no row is in doubt. Format: docs/format.md, "Age".</remarks>
internal sealed class DoubtScrub(StoreContext context, OpenedStore store, StoringRun run)
{
    /// <summary>Marks the blocks that are not there as damaged, as a scrub does.</summary>
    /// <param name="version">What is taken over; it cannot be removed meanwhile.</param>
    /// <param name="invalid">The blocks that are marked already.</param>
    /// <param name="cancellationToken">Stops before the next block.</param>
    /// <returns>All that are marked then.</returns>
    /// <exception cref="AgeMismatchException">Catalog and storage are not of the same age.</exception>
    /// <exception cref="CorruptDataException">The version's map is damaged.</exception>
    /// <exception cref="StorageException">The storage failed.</exception>
    /// <exception cref="CatalogException">The catalog failed.</exception>
    public async Task<IReadOnlySet<BlockId>> RunAsync(
        VersionRecord version, IReadOnlySet<BlockId> invalid, CancellationToken cancellationToken)
    {
        var ledger = new BlockLedger(store, context.Catalog, run, context.Time);
        if (!await ledger.HasDoubtAsync(cancellationToken))
        {
            return invalid;
        }

        var damages = new DamageLedger(version.Geometry);
        var map = StorePages.OpenMap(context, store, version);
        await foreach (var part in map.ReadDistinctAsync(cancellationToken))
        {
            var ids = part.Ids.ToArray().Where(id => !id.IsHole && !invalid.Contains(id)).Distinct().ToList();
            foreach (var id in await ledger.FindDoubtfulAsync(ids, cancellationToken))
            {
                var sight = await ledger.FindAsync(id, mustLook: false, cancellationToken);
                if (sight.Standing != BlockStanding.Stored)
                {
                    var form = sight.Row?.Form ?? BlockForm.Whole;
                    damages.AddWhole(id, BlockGeometry.FrameSize, "object is missing", new FaultyObject(id, form));
                }
            }
        }

        if (damages.Blocks.Count == 0)
        {
            return invalid;
        }

        Log.DoubtfulBlocksLost(context.Logger, damages.Blocks.Count, version.Name);
        await new DamageMarking(context, store).MarkAsync(damages, cancellationToken);
        return invalid.Union(damages.Blocks).ToHashSet();
    }
}
