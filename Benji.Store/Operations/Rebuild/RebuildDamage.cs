using Benji.Store.Blocks;
using Benji.Store.Blocks.Maps;
using Benji.Store.Catalogs;
using Benji.Store.Model;
using Benji.Store.Operations.Running;

namespace Benji.Store.Operations.Rebuild;

/// <summary>Marks the damaged blocks of versions whose manifests say that they have some.</summary>
/// <remarks>A manifest says that a version is invalid, not by which block; a block that is damaged and not marked could
/// be used by a backup. So the blocks of such versions, and of no others, are read and verified.</remarks>
internal sealed class RebuildDamage(OpenedStore store, IPageSource pages, ICatalog target, IOperationProgress progress)
{
    /// <summary>Reads every block of the versions, each once, and marks the damaged ones and the lenders that failed.</summary>
    /// <returns>How many are damaged.</returns>
    /// <exception cref="StorageException">The storage failed.</exception>
    public async Task<long> MarkAsync(IReadOnlyList<VersionRecord> versions, CancellationToken cancellationToken)
    {
        using var blocks = new BlockStore(store);
        var seen = new HashSet<BlockId>();
        var damaged = 0L;
        foreach (var version in versions)
        {
            using var buffer = store.Pool.Rent(version.BlockSize);
            var map = new MapReader(pages, version.Root, version.Geometry);
            await foreach (var run in map.ReadDistinctAsync(cancellationToken))
            {
                for (var i = 0; i < run.Ids.Length; i++)
                {
                    var id = run.Ids.Span[i];
                    if (id.IsHole || !seen.Add(id))
                    {
                        continue;
                    }

                    var length = version.Geometry.BlockLength(run.FirstBlock + i);
                    var reading = await blocks.ReadBlockAsync(
                        id, length, buffer.Memory[..length], cancellationToken);
                    progress.Advance(length);
                    if (reading.Faults.Count > 0)
                    {
                        damaged += await MarkAsync(id, reading, cancellationToken);
                    }
                }
            }
        }

        return damaged;
    }

    private Task<int> MarkAsync(BlockId id, BlockReading reading, CancellationToken cancellationToken) => target.WriteAsync(
        transaction => DamagedObjects.Mark(
            transaction.BlockReferences, reading.Damages.Count > 0 ? [id] : [], reading.Faults).Count,
        cancellationToken);
}
