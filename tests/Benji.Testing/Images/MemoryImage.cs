using Benji.Store.Model;
using Benji.Store.Sources;

namespace Benji.Testing.Images;

/// <summary>A disk in memory: a source that knows its holes and a target, at will one that fails.</summary>
public sealed class MemoryImage(byte[] content) : ISource, ITarget
{
    private long _bytesRead;

    /// <summary>The bytes.</summary>
    public byte[] Content { get; } = content;

    /// <summary>Bytes read so far.</summary>
    public long BytesRead => Interlocked.Read(ref _bytesRead);

    /// <summary>Reads that touch this offset fail; negative for none.</summary>
    public long FailingOffset { get; set; } = -1;

    /// <summary>Called before each read; a test may block, change or cancel there.</summary>
    public Func<long, ValueTask>? Reading { get; set; }

    /// <inheritdoc/>
    public string Description => "memory";

    /// <inheritdoc/>
    public long Size => Content.Length;

    /// <inheritdoc/>
    public bool IsZeroed { get; init; }

    /// <inheritdoc/>
    public async ValueTask ReadAsync(long offset, Memory<byte> destination, CancellationToken cancellationToken)
    {
        if (Reading is { } reading)
        {
            await reading(offset);
        }

        cancellationToken.ThrowIfCancellationRequested();
        if (FailingOffset >= offset && FailingOffset < offset + destination.Length)
        {
            throw new StorageException($"Reading offset {FailingOffset} failed, as told.", isTransient: false);
        }

        Content.AsSpan((int)offset, destination.Length).CopyTo(destination.Span);
        Interlocked.Add(ref _bytesRead, destination.Length);
    }

    /// <inheritdoc/>
    /// <remarks>Holes are the runs of whole 4 KiB pages of zeros, as on a sparse file.</remarks>
    public Extent? FindData(long offset)
    {
        const int page = 4096;
        var start = offset;
        while (start < Size && IsZero(start - (start % page), page))
        {
            start += page - (start % page);
        }

        if (start >= Size)
        {
            return null;
        }

        var end = start;
        while (end < Size && !IsZero(end - (end % page), page))
        {
            end += page - (end % page);
        }

        return new Extent(start, Math.Min(end, Size) - start, ExtentKind.Data);
    }

    /// <inheritdoc/>
    public void Release(long offset, long length)
    {
    }

    /// <inheritdoc/>
    public ValueTask WriteAsync(long offset, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        content.Span.CopyTo(Content.AsSpan((int)offset));
        return ValueTask.CompletedTask;
    }

    /// <inheritdoc/>
    public ValueTask ZeroAsync(long offset, long length, CancellationToken cancellationToken)
    {
        Content.AsSpan((int)offset, (int)length).Clear();
        return ValueTask.CompletedTask;
    }

    /// <inheritdoc/>
    public ValueTask FlushAsync(CancellationToken cancellationToken) => ValueTask.CompletedTask;

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private bool IsZero(long offset, int length) =>
        !Content.AsSpan((int)offset, (int)Math.Min(length, Size - offset)).ContainsAnyExcept((byte)0);
}
