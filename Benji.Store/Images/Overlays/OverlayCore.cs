using Benji.Store.Images.Overlays.Files;
using Benji.Store.Model;

namespace Benji.Store.Images.Overlays;

/// <summary>What all openings of one overlay in this process share: its file, its base, and the flush.</summary>
/// <remarks>Safe for concurrent calls. A loop of its own flushes every few seconds, so that a killed process loses no
/// more than that.</remarks>
internal sealed class OverlayCore : IAsyncDisposable
{
    private static readonly TimeSpan FlushInterval = TimeSpan.FromSeconds(5);

    private readonly OverlayFile _file;
    private readonly ContentTime _changed;
    private readonly RangeLocks _locks = new();
    private readonly SemaphoreSlim _flushing = new(1, 1);
    private readonly CancellationTokenSource _ended = new();
    private readonly Task _flushes;
    private readonly CancellationToken _lost;
    private readonly bool _mayWrite;
    private long _flushesBegun;
    private long _flushesDone;
    private long _keptTicks;

    /// <summary>Starts.</summary>
    /// <param name="file">The overlay; disposed with this object.</param>
    /// <param name="baseImage">Its base; disposed with this object.</param>
    /// <param name="pool">Memory for reads.</param>
    /// <param name="time">The clock.</param>
    /// <param name="mayWrite">False when the file was opened for reading only.</param>
    /// <param name="lost">Cancelled when the claim on the overlay was lost, so that nothing may be written.</param>
    public OverlayCore(
        OverlayFile file,
        IImage baseImage,
        PiecePool pool,
        TimeProvider time,
        bool mayWrite = true,
        CancellationToken lost = default)
    {
        Invariant.Holds(baseImage.Size == file.Layout.Size);
        _file = file;
        _mayWrite = mayWrite;
        _lost = lost;
        Base = baseImage;
        Reader = new OverlayReader(file, baseImage, pool);
        _changed = new ContentTime(time, file.Modified);
        _keptTicks = _changed.Last.UtcTicks;
        Allocation = new OverlayExtents(file, baseImage.Allocation, isDataMarked: true, isZeroMarked: false);
        Writer = new OverlayWriter(file, Reader, _locks, pool, _changed) { Zeroing = new OverlayZeroing(file, Allocation) };
        Damage = new OverlayExtents(file, baseImage.Damage, isDataMarked: false, isZeroMarked: false);
        _flushes = FlushFromTimeToTimeAsync(time);
    }

    // A change that left the content as it was has its time, too.
    private bool MustFlush => _file.HasUnflushed || _changed.Last.UtcTicks != _keptTicks;

    /// <summary>The base.</summary>
    public IImage Base { get; }

    /// <summary>Reads.</summary>
    public OverlayReader Reader { get; }

    /// <summary>Writes; <see cref="CheckUsable"/> comes first.</summary>
    public OverlayWriter Writer { get; }

    /// <summary>As <see cref="IImage.Allocation"/>.</summary>
    public IExtentMap Allocation { get; }

    /// <summary>As <see cref="IImage.Damage"/>.</summary>
    public IExtentMap Damage { get; }

    /// <summary>As <see cref="IWritableImage.DirtyBytes"/>.</summary>
    public long DirtyBytes => _file.Count().Dirty * OverlayLayout.UnitSize;

    /// <summary>As <see cref="IWritableImage.AllocatedBytes"/>: the data here, and of the base no more than it holds and no more
    /// than still shows.</summary>
    public long AllocatedBytes
    {
        get
        {
            var layout = _file.Layout;
            var (dirty, data) = _file.Count();
            var shown = Math.Min(Base.Entry.Version.AllocatedBytes, (layout.UnitCount - dirty) * OverlayLayout.UnitSize);
            return Math.Min(layout.Size, (data * OverlayLayout.UnitSize) + shown);
        }
    }

    /// <summary>As <see cref="IWritableImage.LastChange"/>.</summary>
    public DateTimeOffset LastChange => _changed.Last;

    /// <summary>Makes the map of what differs from a version: what the overlay holds, and what its base differs in.</summary>
    /// <param name="baseChanges">What differs between the version and the base; null when the version is the base.</param>
    public IExtentMap ChangesOver(IExtentMap? baseChanges) =>
        new OverlayExtents(_file, baseChanges, isDataMarked: true, isZeroMarked: true);

    /// <summary>Lists what the overlay holds itself, in order; marks are read as the enumeration goes on.</summary>
    /// <exception cref="CorruptDataException">A page of marks is damaged.</exception>
    /// <exception cref="StorageException">The file cannot be read.</exception>
    public IEnumerable<DirtyRun> ListDirty()
    {
        var layout = _file.Layout;
        for (long unit = 0; unit < layout.UnitCount;)
        {
            var end = _file.FindRunEnd(unit, layout.UnitCount, out var state);
            if (state != UnitState.Base)
            {
                var offset = unit * OverlayLayout.UnitSize;
                var length = Math.Min(layout.Size, end * OverlayLayout.UnitSize) - offset;
                yield return new DirtyRun(offset, length, state == UnitState.Zero);
            }

            unit = end;
        }
    }

    /// <summary>Refuses when the overlay can only be read, or the claim on it is lost.</summary>
    /// <exception cref="ReadOnlyException">It can only be read.</exception>
    /// <exception cref="StorageException">The claim is lost.</exception>
    public void CheckUsable()
    {
        if (!_mayWrite)
        {
            throw new ReadOnlyException(
                $"Overlay {_file.Header.BaseName}@{_file.Header.Name} lies on a read-only file system: it can only be read.");
        }

        if (_lost.IsCancellationRequested)
        {
            throw new StorageException(
                $"Overlay {_file.Header.BaseName}@{_file.Header.Name} cannot be written: this process was taken for dead and " +
                "lost its claim on it.",
                isTransient: false);
        }
    }

    /// <summary>As <see cref="IWritableImage.FlushAsync"/>; a flush that began behind the call serves all who wait.</summary>
    public async ValueTask FlushAsync(CancellationToken cancellationToken)
    {
        var wanted = Interlocked.Read(ref _flushesBegun) + 1;
        await _flushing.WaitAsync(cancellationToken);
        try
        {
            if (_flushesDone < wanted && MustFlush)
            {
                CheckUsable();
                var begun = Interlocked.Increment(ref _flushesBegun);

                // A sync waits for the disk, on a thread of its own so that the caller can go on serving.
                await Task.Run(RunFlush, CancellationToken.None);
                _flushesDone = begun;
            }
        }
        finally
        {
            _flushing.Release();
        }
    }

    /// <summary>Ends the loop, flushes, and closes the overlay and its base, whatever fails.</summary>
    /// <exception cref="NoSpaceException">The last flush found the disk full.</exception>
    /// <exception cref="StorageException">The last flush failed.</exception>
    public async ValueTask DisposeAsync()
    {
        await _ended.CancelAsync();
        await _flushes;
        try
        {
            if (MustFlush)
            {
                await FlushAsync(CancellationToken.None);
            }
        }
        finally
        {
            _file.Dispose();
            _flushing.Dispose();
            _ended.Dispose();
            await Base.DisposeAsync();
        }
    }

    private void RunFlush()
    {
        foreach (var range in _file.Flush())
        {
            // Nobody writes to the range meanwhile, and no mark of it becomes durable before this flush has ended. A
            // writer may be waiting for the base, and a flush must not wait for that.
            using var claim = _locks.TryAcquire(range);
            if (claim is null)
            {
                _file.FreeLater(range);
            }
            else
            {
                _file.Free(range);
            }
        }

        // The flush wrote marks, which is no change of the content. A change that came meanwhile set the file's own time, and
        // must not be given an earlier one.
        DateTimeOffset last;
        do
        {
            last = _changed.Last;
            _file.SetModified(last);
        }
        while (last != _changed.Last);
        _keptTicks = last.UtcTicks;
    }

    private async Task FlushFromTimeToTimeAsync(TimeProvider time)
    {
        while (await WaitAsync(time))
        {
            try
            {
                if (MustFlush)
                {
                    await FlushAsync(CancellationToken.None);
                }
            }
            catch (Exception failure) when (failure is NoSpaceException or StorageException or ReadOnlyException)
            {
                // Nothing was promised yet: the next flush that somebody asks for meets it again and tells them.
            }
        }
    }

    private async Task<bool> WaitAsync(TimeProvider time)
    {
        await Task.Delay(FlushInterval, time, _ended.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return !_ended.IsCancellationRequested;
    }
}
