using Benji.Store.Blocks.Maps;

namespace Benji.Store.Images.Versions;

/// <summary>Marks the blocks of a version that a scrub or a read has found damaged.</summary>
internal sealed class DamageExtents(ImageBlocks source, MapReader map) : IExtentMap
{
    // 64 pages: so that a call over an image of many terabytes ends in bounded time.
    private const int RunsMax = 64;

    /// <inheritdoc/>
    public async ValueTask ReadAsync(
        long offset, long length, int extentsMax, ICollection<MarkedExtent> extents, CancellationToken cancellationToken)
    {
        var found = new ExtentJoiner(extents, extentsMax, offset, offset + length);
        var invalid = await source.Catalog.ReadAsync(
            transaction => transaction.BlockReferences.ListInvalid(), cancellationToken);
        if (invalid.Count == 0 && !source.HasDamage)
        {
            found.Add(offset + length, isMarked: false);
            found.Complete();
            return;
        }

        var known = invalid.ToHashSet();
        var first = offset / map.Geometry.BlockSize;
        var count = ((offset + length - 1) / map.Geometry.BlockSize) + 1 - first;
        var runs = 0;
        await foreach (var run in map.ReadAsync(first, count, cancellationToken))
        {
            if (run.IsHole)
            {
                found.Add(run.End * map.Geometry.BlockSize, isMarked: false);
            }

            for (var i = 0; i < run.Ids.Length; i++)
            {
                var block = run.Ids.Span[i];
                found.Add(
                    (run.FirstBlock + i + 1) * map.Geometry.BlockSize, known.Contains(block) || source.IsDamaged(block));
            }

            if (found.IsFull || ++runs >= RunsMax)
            {
                break;
            }
        }

        found.Complete();
    }
}
