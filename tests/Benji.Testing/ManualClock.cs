namespace Benji.Testing;

/// <summary>A clock that stands still until a test moves it, from 2026-01-01 UTC; its timers are the machine's.</summary>
/// <remarks>Safe for concurrent calls.</remarks>
public sealed class ManualClock : TimeProvider
{
    private long _ticks = new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero).UtcTicks;
    private long _waited;

    /// <summary>Moves the clock; a negative step sets it back.</summary>
    public void Advance(TimeSpan step) => Interlocked.Add(ref _ticks, step.Ticks);

    /// <summary>Lets time pass: the clock moves, and what is measured by timestamps moves too.</summary>
    public void Wait(TimeSpan time)
    {
        Advance(time);
        Interlocked.Add(ref _waited, time.Ticks);
    }

    /// <inheritdoc/>
    public override long GetTimestamp() =>
        base.GetTimestamp() + (Interlocked.Read(ref _waited) * (TimestampFrequency / TimeSpan.TicksPerSecond));

    /// <inheritdoc/>
    public override DateTimeOffset GetUtcNow() => new(Interlocked.Read(ref _ticks), TimeSpan.Zero);
}
