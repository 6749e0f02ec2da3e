namespace Benji.Testing;

/// <summary>A clock that stands still and whose timers wait until a test lets them go.</summary>
/// <remarks>One-shot timers only. Safe for concurrent calls.</remarks>
public sealed class HeldClock : TimeProvider
{
    private readonly Lock _heldLock = new();
    private readonly List<HeldTimer> _held = [];

    /// <summary>Timers that wait.</summary>
    public int Count
    {
        get
        {
            lock (_heldLock)
            {
                return _held.Count;
            }
        }
    }

    /// <inheritdoc/>
    public override DateTimeOffset GetUtcNow() => new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    /// <summary>Lets all timers that wait go, on this thread.</summary>
    public void Release()
    {
        List<HeldTimer> released;
        lock (_heldLock)
        {
            released = [.. _held];
            _held.Clear();
        }

        released.ForEach(timer => timer.Fire());
    }

    /// <inheritdoc/>
    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new HeldTimer(this, () => callback(state));
        lock (_heldLock)
        {
            _held.Add(timer);
        }

        return timer;
    }

    private void Remove(HeldTimer timer)
    {
        lock (_heldLock)
        {
            _held.Remove(timer);
        }
    }

    private sealed class HeldTimer(HeldClock clock, Action fire) : ITimer
    {
        public void Fire() => fire();

        public bool Change(TimeSpan dueTime, TimeSpan period) => false;

        public void Dispose() => clock.Remove(this);

        public ValueTask DisposeAsync()
        {
            Dispose();
            return default;
        }
    }
}
