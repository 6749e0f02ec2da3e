using Benji.Store.Model;

namespace Benji.Store.Images;

/// <summary>Makes extents of a range, one behind the other: joins neighbours of one kind, and stops at a number of
/// them.</summary>
internal sealed class ExtentJoiner
{
    private readonly ICollection<MarkedExtent> _extents;
    private readonly int _extentsMax;
    private readonly long _end;
    private MarkedExtent _last;
    private int _added;

    /// <summary>Begins.</summary>
    /// <param name="extents">Receives the extents.</param>
    /// <param name="extentsMax">At most so many, at least 1.</param>
    /// <param name="offset">The first byte of the range.</param>
    /// <param name="end">The byte behind its last.</param>
    public ExtentJoiner(ICollection<MarkedExtent> extents, int extentsMax, long offset, long end)
    {
        Invariant.Holds(extentsMax > 0 && offset >= 0 && end > offset);
        _extents = extents;
        _extentsMax = extentsMax;
        _end = end;
        _last = new MarkedExtent(offset, 0, false);
    }

    /// <summary>True when nothing more is taken: the range is covered, or the extents are as many as they may be.</summary>
    public bool IsFull => _added == _extentsMax || _last.End == _end;

    /// <summary>Goes on from where the last extent ended.</summary>
    /// <param name="end">The byte behind the new extent; one that is reached already adds nothing, what lies behind the range
    /// is left out.</param>
    /// <param name="isMarked">Whether it has the property.</param>
    public void Add(long end, bool isMarked)
    {
        var length = Math.Min(end, _end) - _last.End;
        if (length <= 0 || _added == _extentsMax)
        {
            return;
        }

        if (_last.Length == 0 || _last.IsMarked == isMarked)
        {
            _last = new MarkedExtent(_last.Offset, _last.Length + length, isMarked);
            return;
        }

        var begin = _last.End;
        Push();
        _last = new MarkedExtent(begin, length, isMarked);
    }

    /// <summary>Adds the last extent.</summary>
    public void Complete()
    {
        if (_last.Length > 0 && _added < _extentsMax)
        {
            Push();
        }
    }

    private void Push()
    {
        _extents.Add(_last);
        _added++;
    }
}
