using Benji.Store.Model;

namespace Benji.Store.Operations.Backup;

/// <summary>Which blocks of a run are under way, so that everything below the lowest of them can be finished.</summary>
/// <remarks>Begun in rising order by one dispatcher, ended in any order by many workers.</remarks>
internal sealed class OpenIndexes
{
    private readonly Lock _open = new();
    private readonly SortedSet<long> _indexes = [];
    private long _next;

    /// <summary>The lowest index that may still be set.</summary>
    public long Lowest
    {
        get
        {
            lock (_open)
            {
                return _indexes.Count > 0 ? _indexes.Min : _next;
            }
        }
    }

    /// <summary>Says that a block is being worked on and that none below it will be begun.</summary>
    public void Begin(long index)
    {
        lock (_open)
        {
            Invariant.Holds(index >= _next);
            _next = index + 1;
            _indexes.Add(index);
        }
    }

    /// <summary>Says that a block is done.</summary>
    public void End(long index)
    {
        lock (_open)
        {
            Invariant.Holds(_indexes.Remove(index));
        }
    }
}
