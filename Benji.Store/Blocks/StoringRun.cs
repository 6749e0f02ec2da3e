namespace Benji.Store.Blocks;

/// <summary>The run, a backup or promote, that stores blocks and pages.</summary>
/// <param name="Fencing">The lease on its volume: while that is held, the run is alive.</param>
/// <param name="Began">When it began; no row that it records is older, whatever the clock did since.</param>
internal readonly record struct StoringRun(long Fencing, DateTimeOffset Began)
{
    /// <summary>The time that a row recorded now carries.</summary>
    public DateTimeOffset Stamp(TimeProvider time) => time.GetUtcNow() is var now && now > Began ? now : Began;
}
