using System.Runtime.CompilerServices;
using Benji.Store.Blocks.Maps;
using Benji.Store.Catalogs;
using Benji.Store.Model;

namespace Benji.Store.Images.Versions;

/// <summary>Reads the blocks under a range of bytes with the rows that the catalog has of them, a page at a time.</summary>
internal static class BlockRuns
{
    private static readonly Dictionary<BlockId, BlockRow> NoRows = [];

    /// <summary>Reads them in order; a stretch of holes is one run, whatever its length.</summary>
    /// <param name="source">The storage.</param>
    /// <param name="map">The version's map.</param>
    /// <param name="offset">The first byte, inside the version.</param>
    /// <param name="end">The byte behind the last.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    /// <exception cref="CorruptDataException">A map page is missing or damaged.</exception>
    public static async IAsyncEnumerable<BlockRun> ReadAsync(
        ImageBlocks source,
        MapReader map,
        long offset,
        long end,
        [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var first = offset / map.Geometry.BlockSize;
        var count = ((end - 1) / map.Geometry.BlockSize) + 1 - first;
        await foreach (var run in map.ReadAsync(first, count, cancellationToken))
        {
            if (run.IsHole)
            {
                yield return new BlockRun(run.FirstBlock, run.Count, run.Ids, NoRows);
                continue;
            }

            BlockId[] ids = [.. run.Ids.ToArray().Where(id => !id.IsHole).Distinct()];
            var rows = await source.Catalog.ReadAsync(
                transaction => transaction.BlockReferences.Find(ids), cancellationToken);
            yield return new BlockRun(
                run.FirstBlock,
                run.Count,
                run.Ids,
                ids.Zip(rows).Where(pair => pair.Second is not null).ToDictionary(pair => pair.First, pair => pair.Second!));
        }
    }
}

/// <summary>Consecutive blocks of a version: holes only, or at most one map page's blocks.</summary>
/// <param name="FirstBlock">The index of the first.</param>
/// <param name="Count">Blocks, at least 1.</param>
/// <param name="Ids">Their ids; empty for a stretch of holes.</param>
/// <param name="Rows">What the catalog knows of them.</param>
internal sealed record BlockRun(
    long FirstBlock, long Count, ReadOnlyMemory<BlockId> Ids, IReadOnlyDictionary<BlockId, BlockRow> Rows);
