using Benji.Nbd.Protocol;

namespace Benji.Nbd.Client;

/// <summary>Which bytes of a READ its reply has brought so far: each of them may come once.</summary>
/// <remarks>proto.md, "Structured reply chunk message": the chunks of a READ do not overlap and together cover it. Chunks that
/// come in order take the memory of one range.</remarks>
internal sealed class ReceivedRanges
{
    /// <summary>Ranges with gaps between them at a time; no server is so far out of order.</summary>
    public const int RangesMax = 4096;

    private readonly List<(int Start, int End)> _ranges = [];

    /// <summary>Bytes in all ranges.</summary>
    public int Total { get; private set; }

    /// <summary>Adds a range that is new as a whole.</summary>
    /// <param name="start">Its first byte, from the start of the request.</param>
    /// <param name="length">Its bytes, at least 1.</param>
    /// <exception cref="NbdProtocolException">Some of it came before, or there are too many gaps.</exception>
    public void Add(int start, int length)
    {
        var end = start + length;
        var next = FirstEndingBehind(start);
        if (next < _ranges.Count && _ranges[next].Start < end)
        {
            throw new NbdProtocolException(
                $"The server sent bytes {Math.Max(start, _ranges[next].Start)} to {Math.Min(end, _ranges[next].End)} of a READ twice.");
        }

        var joinsNext = next < _ranges.Count && _ranges[next].Start == end;
        if (next > 0 && _ranges[next - 1].End == start)
        {
            _ranges[next - 1] = (_ranges[next - 1].Start, joinsNext ? _ranges[next].End : end);
            if (joinsNext)
            {
                _ranges.RemoveAt(next);
            }
        }
        else if (joinsNext)
        {
            _ranges[next] = (start, _ranges[next].End);
        }
        else if (_ranges.Count == RangesMax)
        {
            throw new NbdProtocolException($"The server sent a READ with more than {RangesMax} gaps at a time.");
        }
        else
        {
            _ranges.Insert(next, (start, end));
        }

        Total += length;
    }

    private int FirstEndingBehind(int offset)
    {
        var (low, high) = (0, _ranges.Count);
        while (low < high)
        {
            var middle = low + ((high - low) / 2);
            (low, high) = _ranges[middle].End > offset ? (low, middle) : (middle + 1, high);
        }

        return low;
    }
}
