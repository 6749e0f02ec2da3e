using Benji.Store.Model;

namespace Benji.Store.Images.Overlays.Files;

/// <summary>One overlay's file: units and their marks, and the order in which both become durable.</summary>
/// <remarks>Safe for concurrent calls on different units, and reads beside anything; <see cref="Flush"/> and
/// <see cref="Free"/> are for one caller. Format: docs/format.md, "Overlay file".</remarks>
internal sealed class OverlayFile : IDisposable
{
    private readonly IOverlayDisk _disk;
    private readonly OverlayMarks _marks;
    private readonly OverlaySync _sync;
    private readonly RevertedUnits _reverted = new();
    private long _freeing;

    private OverlayFile(IOverlayDisk disk, OverlayHeader header)
    {
        _disk = disk;
        Header = header;
        Layout = header.Layout;
        _marks = new OverlayMarks(disk, Layout);
        _sync = new OverlaySync(disk, _marks);
    }

    /// <summary>The header.</summary>
    public OverlayHeader Header { get; }

    /// <summary>The arithmetic of the file.</summary>
    public OverlayLayout Layout { get; }

    /// <summary>True when a flush would have something to do, or to tell.</summary>
    public bool HasUnflushed => _sync.HasUnflushed;

    /// <summary>Takes a file over; it is disposed with this object, also when this fails.</summary>
    /// <exception cref="CorruptDataException">It is no sound overlay file.</exception>
    /// <exception cref="StorageException">It cannot be read.</exception>
    public static OverlayFile Open(IOverlayDisk disk)
    {
        try
        {
            var bytes = new byte[OverlayHeader.Length];
            var header = OverlayHeader.Parse(bytes.AsSpan(0, disk.Read(0, bytes)), disk.Path);
            if (disk.Length < header.Layout.FileLength)
            {
                throw new CorruptDataException(
                    $"{disk.Path} is {disk.Length} bytes long, and an overlay of {header.Size} bytes takes " +
                    $"{header.Layout.FileLength}: it was cut.");
            }

            return new OverlayFile(disk, header);
        }
        catch (IOException failure)
        {
            disk.Dispose();
            throw OverlayErrors.Translate(failure, disk.Path);
        }
        catch
        {
            disk.Dispose();
            throw;
        }
    }

    /// <summary>Returns the state of a unit.</summary>
    /// <exception cref="CorruptDataException">Its page of marks is damaged.</exception>
    /// <exception cref="StorageException">The file cannot be read.</exception>
    public UnitState StateOf(long unit) => Do(() => _marks.Get(unit));

    /// <summary>Finds the end of the run of one state that a unit begins, at most <paramref name="end"/>; allocates
    /// nothing when the marks were looked at before.</summary>
    /// <exception cref="CorruptDataException">A page of marks is damaged.</exception>
    /// <exception cref="StorageException">The file cannot be read.</exception>
    public long FindRunEnd(long unit, long end, out UnitState state)
    {
        try
        {
            return _marks.FindRunEnd(unit, end, out state);
        }
        catch (IOException failure)
        {
            throw OverlayErrors.Translate(failure, _disk.Path);
        }
    }

    /// <summary>When its content last changed, as far as a flush has told; later after a crash.</summary>
    /// <exception cref="StorageException">The file cannot be looked up.</exception>
    public DateTimeOffset Modified => Do(() => _disk.Modified);

    /// <summary>Counts units.</summary>
    /// <exception cref="CorruptDataException">A page of marks is damaged.</exception>
    /// <exception cref="StorageException">The file cannot be read.</exception>
    public UnitCounts Count() => Do(_marks.Count);

    /// <summary>Says when the content last changed; comes after a flush, whose own writes are no change.</summary>
    /// <exception cref="StorageException">The file failed.</exception>
    public void SetModified(DateTimeOffset time) => Do(() => _disk.SetModified(time));

    /// <summary>Returns a number to give to <see cref="TryRead"/>, taken before the states of its units are.</summary>
    public long BeginRead() => Volatile.Read(ref _freeing);

    /// <summary>Reads bytes of units that are marked as data; allocates nothing.</summary>
    /// <returns>False when space was freed meanwhile, so that the bytes may be of no state: the read begins anew.</returns>
    /// <exception cref="StorageException">The file cannot be read.</exception>
    public bool TryRead(long token, long offset, Span<byte> destination)
    {
        try
        {
            var count = _disk.Read(Layout.DataOffset(offset), destination);
            if (count < destination.Length)
            {
                throw new StorageException(
                    $"Overlay {_disk.Path} ended at {Layout.DataOffset(offset) + count}: it was cut.", isTransient: false);
            }
        }
        catch (IOException failure)
        {
            throw OverlayErrors.Translate(failure, _disk.Path);
        }

        return token % 2 == 0 && Volatile.Read(ref _freeing) == token;
    }

    /// <summary>Writes whole units and marks them as data; the last unit of the image may be short.</summary>
    /// <exception cref="NoSpaceException">The disk is full; no mark was changed.</exception>
    /// <exception cref="StorageException">The file failed; no mark was changed.</exception>
    public void WriteUnits(UnitRange range, ReadOnlySpan<byte> content)
    {
        _sync.CheckSound();
        try
        {
            _marks.Reserve(range.First, range.Count);
            WriteData(range.First * OverlayLayout.UnitSize, content);
            _marks.Set(range.First, range.Count, UnitState.Data);
        }
        catch (IOException failure)
        {
            throw OverlayErrors.Translate(failure, _disk.Path);
        }
    }

    /// <summary>Writes bytes inside units that are marked as data.</summary>
    /// <exception cref="NoSpaceException">The disk is full.</exception>
    /// <exception cref="StorageException">The file failed.</exception>
    public void Write(long offset, ReadOnlySpan<byte> content)
    {
        _sync.CheckSound();
        try
        {
            WriteData(offset, content);
        }
        catch (IOException failure)
        {
            throw OverlayErrors.Translate(failure, _disk.Path);
        }
    }

    /// <summary>Marks units as zeros.</summary>
    /// <param name="range">The units.</param>
    /// <param name="mayFreeSpace">True to give the space of their data back; false to take space for all of them.</param>
    /// <exception cref="NoSpaceException">The disk is full; no mark was changed.</exception>
    /// <exception cref="StorageException">The file failed; no mark was changed.</exception>
    public void Zero(UnitRange range, bool mayFreeSpace)
    {
        _sync.CheckSound();
        Do(() =>
        {
            _marks.Reserve(range.First, range.Count);
            if (mayFreeSpace)
            {
                // Both the old mark and the new one then lead to zeros, whichever a crash leaves.
                ForEachRun(range, UnitState.Data, Punch);
            }
            else
            {
                OverlaySpace.Take(
                    _disk, Layout.DataOffset(range.First * OverlayLayout.UnitSize), range.Count * OverlayLayout.UnitSize);
            }

            _marks.Set(range.First, range.Count, UnitState.Zero);
        });
    }

    /// <summary>Marks units as the base's; the space of their data is free after the next flush.</summary>
    /// <exception cref="StorageException">The file failed before; no mark was changed.</exception>
    public void Revert(UnitRange range)
    {
        _sync.CheckSound();
        var runs = new List<UnitRange>();
        Do(() =>
        {
            ForEachRun(range, UnitState.Data, run =>
            {
                if (runs.Count < RevertedUnits.CountMax)
                {
                    runs.Add(run);
                }
            });
            _marks.Set(range.First, range.Count, UnitState.Base);
        });

        // Only now, so that a flush that finds them here makes their marks durable too.
        _reverted.Add(runs);
    }

    /// <summary>Makes everything that was written and marked before durable.</summary>
    /// <returns>Runs that are to be given to <see cref="Free"/> before the next flush, each while nobody changes it, or
    /// else to <see cref="FreeLater"/>.</returns>
    /// <exception cref="NoSpaceException">The disk is full; nothing is lost, a later flush may do it.</exception>
    /// <exception cref="StorageException">The file failed; it is read-only from now on.</exception>
    public IReadOnlyList<UnitRange> Flush()
    {
        var reverted = _reverted.Take();
        try
        {
            _sync.Run();
            return reverted;
        }
        catch
        {
            _reverted.Add(reverted);
            throw;
        }
    }

    /// <summary>Keeps a run for the next flush.</summary>
    public void FreeLater(UnitRange range) => _reverted.Add([range]);

    /// <summary>Gives the space of units back that show the base again, as far as they still do.</summary>
    /// <remarks>Between a flush that made their marks durable and the next one.</remarks>
    /// <exception cref="StorageException">The file failed; the space stays taken.</exception>
    public void Free(UnitRange range)
    {
        Interlocked.Increment(ref _freeing);
        try
        {
            Do(() => ForEachRun(range, UnitState.Base, Punch));
        }
        finally
        {
            Interlocked.Increment(ref _freeing);
        }
    }

    /// <summary>Closes the file; what was not flushed may be lost.</summary>
    public void Dispose() => _disk.Dispose();

    private void WriteData(long offset, ReadOnlySpan<byte> content)
    {
        try
        {
            _disk.Write(Layout.DataOffset(offset), content);
        }
        finally
        {
            _sync.NoteWrite();
        }
    }

    private void Punch(UnitRange range) => _disk.Punch(
        Layout.DataOffset(range.First * OverlayLayout.UnitSize), range.Count * OverlayLayout.UnitSize);

    private void ForEachRun(UnitRange range, UnitState wanted, Action<UnitRange> action)
    {
        for (var unit = range.First; unit < range.End;)
        {
            var end = _marks.FindRunEnd(unit, range.End, out var state);
            if (state == wanted)
            {
                action(new UnitRange(unit, end - unit));
            }

            unit = end;
        }
    }

    private void Do(Action action) => Do<object?>(() =>
    {
        action();
        return null;
    });

    private T Do<T>(Func<T> action)
    {
        try
        {
            return action();
        }
        catch (IOException failure)
        {
            throw OverlayErrors.Translate(failure, _disk.Path);
        }
    }
}
