using Benji.Nbd.Protocol;

namespace Benji.Nbd.Session.Requests;

/// <summary>What a client sends: takes whole requests and the data behind them out of what has arrived.</summary>
/// <remarks>For the connection's thread.</remarks>
/// <param name="wire">The connection.</param>
/// <param name="work">Done whenever nothing more is known to come, so that what is ready is not held back.</param>
internal sealed class RequestInput(IWire wire, IWireWork work)
{
    private const int BufferSize = 64 * 1024;

    private readonly byte[] _buffer = GC.AllocateUninitializedArray<byte>(BufferSize, pinned: true);
    private int _start;
    private int _end;

    /// <summary>Takes the next request.</summary>
    /// <returns>False when the client closed the connection behind the last one, or the work says to stop.</returns>
    /// <exception cref="NbdProtocolException">It is no request, or not whole.</exception>
    /// <exception cref="IOException">The connection is broken.</exception>
    public bool TryTake(out RequestHeader request)
    {
        if (!Fill(RequestHeader.Size))
        {
            request = default;
            return false;
        }

        request = RequestHeader.Parse(_buffer.AsSpan(_start, RequestHeader.Size));
        _start += RequestHeader.Size;
        return true;
    }

    /// <summary>Takes the data of a WRITE.</summary>
    /// <returns>False when the work says to stop.</returns>
    /// <exception cref="NbdProtocolException">It is not whole.</exception>
    /// <exception cref="IOException">The connection is broken.</exception>
    public bool TryTake(Span<byte> destination)
    {
        var buffered = Math.Min(_end - _start, destination.Length);
        _buffer.AsSpan(_start, buffered).CopyTo(destination);
        _start += buffered;
        destination = destination[buffered..];
        while (!destination.IsEmpty)
        {
            var received = wire.Receive(destination, work);
            if (received < 0)
            {
                return false;
            }

            destination = received > 0
                ? destination[received..]
                : throw new NbdProtocolException("It closed the connection in the middle of the data of a write.");
        }

        return true;
    }

    /// <summary>Takes the data of a WRITE that is refused.</summary>
    /// <returns>False when the client closed the connection, or the work says to stop.</returns>
    /// <exception cref="NbdProtocolException">It is so long that the connection is not worth it.</exception>
    /// <exception cref="IOException">The connection is broken.</exception>
    public bool TryDrop(uint length)
    {
        const uint dropMax = 2 * NbdLimits.PayloadMax;
        if (length > dropMax)
        {
            throw new NbdProtocolException($"It writes {length} bytes at once; at most {NbdLimits.PayloadMax} are possible.");
        }

        var left = (int)length;
        while (left > 0)
        {
            if (!Fill(1))
            {
                return false;
            }

            var dropped = Math.Min(left, _end - _start);
            _start += dropped;
            left -= dropped;
        }

        return true;
    }

    // True when so many bytes are buffered.
    private bool Fill(int count)
    {
        while (_end - _start < count)
        {
            if (_start > 0)
            {
                _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
                (_start, _end) = (0, _end - _start);
            }

            var received = work.Work() ? wire.Receive(_buffer.AsSpan(_end), work) : -1;
            if (received < 0 || (received == 0 && _end == 0))
            {
                return false;
            }

            _end += received > 0
                ? received
                : throw new NbdProtocolException($"It closed the connection behind the first {_end} bytes of a request.");
        }

        return true;
    }
}
