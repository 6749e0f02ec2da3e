using Benji.Store.Model;

namespace Benji.Nbd.Session.Requests;

/// <summary>Counts the bytes that requests of all connections hold, so that together they stay below a bound.</summary>
/// <remarks>The only request of a connection may always begin when it is small: slow clients that hold everything cannot
/// stop the others. Safe for concurrent calls.</remarks>
/// <param name="bytesMax">The bound.</param>
internal sealed class MemoryBudget(long bytesMax)
{
    /// <summary>Bytes of a request that may always begin; connections times this come on top of the bound.</summary>
    public const long SmallMax = 2 * 1024 * 1024;

    // What is given back is kept for the next write, whichever connection's; more than this goes back to the system.
    private const long IdleMax = 64L * 1024 * 1024;

    private readonly Lock _waitersLock = new();
    private readonly HashSet<IWire> _waiters = [];
    private long _taken;

    /// <summary>Lends memory for the data of writes.</summary>
    public BlockBufferPool Payloads { get; } = new(IdleMax);

    /// <summary>True while a connection waits for bytes that others hold.</summary>
    public bool HasWaiters
    {
        get
        {
            lock (_waitersLock)
            {
                return _waiters.Count > 0;
            }
        }
    }

    /// <summary>Bytes held now.</summary>
    public long Taken => Interlocked.Read(ref _taken);

    /// <summary>Takes bytes if they are free; otherwise the wire is woken when some are given back.</summary>
    /// <param name="bytes">How many.</param>
    /// <param name="isOnly">True when the connection holds none.</param>
    /// <param name="waiter">Woken once, perhaps without need.</param>
    public bool TryTake(long bytes, bool isOnly, IWire waiter)
    {
        if (TryTake(bytes, isOnly))
        {
            return true;
        }

        lock (_waitersLock)
        {
            _waiters.Add(waiter);
        }

        // Given back between the two: the waiter may have come too late to be woken.
        if (!TryTake(bytes, isOnly))
        {
            return false;
        }

        Forget(waiter);
        return true;
    }

    /// <summary>Gives bytes back.</summary>
    public void Release(long bytes)
    {
        if (bytes == 0)
        {
            return;
        }

        Interlocked.Add(ref _taken, -bytes);
        lock (_waitersLock)
        {
            foreach (var waiter in _waiters)
            {
                waiter.Wake();
            }

            _waiters.Clear();
        }
    }

    /// <summary>Says that a wire is not to be woken any more; it may be disposed when this returns.</summary>
    public void Forget(IWire waiter)
    {
        lock (_waitersLock)
        {
            _waiters.Remove(waiter);
        }
    }

    private bool TryTake(long bytes, bool isOnly)
    {
        if (Interlocked.Add(ref _taken, bytes) <= bytesMax || (isOnly && bytes <= SmallMax))
        {
            return true;
        }

        Interlocked.Add(ref _taken, -bytes);
        return false;
    }
}
