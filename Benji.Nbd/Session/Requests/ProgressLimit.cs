namespace Benji.Nbd.Session.Requests;

/// <summary>Ends a connection whose client keeps memory that others wait for: it announced data and does not send it, or does not
/// take its reply.</summary>
/// <remarks>Nobody is ended for whom nobody waits. For the connection's thread.</remarks>
internal sealed class ProgressLimit : IDisposable
{
    /// <summary>What a client may always take.</summary>
    public static readonly TimeSpan TimeMin = TimeSpan.FromSeconds(30);

    /// <summary>The rate at which it must go on beyond that.</summary>
    public const long BytesPerSecondMin = 256 * 1024;

    private static readonly TimeSpan LookInterval = TimeSpan.FromSeconds(1);

    private readonly MemoryBudget _budget;
    private readonly IWire _wire;
    private readonly ITimer _timer;
    private volatile bool _isExceeded;

    /// <summary>Makes a limit that is not measured yet.</summary>
    /// <param name="budget">The memory.</param>
    /// <param name="wire">The connection.</param>
    /// <param name="clock">The clock.</param>
    public ProgressLimit(MemoryBudget budget, IWire wire, TimeProvider clock)
    {
        (_budget, _wire) = (budget, wire);
        _timer = clock.CreateTimer(_ => Look(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Begins to measure.</summary>
    /// <param name="bytes">Bytes that the client is to send or to take.</param>
    public void Start(long bytes) =>
        _timer.Change(TimeMin + TimeSpan.FromSeconds((double)bytes / BytesPerSecondMin), Timeout.InfiniteTimeSpan);

    /// <summary>Ends the measurement.</summary>
    public void End() => _timer.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);

    /// <summary>Says what really ended a connection that broke.</summary>
    /// <exception cref="IOException">The client was too slow.</exception>
    public void ThrowIfExceeded()
    {
        if (_isExceeded)
        {
            throw new IOException("It was ended: it kept memory that others waited for, and neither sent nor took its data in time.");
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _timer.Dispose();

    private void Look()
    {
        if (_budget.HasWaiters)
        {
            _isExceeded = true;
            _wire.Abort();
        }
        else
        {
            _timer.Change(LookInterval, Timeout.InfiniteTimeSpan);
        }
    }
}
