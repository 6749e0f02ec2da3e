namespace Benji.Store.Images.Overlays.Files;

/// <summary>Runs of units that show the base again, and whose space waits until that is durable.</summary>
/// <remarks>Safe for concurrent calls. What is more than it holds keeps its space until it is written or reverted again.
/// </remarks>
internal sealed class RevertedUnits
{
    /// <summary>Runs that are held.</summary>
    public const int CountMax = 65_536;

    private readonly Lock _runsLock = new();
    private List<UnitRange> _runs = [];

    /// <summary>Adds runs.</summary>
    public void Add(IEnumerable<UnitRange> runs)
    {
        lock (_runsLock)
        {
            _runs.AddRange(runs.Take(CountMax - _runs.Count));
        }
    }

    /// <summary>Takes all runs away.</summary>
    public IReadOnlyList<UnitRange> Take()
    {
        lock (_runsLock)
        {
            var taken = _runs;
            _runs = [];
            return taken;
        }
    }
}
