using Benji.Store.Model;

namespace Benji.Store.Images.Overlays.Files;

/// <summary>The marks of an overlay; changes stay in memory until the file's flush takes them.</summary>
/// <remarks>Safe for concurrent calls.</remarks>
internal sealed class OverlayMarks(
    IOverlayDisk disk, OverlayLayout layout, int pagesMax = MarkPages.PagesMaxDefault)
{
    private readonly MarkPages _pages = new(disk, layout, pagesMax);
    private readonly SortedSet<long> _changed = [];

    /// <summary>True while a mark differs from the disk's.</summary>
    public bool HasChanges
    {
        get
        {
            lock (_pages.ChangeLock)
            {
                return _changed.Count > 0;
            }
        }
    }

    /// <summary>Returns the mark of a unit.</summary>
    /// <exception cref="CorruptDataException">The page of marks is damaged.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public UnitState Get(long unit) => _pages[unit / OverlayLayout.PageUnits].Get((int)(unit % OverlayLayout.PageUnits));

    /// <summary>Finds a run of units of one state.</summary>
    /// <param name="unit">The first unit.</param>
    /// <param name="end">The run ends here at the latest; behind <paramref name="unit"/>.</param>
    /// <param name="state">The state of its units.</param>
    /// <returns>The end of the run; it may go on behind it.</returns>
    /// <exception cref="CorruptDataException">The page of marks is damaged.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public long FindRunEnd(long unit, long end, out UnitState state)
    {
        state = Get(unit);
        for (var at = unit; at < end;)
        {
            var number = at / OverlayLayout.PageUnits;
            var start = number * OverlayLayout.PageUnits;
            var pageEnd = Math.Min(end, start + OverlayLayout.PageUnits);
            var page = _pages[number];
            var first = UnitState.Base;
            var found = page.DirtyUnits == 0
                ? pageEnd
                : start + page.FindRunEnd((int)(at - start), (int)(pageEnd - start), out first);
            if (first != state)
            {
                return Math.Max(at, unit + 1);
            }

            if (found < pageEnd)
            {
                return found;
            }

            at = state == UnitState.Base
                ? Math.Max(pageEnd, Math.Min(end, _pages.NextWithSpace(number + 1) * OverlayLayout.PageUnits))
                : pageEnd;
        }

        return end;
    }

    /// <summary>Takes the space of the pages that hold the marks of a run, so that their change finds room.</summary>
    /// <exception cref="CorruptDataException">A page of marks is damaged.</exception>
    /// <exception cref="IOException">The disk is full, or the file failed.</exception>
    public void Reserve(long first, long count)
    {
        var pageEnd = ((first + count - 1) / OverlayLayout.PageUnits) + 1;
        for (var number = first / OverlayLayout.PageUnits; number < pageEnd; number++)
        {
            if (!_pages[number].IsReserved)
            {
                ReserveRun(number, pageEnd);
            }
        }
    }

    /// <summary>Sets the marks of a run whose pages are reserved.</summary>
    public void Set(long first, long count, UnitState state)
    {
        lock (_pages.ChangeLock)
        {
            for (var at = first; at < first + count;)
            {
                var number = at / OverlayLayout.PageUnits;
                var start = number * OverlayLayout.PageUnits;
                var end = Math.Min(first + count, start + OverlayLayout.PageUnits);
                var page = _pages[number];
                if (page.DirtyUnits > 0 || state != UnitState.Base)
                {
                    Invariant.Holds(page.IsReserved);
                    var before = UnitCounts.Of(page);
                    page.Set((int)(at - start), (int)(end - at), state);
                    _pages.NoteChange(before, UnitCounts.Of(page));
                    if (page.IsChanged)
                    {
                        _changed.Add(number);
                    }
                }

                at = end;
            }
        }
    }

    /// <summary>Lists the pages that differ from the disk.</summary>
    public long[] ListChanged()
    {
        lock (_pages.ChangeLock)
        {
            return [.. _changed];
        }
    }

    /// <summary>Copies pages as they are now, to be written; <see cref="End"/> comes next.</summary>
    public MarkSnapshot Take(ReadOnlySpan<long> pages)
    {
        lock (_pages.ChangeLock)
        {
            var content = new byte[pages.Length * OverlayLayout.UnitSize];
            for (var i = 0; i < pages.Length; i++)
            {
                var page = _pages[pages[i]];
                page.CopyTo(content.AsSpan(i * OverlayLayout.UnitSize, OverlayLayout.UnitSize));
                page.IsChanged = false;
                page.IsBeingWritten = true;
                _changed.Remove(pages[i]);
            }

            return new MarkSnapshot(pages.ToArray(), content);
        }
    }

    /// <summary>Says whether pages were written.</summary>
    public void End(MarkSnapshot snapshot, bool wereWritten)
    {
        lock (_pages.ChangeLock)
        {
            foreach (var number in snapshot.Pages)
            {
                var page = _pages[number];
                page.IsBeingWritten = false;
                if (!wereWritten)
                {
                    page.IsChanged = true;
                    _changed.Add(number);
                }
            }
        }
    }

    /// <summary>Counts units; reads all pages that have space once.</summary>
    /// <exception cref="CorruptDataException">A page of marks is damaged.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public UnitCounts Count() => _pages.Count();

    private void ReserveRun(long first, long end)
    {
        lock (_pages.ChangeLock)
        {
            var count = 0;
            while (first + count < end && !_pages[first + count].IsReserved)
            {
                count++;
            }

            if (count > 0)
            {
                _pages.Reserve(first, count);
            }
        }
    }
}

/// <summary>Pages of marks as they were at one moment.</summary>
/// <param name="Pages">Their numbers.</param>
/// <param name="Content">Their bytes, one behind the other.</param>
internal sealed record MarkSnapshot(long[] Pages, byte[] Content);
