using Benji.Nbd.Session;

namespace Benji.Nbd.Transport;

/// <summary>A polled socket as a stream: asynchronous in the handshake, synchronous for TLS in the transmission.</summary>
/// <param name="socket">The socket; closed with the stream.</param>
/// <param name="readiness">Waits in the handshake.</param>
internal sealed class PolledStream(PolledSocket socket, Readiness readiness) : Stream
{
    /// <summary>Done before a synchronous read waits.</summary>
    public IWireWork? Work { get; set; }

    /// <summary>True when the last synchronous read was ended by the work.</summary>
    public bool IsStopped { get; private set; }

    /// <summary>The socket.</summary>
    public PolledSocket Socket => socket;

    /// <inheritdoc/>
    public override bool CanRead => true;

    /// <inheritdoc/>
    public override bool CanWrite => true;

    /// <inheritdoc/>
    public override bool CanSeek => false;

    /// <inheritdoc/>
    public override long Length => throw new NotSupportedException();

    /// <inheritdoc/>
    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <inheritdoc/>
    public override int Read(Span<byte> buffer)
    {
        var received = socket.Receive(buffer, Work ?? throw new InvalidOperationException("There is no thread for this client."));
        IsStopped = received < 0;
        return IsStopped ? throw new IOException("The server is ending.") : received;
    }

    /// <inheritdoc/>
    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    /// <inheritdoc/>
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        int received;
        while ((received = socket.TryReceive(buffer.Span)) < 0)
        {
            await readiness.WaitAsync(socket.File, SocketCalls.Readable, cancellationToken);
        }

        return received;
    }

    /// <inheritdoc/>
    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    /// <inheritdoc/>
    public override unsafe void Write(ReadOnlySpan<byte> buffer)
    {
        fixed (byte* bytes = buffer)
        {
            var vector = new IoVector((nint)bytes, (nuint)buffer.Length);
            socket.Send(new Span<IoVector>(ref vector));
        }
    }

    /// <inheritdoc/>
    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    /// <inheritdoc/>
    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        while (!(buffer = TryWrite(buffer)).IsEmpty)
        {
            await readiness.WaitAsync(socket.File, SocketCalls.Writable, cancellationToken);
        }
    }

    /// <inheritdoc/>
    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    /// <inheritdoc/>
    public override void Flush()
    {
    }

    /// <inheritdoc/>
    public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override void SetLength(long value) => throw new NotSupportedException();

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            socket.Dispose();
        }

        base.Dispose(disposing);
    }

    private unsafe ReadOnlyMemory<byte> TryWrite(ReadOnlyMemory<byte> buffer)
    {
        fixed (byte* bytes = buffer.Span)
        {
            var vector = new IoVector((nint)bytes, (nuint)buffer.Length);
            var left = socket.TrySend(new Span<IoVector>(ref vector));
            return left.IsEmpty ? default : buffer[^(int)left[0].Length..];
        }
    }
}
