using Benji.Store.Model;

namespace Benji.Store.Sources;

/// <summary>What change hints say of a source: sorted extents that do not overlap, to be read or known to be holes.</summary>
/// <remarks>What no extent covers is unchanged since the base version. Immutable and safe for concurrent calls; 16 bytes
/// an extent.</remarks>
public sealed class HintMap
{
    private readonly HintRun[] _runs;

    internal HintMap(HintRun[] runs) => _runs = runs;

    /// <summary>The map that says "nothing changed".</summary>
    public static HintMap Empty { get; } = new([]);

    /// <summary>Extents in the map. Two that touch have different kinds.</summary>
    public int Count => _runs.Length;

    /// <summary>All extents, in order.</summary>
    public IEnumerable<Extent> Extents => Within(0, long.MaxValue);

    /// <summary>Finds the extents in a range, in order, each cut to the range.</summary>
    /// <param name="offset">At least 0.</param>
    /// <param name="length">At least 0; the range may go on behind the source's end.</param>
    /// <returns>A lazy sequence; its first element takes a binary search, each further one a step.</returns>
    public IEnumerable<Extent> Within(long offset, long length)
    {
        Invariant.Holds(offset >= 0 && length >= 0 && length <= long.MaxValue - offset);
        return length == 0 ? [] : Walk(offset, offset + length);
    }

    private IEnumerable<Extent> Walk(long offset, long end)
    {
        for (var i = FindFirstEndingBehind(offset); i < _runs.Length && _runs[i].Offset < end; i++)
        {
            var start = Math.Max(offset, _runs[i].Offset);
            yield return new Extent(start, Math.Min(end, _runs[i].End) - start, _runs[i].Kind);
        }
    }

    private int FindFirstEndingBehind(long offset)
    {
        var low = 0;
        var high = _runs.Length;
        while (low < high)
        {
            var middle = low + ((high - low) / 2);
            if (_runs[middle].End > offset)
            {
                high = middle;
            }
            else
            {
                low = middle + 1;
            }
        }

        return low;
    }
}

/// <summary>An extent in 16 bytes: its offset, and its end with the kind in the lowest bit.</summary>
internal readonly record struct HintRun
{
    private readonly long _endAndKind;

    internal HintRun(long offset, long end, ExtentKind kind)
    {
        Offset = offset;
        _endAndKind = (end << 1) | (kind == ExtentKind.Hole ? 1L : 0L);
    }

    internal long Offset { get; }

    internal long End => _endAndKind >> 1;

    internal ExtentKind Kind => (_endAndKind & 1) == 0 ? ExtentKind.Data : ExtentKind.Hole;
}
