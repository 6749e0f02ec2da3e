using System.Security.Cryptography;
using Benji.Store.Model;
using Benji.Store.Operations.Running;
using Benji.Store.Sources;

namespace Benji.Store.Operations.Backup.Planning;

/// <summary>Reads a sample of the blocks that become holes, in whole or in part, because hints without a base version do not
/// list them.</summary>
/// <remarks>The first few and as many random ones: at least <see cref="SampleMin"/> and a thousandth of them.</remarks>
internal sealed class HoleSampling(StoreContext context, SourceReader reader, HintMap hints, BlockGeometry geometry)
{
    private const int SampleMin = 64;

    /// <summary>Reads the sample and refuses hints where one byte of it is not zero.</summary>
    /// <exception cref="InputDataException">The source holds data where the hints leave a hole.</exception>
    public async Task CheckAsync(CancellationToken cancellationToken)
    {
        using var buffer = context.Pool.Rent(geometry.BlockSize);
        foreach (var index in Choose())
        {
            buffer.Resize(geometry.BlockLength(index));
            await reader.ReadFramesAsync(index, 0, buffer.Memory, cancellationToken);
            var start = index * geometry.BlockSize;
            foreach (var gap in FindGaps(start, buffer.Length))
            {
                if (buffer.Span.Slice((int)(gap.Offset - start), (int)gap.Length).ContainsAnyExcept((byte)0))
                {
                    throw new InputDataException(
                        $"The hints do not list bytes {gap.Offset} to {gap.Offset + gap.Length}, which become a hole without a " +
                        "base version, but the source holds data there; nothing was stored. Name the base version, make the " +
                        "hints anew for the whole disk ('rbd diff' without '--from-snap'), or back up without hints.");
                }
            }
        }
    }

    // The indexes of a sample, in order. Memory: 16 bytes an extent and 8 a sample.
    private IEnumerable<long> Choose()
    {
        var ranges = FindBlocksWithGaps().ToList();
        var count = ranges.Sum(range => range.Count);
        var ranks = ChooseRanks(count, Math.Max(SampleMin, count / 1000));
        var (range, passed) = (0, 0L);
        foreach (var rank in ranks)
        {
            while (rank - passed >= ranges[range].Count)
            {
                passed += ranges[range++].Count;
            }

            yield return ranges[range].First + rank - passed;
        }
    }

    private static IEnumerable<long> ChooseRanks(long count, long size)
    {
        if (count <= size)
        {
            return Enumerable.Range(0, (int)count).Select(rank => (long)rank);
        }

        var ranks = new SortedSet<long>(Enumerable.Range(0, (int)size / 2).Select(rank => (long)rank));
        while (ranks.Count < size)
        {
            ranks.Add((long)(BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(8)) % (ulong)count));
        }

        return ranks;
    }

    // All blocks but those that lie within one extent of data: extents that touch are one.
    private IEnumerable<(long First, long Count)> FindBlocksWithGaps()
    {
        var next = 0L;
        foreach (var extent in hints.Within(0, geometry.Size).Where(extent => extent.Kind == ExtentKind.Data))
        {
            var first = (extent.Offset + geometry.BlockSize - 1) / geometry.BlockSize;
            var end = extent.End == geometry.Size ? geometry.BlockCount : extent.End / geometry.BlockSize;
            if (end > first)
            {
                if (first > next)
                {
                    yield return (next, first - next);
                }

                next = end;
            }
        }

        if (geometry.BlockCount > next)
        {
            yield return (next, geometry.BlockCount - next);
        }
    }

    private IEnumerable<Extent> FindGaps(long start, int length)
    {
        var next = start;
        foreach (var extent in hints.Within(start, length).Where(extent => extent.Kind == ExtentKind.Data))
        {
            if (extent.Offset > next)
            {
                yield return new Extent(next, extent.Offset - next, ExtentKind.Hole);
            }

            next = extent.End;
        }

        if (start + length > next)
        {
            yield return new Extent(next, start + length - next, ExtentKind.Hole);
        }
    }
}
