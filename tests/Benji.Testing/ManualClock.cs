namespace Benji.Testing;

/// <summary>A clock that stands still until a test moves it, from 2026-01-01 UTC; its timers are the machine's.</summary>
/// <remarks>Safe for concurrent calls.</remarks>
public sealed class ManualClock : TimeProvider
{
    private long _ticks = new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero).UtcTicks;

    /// <summary>Moves the clock; a negative step sets it back.</summary>
    public void Advance(TimeSpan step) => Interlocked.Add(ref _ticks, step.Ticks);

    /// <inheritdoc/>
    public override DateTimeOffset GetUtcNow() => new(Interlocked.Read(ref _ticks), TimeSpan.Zero);
}
