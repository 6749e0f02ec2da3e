using System.Runtime.CompilerServices;
using Benji.Store.Blocks.Maps;
using Benji.Store.Model;

namespace Benji.Store.Operations.Backup.Planning;

/// <summary>The base version's blocks as a backup needs them: id, length, and whether each is sound; holes without a base.</summary>
internal sealed class BaseMap(MapReader? map, BlockGeometry? geometry, IReadOnlySet<BlockId> invalid)
{
    /// <summary>True when any block of the store is known to be damaged.</summary>
    public bool HasInvalidBlocks => invalid.Count > 0;

    /// <summary>Looks blocks up, many with a few trips to the catalog.</summary>
    /// <returns>In the order asked for.</returns>
    public async ValueTask<IReadOnlyList<BaseEntry>> FindAsync(
        IReadOnlyList<long> indexes, CancellationToken cancellationToken)
    {
        var entries = new BaseEntry[indexes.Count];
        if (map is null || geometry is not { } old)
        {
            return entries;
        }

        var places = Enumerable.Range(0, indexes.Count).Where(i => indexes[i] < old.BlockCount).ToList();
        var ids = await map.FindAsync([.. places.Select(i => indexes[i])], cancellationToken);
        for (var i = 0; i < places.Count; i++)
        {
            entries[places[i]] = Entry(old, indexes[places[i]], ids[i]);
        }

        return entries;
    }

    /// <summary>Lists the blocks of a range that are no holes, in order; it may end behind the base's end.</summary>
    public async IAsyncEnumerable<(long Index, BaseEntry Entry)> ReadStoredAsync(
        long first, long count, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        if (map is null || geometry is not { } old || old.BlockCount <= first)
        {
            yield break;
        }

        await foreach (var run in map.ReadAsync(first, Math.Min(count, old.BlockCount - first), cancellationToken))
        {
            for (var i = 0; i < run.Ids.Length; i++)
            {
                if (run.Ids.Span[i] is { IsHole: false } id)
                {
                    yield return (run.FirstBlock + i, Entry(old, run.FirstBlock + i, id));
                }
            }
        }
    }

    /// <summary>Lists the blocks of a range, holes included, in order; behind the base's end they are holes.</summary>
    public async IAsyncEnumerable<(long Index, BaseEntry Entry)> ReadAsync(
        long first, long count, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var next = first;
        if (map is not null && geometry is { } old && old.BlockCount > first)
        {
            var known = Math.Min(count, old.BlockCount - first);
            await foreach (var run in map.ReadAsync(first, known, cancellationToken))
            {
                for (var end = run.End; next < end; next++)
                {
                    var id = run.IsHole ? BlockId.Hole : run.Ids.Span[(int)(next - run.FirstBlock)];
                    yield return (next, Entry(old, next, id));
                }
            }
        }

        for (; next < first + count; next++)
        {
            yield return (next, default);
        }
    }

    private BaseEntry Entry(BlockGeometry old, long index, BlockId id) =>
        new(id, old.BlockLength(index), invalid.Contains(id));
}

/// <summary>One block of the base version.</summary>
/// <param name="Id">Its id, or a hole.</param>
/// <param name="Length">Its bytes; 0 where the base has no such block.</param>
/// <param name="IsInvalid">True when it is known to be damaged.</param>
internal readonly record struct BaseEntry(BlockId Id, int Length, bool IsInvalid);
