namespace Benji.Store.Operations.Rebuild;

/// <summary>What a rebuild could not read or find, one line each, as many as a person reads.</summary>
/// <remarks>Safe for concurrent calls.</remarks>
internal sealed class RebuildProblems
{
    private const int LinesMax = 1000;

    private readonly Lock _linesLock = new();
    private readonly List<string> _lines = [];
    private long _more;

    /// <summary>Adds a line.</summary>
    public void Add(string line)
    {
        lock (_linesLock)
        {
            if (_lines.Count < LinesMax)
            {
                _lines.Add(line);
            }
            else
            {
                _more++;
            }
        }
    }

    /// <summary>Returns the lines, and a last one that counts what is left out.</summary>
    public IReadOnlyList<string> List()
    {
        lock (_linesLock)
        {
            return _more == 0 ? [.. _lines] : [.. _lines, $"{_more} more like these."];
        }
    }
}
