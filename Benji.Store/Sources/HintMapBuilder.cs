using System.Runtime.InteropServices;
using Benji.Store.Model;

namespace Benji.Store.Sources;

/// <summary>Gathers extents in any order, overlapping or not, and makes a <see cref="HintMap"/> in which reading wins.</summary>
/// <remarks>Extents that come in order are merged as they come, so that memory follows the result. Not safe for
/// concurrent calls.</remarks>
public sealed class HintMapBuilder
{
    private readonly List<HintRun> _data = [];
    private readonly List<HintRun> _holes = [];

    /// <summary>Adds an extent; one of no length changes nothing.</summary>
    /// <param name="extent">At least 0 bytes from at least 0, ending at or before <see cref="BlockGeometry.SizeMax"/>.</param>
    public void Add(Extent extent)
    {
        Invariant.Holds(extent.Offset >= 0 && extent.Length >= 0 && extent.End <= BlockGeometry.SizeMax);
        if (extent.Length == 0)
        {
            return;
        }

        var runs = extent.Kind == ExtentKind.Data ? _data : _holes;
        if (runs.Count > 0 && runs[^1] is var last && extent.Offset >= last.Offset && extent.Offset <= last.End)
        {
            runs[^1] = new HintRun(last.Offset, Math.Max(last.End, extent.End), extent.Kind);
        }
        else
        {
            runs.Add(new HintRun(extent.Offset, extent.End, extent.Kind));
        }
    }

    /// <summary>Returns the map of everything added.</summary>
    public HintMap Build()
    {
        Normalise(_data);
        Normalise(_holes);
        var merged = new List<HintRun>(_data.Count);
        var next = 0;
        foreach (var hole in _holes)
        {
            var offset = hole.Offset;
            while (next < _data.Count && _data[next].Offset < hole.End)
            {
                AddHole(merged, offset, _data[next].Offset);
                offset = Math.Max(offset, _data[next].End);
                if (_data[next].End > hole.End)
                {
                    // This run also covers the start of a later hole, so it stays the next one to look at.
                    break;
                }

                merged.Add(_data[next++]);
            }

            AddHole(merged, offset, hole.End);
        }

        merged.AddRange(CollectionsMarshal.AsSpan(_data)[next..]);
        return new HintMap([.. merged]);
    }

    private static void AddHole(List<HintRun> merged, long offset, long end)
    {
        if (offset < end)
        {
            merged.Add(new HintRun(offset, end, ExtentKind.Hole));
        }
    }

    // Sorts by offset and merges runs that overlap or touch, in place.
    private static void Normalise(List<HintRun> runs)
    {
        var span = CollectionsMarshal.AsSpan(runs);
        for (var i = 1; i < span.Length; i++)
        {
            if (span[i].Offset <= span[i - 1].End)
            {
                span.Sort((left, right) => left.Offset.CompareTo(right.Offset));
                break;
            }
        }

        var count = 0;
        foreach (var run in span)
        {
            if (count > 0 && run.Offset <= span[count - 1].End)
            {
                ref var last = ref span[count - 1];
                last = new HintRun(last.Offset, Math.Max(last.End, run.End), run.Kind);
            }
            else
            {
                span[count++] = run;
            }
        }

        CollectionsMarshal.SetCount(runs, count);
    }
}
