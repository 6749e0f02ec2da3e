namespace Benji.Tests.Nbd.Client;

/// <summary>A server that says what it was told to say, whatever it is asked, and then hangs up.</summary>
/// <param name="handshake">What it says at once.</param>
/// <param name="replies">What it says to each flushed request, in order.</param>
internal sealed class ScriptedStream(byte[] handshake, params byte[][] replies) : Stream
{
    private readonly SemaphoreSlim _requests = new(0);
    private MemoryStream _said = new(handshake, writable: false);
    private int _next;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override int Read(byte[] buffer, int offset, int count) => _said.Read(buffer, offset, count);

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        while (_said.Position == _said.Length)
        {
            if (_next == replies.Length)
            {
                return 0;
            }

            await _requests.WaitAsync(cancellationToken);
            _said = new MemoryStream(replies[_next++], writable: false);
        }

        return await _said.ReadAsync(buffer, cancellationToken);
    }

    public override void Write(byte[] buffer, int offset, int count)
    {
    }

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) =>
        ValueTask.CompletedTask;

    public override void Flush()
    {
    }

    public override Task FlushAsync(CancellationToken cancellationToken)
    {
        _requests.Release();
        return Task.CompletedTask;
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        _requests.Dispose();
        base.Dispose(disposing);
    }
}
