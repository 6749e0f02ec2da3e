namespace Benji.Testing;

/// <summary>A clock that stands still until somebody waits, and then jumps to the end of the wait at once.</summary>
/// <remarks>So code that waits can be tested without waiting, and the time it would have taken can be asserted. One-shot
/// timers only. Safe for concurrent calls.</remarks>
public sealed class EagerClock : TimeProvider
{
    private readonly Lock _waitsLock = new();
    private readonly List<TimeSpan> _waits = [];
    private DateTimeOffset _now = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    /// <summary>The waits so far, in the order in which they began.</summary>
    public IReadOnlyList<TimeSpan> Waits
    {
        get
        {
            lock (_waitsLock)
            {
                return [.. _waits];
            }
        }
    }

    /// <inheritdoc/>
    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    /// <inheritdoc/>
    public override DateTimeOffset GetUtcNow()
    {
        lock (_waitsLock)
        {
            return _now;
        }
    }

    /// <inheritdoc/>
    public override long GetTimestamp() => GetUtcNow().UtcTicks;

    /// <summary>Moves the clock.</summary>
    public void Advance(TimeSpan by)
    {
        lock (_waitsLock)
        {
            _now += by;
        }
    }

    /// <inheritdoc/>
    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        if (dueTime >= TimeSpan.Zero)
        {
            lock (_waitsLock)
            {
                _waits.Add(dueTime);
                _now += dueTime;
            }
        }

        // Of the machine's clock, due now, so that the callback runs where callbacks of timers run.
        var due = dueTime >= TimeSpan.Zero ? TimeSpan.Zero : dueTime;
        return System.CreateTimer(callback, state, due, Timeout.InfiniteTimeSpan);
    }
}
