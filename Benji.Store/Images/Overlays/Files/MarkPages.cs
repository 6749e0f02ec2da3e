using Benji.Store.Model;

namespace Benji.Store.Images.Overlays.Files;

/// <summary>The pages of marks of an overlay: read from its file where they are first looked at, a bounded number of
/// them kept.</summary>
/// <remarks>Memory: 8 bytes for each 64 MiB of the image that was looked at, and 4 KiB for each page of several states,
/// of which a number and those that differ from the disk are kept. Safe for concurrent calls.</remarks>
/// <param name="disk">The file.</param>
/// <param name="layout">Its arithmetic.</param>
/// <param name="pagesMax">Pages that are kept though the disk has them too.</param>
internal sealed class MarkPages(IOverlayDisk disk, OverlayLayout layout, int pagesMax)
{
    /// <summary>As many pages as an overlay needs whose marks cover 1 TiB: at most 64 MiB.</summary>
    public const int PagesMaxDefault = 16_384;

    private const int ChunkPages = 1024;

    private readonly MarkPage?[]?[] _chunks = new MarkPage?[]?[(layout.PageCount + ChunkPages - 1) / ChunkPages];
    private readonly Queue<long> _kept = new();
    private readonly MarkPage _empty = new();
    private readonly MarkPage _forgotten = new();
    private UnitCounts _counts;
    private bool _isCounted;

    /// <summary>Held by whoever changes a page, from finding it on.</summary>
    public Lock ChangeLock { get; } = new();

    /// <summary>Returns a page; it stays this one only under the lock, and while it differs from the disk.</summary>
    /// <exception cref="CorruptDataException">It is damaged.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public MarkPage this[long number]
    {
        get
        {
            var chunk = Volatile.Read(ref _chunks[number / ChunkPages]);
            var page = chunk is null ? null : Volatile.Read(ref chunk[number % ChunkPages]);
            return page is null || ReferenceEquals(page, _forgotten) ? Load(number) : page;
        }
    }

    /// <summary>Says that a page, under the lock, was changed and had other counts before.</summary>
    public void NoteChange(UnitCounts before, UnitCounts after) => _counts = _counts.Change(before, after);

    /// <summary>Counts units; reads all pages that have space once.</summary>
    /// <exception cref="CorruptDataException">A page of marks is damaged.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public UnitCounts Count()
    {
        lock (ChangeLock)
        {
            for (long number = 0; !_isCounted && (number = NextWithSpace(number)) < layout.PageCount; number++)
            {
                _ = this[number];
            }

            _isCounted = true;
            return _counts;
        }
    }

    /// <summary>Finds the first page, from one on, that may hold anything else than marks of the base.</summary>
    /// <returns>Its number, or the number of pages; of the pages before it nothing is read or kept.</returns>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public long NextWithSpace(long number)
    {
        long? written = null;

        // A chunk that is in memory may hold what the disk does not, so its pages are not passed over.
        while (number < layout.PageCount && Volatile.Read(ref _chunks[number / ChunkPages]) is null)
        {
            written ??= disk.FindData(OverlayLayout.PageOffset(number)) is { } run
                ? (run.Start / OverlayLayout.UnitSize) - 1
                : long.MaxValue;
            if (written / ChunkPages <= number / ChunkPages)
            {
                return number;
            }

            number = ((number / ChunkPages) + 1) * ChunkPages;
        }

        return Math.Min(number, layout.PageCount);
    }

    /// <summary>Takes the space of a run of pages, so that a change of their marks finds room.</summary>
    /// <exception cref="IOException">The disk is full, or the file failed; none is reserved.</exception>
    public void Reserve(long first, long count)
    {
        // The pages are all of the base still, which is zeros.
        OverlaySpace.Take(disk, OverlayLayout.PageOffset(first), count * OverlayLayout.UnitSize);
        for (var number = first; number < first + count; number++)
        {
            var page = this[number];
            if (ReferenceEquals(page, _empty))
            {
                Keep(number, new MarkPage { IsReserved = true });
            }
            else
            {
                page.IsReserved = true;
            }
        }
    }

    private MarkPage Load(long number)
    {
        lock (ChangeLock)
        {
            var known = (_chunks[number / ChunkPages] ?? LoadChunk(number / ChunkPages))[number % ChunkPages];
            if (known is not null && !ReferenceEquals(known, _forgotten))
            {
                return known;
            }

            Span<byte> bytes = stackalloc byte[OverlayLayout.UnitSize];
            var units = Math.Min(OverlayLayout.PageUnits, layout.UnitCount - (number * OverlayLayout.PageUnits));
            var page = disk.Read(OverlayLayout.PageOffset(number), bytes) == bytes.Length
                ? MarkPage.Parse(bytes, (int)units)
                : null;
            if (page is null)
            {
                throw new CorruptDataException(
                    $"The marks of {units * OverlayLayout.UnitSize} bytes from " +
                    $"{number * OverlayLayout.PageUnits * OverlayLayout.UnitSize} in {disk.Path} are damaged.");
            }

            _counts = known is null ? _counts.Change(default, UnitCounts.Of(page)) : _counts;
            Keep(number, page);
            return page;
        }
    }

    // Pages in holes are all of the base; a large image with few changes is told so by a few questions.
    private MarkPage?[] LoadChunk(long index)
    {
        var first = index * ChunkPages;
        var count = (int)Math.Min(ChunkPages, layout.PageCount - first);
        var chunk = new MarkPage?[count];
        for (var at = first; at < first + count;)
        {
            var data = disk.FindData(OverlayLayout.PageOffset(at));
            var dataFirst = data is { } run ? (run.Start / OverlayLayout.UnitSize) - 1 : long.MaxValue;
            for (; at < Math.Min(dataFirst, first + count); at++)
            {
                chunk[at - first] = _empty;
            }

            at = data is { } found ? Math.Max(at, (found.End - 1) / OverlayLayout.UnitSize) : at;
        }

        Volatile.Write(ref _chunks[index], chunk);
        return chunk;
    }

    private void Keep(long number, MarkPage page)
    {
        Volatile.Write(ref _chunks[number / ChunkPages]![number % ChunkPages], page);
        _kept.Enqueue(number);

        // Two for one, so that what could not be forgotten before is caught up with.
        for (var i = 0; i < 2 && _kept.Count > pagesMax; i++)
        {
            ForgetOldest();
        }
    }

    private void ForgetOldest()
    {
        var number = _kept.Dequeue();
        ref var slot = ref _chunks[number / ChunkPages]![number % ChunkPages];
        if (slot!.IsOnDisk)
        {
            Volatile.Write(ref slot, _forgotten);
        }
        else
        {
            _kept.Enqueue(number);
        }
    }
}

/// <summary>How many units are not the base's, and how many of these are data.</summary>
/// <param name="Dirty">Units that are data or zeros.</param>
/// <param name="Data">Units that are data.</param>
internal readonly record struct UnitCounts(long Dirty, long Data)
{
    /// <summary>Returns the counts of one page.</summary>
    public static UnitCounts Of(MarkPage page) => new(page.DirtyUnits, page.DataUnits);

    /// <summary>Returns the sums after one page's counts have changed.</summary>
    public UnitCounts Change(UnitCounts before, UnitCounts after) =>
        new(Dirty + after.Dirty - before.Dirty, Data + after.Data - before.Data);
}
