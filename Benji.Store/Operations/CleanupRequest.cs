namespace Benji.Store.Operations;

/// <summary>How a cleanup is to go.</summary>
public sealed record CleanupRequest
{
    /// <summary>Deletes only what nothing has needed for so long; null for the configured grace period.</summary>
    public TimeSpan? OlderThan { get; init; }
}

/// <summary>What a cleanup did.</summary>
/// <param name="ObjectsDeleted">Blocks and pages deleted, superseded deltas included.</param>
/// <param name="BytesDeleted">Their stored bytes.</param>
/// <param name="ObjectsWaiting">Unreferenced objects still in their grace period.</param>
/// <param name="OrphansFound">Objects that no row knew.</param>
/// <param name="Duration">Wall-clock time.</param>
public sealed record CleanupResult(
    long ObjectsDeleted, long BytesDeleted, long ObjectsWaiting, long OrphansFound, TimeSpan Duration)
{
    /// <summary>True when something was kept because a process of this host reads the store without a lease.</summary>
    public bool IsHeldBack { get; init; }
}
