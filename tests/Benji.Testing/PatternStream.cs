namespace Benji.Testing;

/// <summary>Gives out a head and then a pattern again and again, up to a length that no file of a test could have.</summary>
public sealed class PatternStream(byte[] head, byte[] pattern, long length) : Stream
{
    /// <summary>Bytes given out so far.</summary>
    public long Given { get; private set; }

    /// <inheritdoc/>
    public override bool CanRead => true;

    /// <inheritdoc/>
    public override bool CanSeek => false;

    /// <inheritdoc/>
    public override bool CanWrite => false;

    /// <inheritdoc/>
    public override long Length => length;

    /// <inheritdoc/>
    public override long Position
    {
        get => Given;
        set => throw new NotSupportedException();
    }

    /// <inheritdoc/>
    public override int Read(byte[] buffer, int offset, int count)
    {
        var (part, start) = Given < head.Length ? (head, (int)Given) : (pattern, (int)((Given - head.Length) % pattern.Length));
        var given = (int)Math.Min(Math.Min(count, part.Length - start), length - Given);
        part.AsSpan(start, given).CopyTo(buffer.AsSpan(offset));
        Given += given;
        return given;
    }

    /// <inheritdoc/>
    public override void Flush()
    {
    }

    /// <inheritdoc/>
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override void SetLength(long value) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
}
