using System.ComponentModel;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Benji.Nbd.Session;

namespace Benji.Nbd.Transport;

/// <summary>A connected socket used by one thread, which waits in poll(2) for its client or to be woken.</summary>
/// <remarks>Measured against sockets of the runtime: those change threads twice for each request that they wait for, which
/// costs more than all the rest of a cached read. See docs/decisions/0010-a-thread-for-each-nbd-client.md.</remarks>
internal sealed unsafe class PolledSocket : IWire, IDisposable
{
    private readonly Socket _socket;
    private readonly int _file;
    private readonly PollSignal _signal = new();
    private int _isDisposed;
    private int _isWoken;
    private int _isWaiting;

    /// <summary>Takes over a connected socket that nothing asynchronous was ever done with.</summary>
    /// <exception cref="IOException">There are too many open files.</exception>
    public PolledSocket(Socket socket)
    {
        _socket = socket;
        _file = (int)socket.Handle;
    }

    /// <summary>The socket's file, while this is not disposed.</summary>
    public int File => _file;

    /// <inheritdoc/>
    public int Receive(Span<byte> destination, IWireWork work)
    {
        int received;
        while ((received = TryReceive(destination)) < 0)
        {
            if (!work.Work())
            {
                return -1;
            }

            Wait(SocketCalls.Readable);
        }

        return received;
    }

    /// <inheritdoc/>
    public void Send(Span<IoVector> vectors)
    {
        while (!(vectors = TrySend(vectors)).IsEmpty)
        {
            var entry = new PollEntry { File = _file, Events = SocketCalls.Writable };
            SocketCalls.WaitForAny(&entry, 1);
        }
    }

    /// <summary>Receives what has arrived.</summary>
    /// <returns>Bytes received; 0 when the client sends no more, -1 when nothing has arrived.</returns>
    /// <exception cref="IOException">The connection is broken.</exception>
    public int TryReceive(Span<byte> destination)
    {
        while (true)
        {
            fixed (byte* buffer = destination)
            {
                var length = (nuint)destination.Length;
                if (SocketCalls.Receive(_file, buffer, length, SocketCalls.DoNotWait) is var received && received >= 0)
                {
                    return (int)received;
                }
            }

            switch (Marshal.GetLastPInvokeError())
            {
                case SocketCalls.TryAgain:
                    return -1;
                case SocketCalls.Interrupted:
                    break;
                default:
                    throw Broken("receive from");
            }
        }
    }

    /// <summary>Sends as much as the connection takes.</summary>
    /// <returns>What is left.</returns>
    /// <exception cref="IOException">The connection is broken.</exception>
    public Span<IoVector> TrySend(Span<IoVector> vectors)
    {
        while (!vectors.IsEmpty)
        {
            fixed (IoVector* first = vectors)
            {
                var message = new MessageHeader { Vectors = first, VectorCount = (nuint)vectors.Length };
                if (SocketCalls.Send(_file, &message, SocketCalls.DoNotWait) is var sent && sent >= 0)
                {
                    vectors = Behind(vectors, (nuint)sent);
                    continue;
                }
            }

            switch (Marshal.GetLastPInvokeError())
            {
                case SocketCalls.TryAgain:
                    return vectors;
                case SocketCalls.Interrupted:
                    break;
                default:
                    throw Broken("send to");
            }
        }

        return default;
    }

    /// <inheritdoc/>
    public void WaitForWake() => Wait(0);

    /// <inheritdoc/>
    public void Wake()
    {
        if (Interlocked.Exchange(ref _isWoken, 1) == 0 && Volatile.Read(ref _isWaiting) != 0)
        {
            _signal.Set();
        }
    }

    /// <inheritdoc/>
    public void Abort()
    {
        try
        {
            _socket.Shutdown(SocketShutdown.Both);
        }
        catch (SocketException)
        {
            // It is broken already.
            return;
        }
    }

    /// <summary>Closes the connection.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _isDisposed, 1) != 0)
        {
            return;
        }

        // A thread that still waits for it in poll(2) would keep the connection open behind the close.
        Abort();
        _signal.Dispose();
        _socket.Dispose();
    }

    // Waiting is announced before the last look, and waking looks at the announcement last: one of the two sees the other.
    private void Wait(short events)
    {
        Interlocked.Exchange(ref _isWaiting, 1);
        if (Interlocked.Exchange(ref _isWoken, 0) == 0)
        {
            var entries = stackalloc PollEntry[2];
            entries[0] = new PollEntry { File = _signal.File, Events = SocketCalls.Readable };
            entries[1] = new PollEntry { File = _file, Events = events };
            SocketCalls.WaitForAny(entries, events == 0 ? 1u : 2u);
            if (entries[0].Happened != 0)
            {
                _signal.Reset();
                Volatile.Write(ref _isWoken, 0);
            }
        }

        Volatile.Write(ref _isWaiting, 0);
    }

    private static Span<IoVector> Behind(Span<IoVector> vectors, nuint sent)
    {
        var whole = 0;
        while (whole < vectors.Length && sent >= vectors[whole].Length)
        {
            sent -= vectors[whole++].Length;
        }

        vectors = vectors[whole..];
        if (sent > 0)
        {
            vectors[0] = new IoVector(vectors[0].Address + (nint)sent, vectors[0].Length - sent);
        }

        return vectors;
    }

    private static IOException Broken(string action)
    {
        var error = new Win32Exception(Marshal.GetLastPInvokeError());
        return new IOException($"Cannot {action} the client: {error.Message}.", error);
    }
}
