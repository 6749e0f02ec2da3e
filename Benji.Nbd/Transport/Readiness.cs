using System.Collections.Concurrent;

namespace Benji.Nbd.Transport;

/// <summary>One thread that waits for all clients in their handshake, in poll(2), so that none needs a thread yet.</summary>
/// <remarks>Sockets stay unknown to the runtime's own poller: it would go on to wake a thread for every request of the
/// transmission, which nobody waits for there. Safe for concurrent calls.</remarks>
internal sealed class Readiness : IDisposable
{
    private const int WaitsMax = 4096;

    private readonly PollSignal _signal = new();
    private readonly ConcurrentDictionary<Waiting, bool> _waits = new();
    private readonly Thread _thread;
    private volatile bool _isEnded;

    /// <summary>Starts the thread.</summary>
    /// <exception cref="IOException">There are too many open files.</exception>
    public Readiness()
    {
        _thread = new Thread(Run) { IsBackground = true, Name = "nbd handshakes" };
        _thread.Start();
    }

    /// <summary>Waits until a file is ready, or broken.</summary>
    /// <param name="file">Stays open until the task is completed.</param>
    /// <param name="events">For what.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public async ValueTask WaitAsync(int file, short events, CancellationToken cancellationToken)
    {
        var waiting = new Waiting(file, events);
        _waits[waiting] = true;
        _signal.Set();
        try
        {
            await waiting.Ready.Task.WaitAsync(cancellationToken);
        }
        finally
        {
            if (_waits.TryRemove(waiting, out _))
            {
                // While poll(2) looks at a file, closing it does not close the connection.
                _signal.Set();
            }
        }
    }

    /// <summary>Ends the thread; nobody waits any more.</summary>
    public void Dispose()
    {
        _isEnded = true;
        _signal.Set();
        _thread.Join();
        _signal.Dispose();
    }

    private unsafe void Run()
    {
        var entries = new PollEntry[WaitsMax];
        var waits = new List<Waiting>();
        while (!_isEnded)
        {
            waits.Clear();
            waits.AddRange(_waits.Keys.Take(WaitsMax - 1));
            entries[0] = new PollEntry { File = _signal.File, Events = SocketCalls.Readable };
            for (var i = 0; i < waits.Count; i++)
            {
                entries[i + 1] = new PollEntry { File = waits[i].File, Events = waits[i].Events };
            }

            fixed (PollEntry* first = entries)
            {
                SocketCalls.WaitForAny(first, (uint)waits.Count + 1);
            }

            if (entries[0].Happened != 0)
            {
                _signal.Reset();
            }

            for (var i = 0; i < waits.Count; i++)
            {
                if (entries[i + 1].Happened != 0 && _waits.TryRemove(waits[i], out _))
                {
                    waits[i].Ready.SetResult();
                }
            }
        }
    }

    // A class, so that each wait is its own key.
    private sealed class Waiting(int file, short events)
    {
        public int File => file;

        public short Events => events;

        public TaskCompletionSource Ready { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
