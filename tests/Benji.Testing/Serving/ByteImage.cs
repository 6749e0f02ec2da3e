using Benji.Store.Images;
using Benji.Store.Model;

namespace Benji.Testing.Serving;

/// <summary>An image in memory, version or overlay, for the tests of protocols: at will damaged, slow or full.</summary>
public sealed class ByteImage : IWritableImage
{
    private const int Unit = 4096;

    private readonly byte[] _content;
    private readonly byte[] _base;
    private readonly HashSet<long> _dirty;
    private readonly Action _closed;

    internal ByteImage(ImageEntry entry, byte[] content, byte[] baseContent, HashSet<long> dirty, Action closed)
    {
        Entry = entry;
        _content = content;
        _base = baseContent;
        _dirty = dirty;
        _closed = closed;
        Allocation = new ByteExtents(Size, Unit, HasData);
        Damage = new ByteExtents(Size, Unit, offset => Faults.IsDamaged(offset));
    }

    /// <summary>What goes wrong in reads and writes.</summary>
    public ByteImageFaults Faults { get; init; } = new();

    /// <inheritdoc/>
    public ImageEntry Entry { get; }

    /// <inheritdoc/>
    public long Size => _content.Length;

    /// <inheritdoc/>
    public IExtentMap Allocation { get; }

    /// <inheritdoc/>
    public IExtentMap Damage { get; }

    /// <inheritdoc/>
    public long DirtyBytes
    {
        get
        {
            lock (_dirty)
            {
                return _dirty.Count * (long)Unit;
            }
        }
    }

    /// <inheritdoc/>
    public long AllocatedBytes
    {
        get
        {
            lock (_dirty)
            {
                var units = (Size + Unit - 1) / Unit;
                var data = _dirty.Count(unit => HasData(unit * Unit));
                return Math.Min(Size, (data * Unit) + Math.Min(Entry.Version.AllocatedBytes, (units - _dirty.Count) * Unit));
            }
        }
    }

    /// <inheritdoc/>
    public DateTimeOffset LastChange => Time.LastChange ?? Entry.Overlay!.Created;

    /// <summary>Dates changes.</summary>
    internal TimeProvider Clock { get; init; } = TimeProvider.System;

    /// <summary>When the image last changed, in all of its openings.</summary>
    internal ByteImageTime Time { get; init; } = new();

    /// <inheritdoc/>
    public bool TryRead(long offset, int length, ImagePieces pieces)
    {
        Invariant.Holds(offset >= 0 && length > 0 && offset + length <= Size && pieces.Count == 0);
        if (Faults.Reading is not null || Faults.IsDamaged(offset, length))
        {
            return false;
        }

        AddPieces(offset, length, pieces);
        return true;
    }

    /// <inheritdoc/>
    public async ValueTask ReadAsync(long offset, int length, ImagePieces pieces, CancellationToken cancellationToken)
    {
        Invariant.Holds(offset >= 0 && length > 0 && offset + length <= Size && pieces.Count == 0);
        if (Faults.Reading is { } reading)
        {
            await reading(offset, cancellationToken);
        }

        if (Faults.FirstDamaged(offset, length) is { } damaged)
        {
            throw new DamagedImageException($"Block 7 of {Entry.Name} is damaged, as told.", damaged);
        }

        AddPieces(offset, length, pieces);
    }

    /// <inheritdoc/>
    public ValueTask PrefetchAsync(long offset, long length, CancellationToken cancellationToken) => default;

    /// <inheritdoc/>
    public async ValueTask WriteAsync(long offset, ReadOnlyMemory<byte> data, CancellationToken cancellationToken)
    {
        Invariant.Holds(Entry.Overlay is not null && offset >= 0 && !data.IsEmpty && offset + data.Length <= Size);
        if (Faults.Writing is { } writing)
        {
            await writing(offset, cancellationToken);
        }

        Faults.CheckSpace();
        data.Span.CopyTo(_content.AsSpan((int)offset));
        Mark(offset, data.Length, isDirty: true);
    }

    /// <inheritdoc/>
    public ValueTask ZeroAsync(long offset, long length, bool mayFreeSpace, CancellationToken cancellationToken)
    {
        Invariant.Holds(Entry.Overlay is not null && offset >= 0 && length > 0 && offset + length <= Size);
        Faults.Zeroing?.Invoke(offset, length, mayFreeSpace);
        Faults.CheckSpace();
        _content.AsSpan((int)offset, (int)length).Clear();
        Mark(offset, length, isDirty: true);
        return default;
    }

    /// <inheritdoc/>
    public ValueTask RevertAsync(long offset, long length, CancellationToken cancellationToken)
    {
        Invariant.Holds(offset % Unit == 0 && (length % Unit == 0 || offset + length == Size));
        _base.AsSpan((int)offset, (int)length).CopyTo(_content.AsSpan((int)offset));
        Mark(offset, length, isDirty: false);
        return default;
    }

    /// <inheritdoc/>
    public ValueTask FlushAsync(CancellationToken cancellationToken)
    {
        Faults.Flushing?.Invoke();
        Faults.CheckSpace();
        return default;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        try
        {
            if (Faults.Closing is { } closing)
            {
                await closing(Entry.Name);
            }
        }
        finally
        {
            _closed();
        }
    }

    // Zeros of whole units are holes in the middle of a read, as they are in a real image.
    private void AddPieces(long offset, int length, ImagePieces pieces)
    {
        var end = offset + length;
        while (offset < end)
        {
            var isData = HasData(offset);
            var next = offset;
            do
            {
                next = Math.Min(end, ((next / Unit) + 1) * Unit);
            }
            while (next < end && HasData(next) == isData);

            if (isData)
            {
                pieces.Add(_content.AsMemory((int)offset, (int)(next - offset)), owner: null);
            }
            else
            {
                pieces.AddHole((int)(next - offset));
            }

            offset = next;
        }
    }

    private bool HasData(long offset)
    {
        var start = (int)(offset / Unit * Unit);
        return _content.AsSpan(start, Math.Min(Unit, _content.Length - start)).ContainsAnyExcept((byte)0);
    }

    private void Mark(long offset, long length, bool isDirty)
    {
        Time.LastChange = Clock.GetUtcNow();
        lock (_dirty)
        {
            for (var unit = offset / Unit; unit <= (offset + length - 1) / Unit; unit++)
            {
                _ = isDirty ? _dirty.Add(unit) : _dirty.Remove(unit);
            }
        }
    }
}

/// <summary>When an image last changed; null for never.</summary>
internal sealed class ByteImageTime
{
    /// <summary>The time.</summary>
    public DateTimeOffset? LastChange { get; set; }
}
