using System.ComponentModel;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Benji.Nbd.Session;
using Microsoft.Win32.SafeHandles;

namespace Benji.Nbd.Transport;

/// <summary>A connected socket used by one thread, which waits in poll(2) for its client or to be woken.</summary>
/// <remarks>Measured against sockets of the runtime: those change threads twice for each request that they wait for, which
/// costs more than all the rest of a cached read. See docs/decisions/0010-a-thread-for-each-nbd-client.md.</remarks>
internal sealed unsafe class PolledSocket : IWire, IDisposable
{
    private const int Forever = -1;

    private readonly Socket _socket;
    private readonly int _file;
    private readonly SafeFileHandle _event;
    private int _isWoken;
    private int _isWaiting;

    /// <summary>Takes over a connected socket.</summary>
    /// <exception cref="IOException">There are too many open files.</exception>
    public PolledSocket(Socket socket)
    {
        _socket = socket;
        _file = (int)socket.Handle;
        var file = SocketCalls.CreateEvent(0, SocketCalls.EventFlags);
        _event = new SafeFileHandle(file, ownsHandle: true);
        if (file < 0)
        {
            throw Broken("make an event for");
        }
    }

    /// <summary>The socket.</summary>
    public Socket Socket => _socket;

    /// <inheritdoc/>
    public int Receive(Span<byte> destination, IWireWork work)
    {
        while (true)
        {
            nint received;
            fixed (byte* buffer = destination)
            {
                received = SocketCalls.Receive(_file, buffer, (nuint)destination.Length, SocketCalls.DoNotWait);
            }

            if (received >= 0)
            {
                return (int)received;
            }

            if (Marshal.GetLastPInvokeError() is var error && error == SocketCalls.TryAgain)
            {
                if (!work.Work())
                {
                    return -1;
                }

                Wait(SocketCalls.Readable);
            }
            else if (error != SocketCalls.Interrupted)
            {
                throw Broken("receive from");
            }
        }
    }

    /// <inheritdoc/>
    public void Send(Span<IoVector> vectors)
    {
        while (!vectors.IsEmpty)
        {
            nint sent;
            fixed (IoVector* first = vectors)
            {
                var message = new MessageHeader { Vectors = first, VectorCount = (nuint)vectors.Length };
                sent = SocketCalls.Send(_file, &message, SocketCalls.DoNotWait);
            }

            if (sent >= 0)
            {
                vectors = Behind(vectors, (nuint)sent);
            }
            else if (Marshal.GetLastPInvokeError() is var error && error == SocketCalls.TryAgain)
            {
                var entry = new PollEntry { File = _file, Events = SocketCalls.Writable };
                Poll(&entry, 1);
            }
            else if (error != SocketCalls.Interrupted)
            {
                throw Broken("send to");
            }
        }
    }

    /// <inheritdoc/>
    public void WaitForWake() => Wait(0);

    /// <inheritdoc/>
    public void Wake()
    {
        if (Interlocked.Exchange(ref _isWoken, 1) != 0 || Volatile.Read(ref _isWaiting) == 0)
        {
            return;
        }

        try
        {
            ulong one = 1;
            _ = SocketCalls.Write(_event, &one, sizeof(ulong));
        }
        catch (ObjectDisposedException)
        {
            // What this was to tell has been seen already: the last completion may be taken before its wake is through.
            return;
        }
    }

    /// <summary>Breaks the connection under whoever uses it; safe from any thread while it is not disposed.</summary>
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
        _event.Dispose();
        _socket.Dispose();
    }

    // Waiting is announced before the last look, and waking looks at the announcement last: one of the two sees the other.
    private void Wait(short events)
    {
        Interlocked.Exchange(ref _isWaiting, 1);
        if (Interlocked.Exchange(ref _isWoken, 0) == 0)
        {
            var entries = stackalloc PollEntry[2];
            entries[0] = new PollEntry { File = (int)_event.DangerousGetHandle(), Events = SocketCalls.Readable };
            entries[1] = new PollEntry { File = _file, Events = events };
            Poll(entries, events == 0 ? 1u : 2u);
            if (entries[0].Happened != 0)
            {
                ulong count;
                _ = SocketCalls.Read(_event, &count, sizeof(ulong));
                Volatile.Write(ref _isWoken, 0);
            }
        }

        Volatile.Write(ref _isWaiting, 0);
    }

    private static void Poll(PollEntry* entries, uint count)
    {
        while (SocketCalls.Poll(entries, count, Forever) < 0)
        {
            if (Marshal.GetLastPInvokeError() != SocketCalls.Interrupted)
            {
                throw Broken("wait for");
            }
        }
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
