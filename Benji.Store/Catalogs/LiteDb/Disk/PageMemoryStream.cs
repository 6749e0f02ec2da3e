namespace Benji.Store.Catalogs.LiteDb.Disk;

/// <summary>LiteDB's own log: whole pages in memory, emptied after each commit.</summary>
/// <remarks>Unlike a <see cref="MemoryStream"/> it grows without copying. LiteDB uses it under its own lock.</remarks>
internal sealed class PageMemoryStream(PagePool pool) : Stream
{
    private const int PageSize = WalGroup.PageSize;

    private readonly List<byte[]> _pages = [];

    /// <inheritdoc/>
    public override bool CanRead => true;

    /// <inheritdoc/>
    public override bool CanSeek => true;

    /// <inheritdoc/>
    public override bool CanWrite => true;

    /// <inheritdoc/>
    public override long Length => (long)_pages.Count * PageSize;

    /// <inheritdoc/>
    public override long Position { get; set; }

    /// <summary>Reads one page that was written.</summary>
    /// <exception cref="NotSupportedException">The read is of any other shape.</exception>
    public override int Read(byte[] buffer, int offset, int count)
    {
        var page = IndexOf(count);
        if (page >= _pages.Count)
        {
            return 0;
        }

        _pages[page].AsSpan(0, count).CopyTo(buffer.AsSpan(offset));
        Position += count;
        return count;
    }

    /// <summary>Writes one page, at most right behind the last.</summary>
    /// <exception cref="NotSupportedException">The write is of any other shape.</exception>
    public override void Write(byte[] buffer, int offset, int count)
    {
        var page = IndexOf(count);
        while (page >= _pages.Count)
        {
            var added = pool.Rent();
            added.AsSpan().Clear();
            _pages.Add(added);
        }

        buffer.AsSpan(offset, count).CopyTo(_pages[page]);
        Position += count;
    }

    /// <inheritdoc/>
    public override void Flush()
    {
        // Memory has nothing behind it.
    }

    /// <summary>Empties the log.</summary>
    /// <exception cref="NotSupportedException">The length is not zero.</exception>
    public override void SetLength(long value)
    {
        if (value != 0)
        {
            throw new NotSupportedException($"LiteDB's log is emptied, not set to {value} bytes.");
        }

        _pages.ForEach(pool.Return);
        _pages.Clear();
    }

    /// <inheritdoc/>
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException("LiteDB sets positions.");

    private int IndexOf(int count) => count == PageSize && Position % PageSize == 0
        ? checked((int)(Position / PageSize))
        : throw new NotSupportedException($"LiteDB's log is read and written in pages, not {count} bytes at {Position}.");
}
