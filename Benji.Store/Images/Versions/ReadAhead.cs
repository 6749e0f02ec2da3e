using Benji.Store.Model;

namespace Benji.Store.Images.Versions;

/// <summary>Sees which reads follow one another, and loads what comes next before it is asked for.</summary>
/// <remarks>Safe for concurrent calls. Several streams at once are told apart, each with its reads in any order within
/// <see cref="Tolerance"/>. A stream that needs no loading allocates nothing.</remarks>
internal sealed class ReadAhead(VersionReader reader, long size) : IAsyncDisposable
{
    private const int StreamsMax = 16;
    private const int Tolerance = 1024 * 1024;
    private const int StreamedMin = 512 * 1024;
    private const int AheadMin = 2 * 1024 * 1024;
    private const int AheadMax = 16 * 1024 * 1024;

    private readonly Lock _streamsLock = new();
    private readonly Stream[] _streams = new Stream[StreamsMax];
    private readonly CancellationTokenSource _ended = new();
    private long _clock;
    private int _loading;
    private TaskCompletionSource? _idle;

    /// <summary>Notes a read.</summary>
    public void Note(long offset, int length)
    {
        if (Advance(offset, offset + length, out var from, out var to) && !reader.IsAtHand(from, to) && TryBegin())
        {
            Begin(from, to - from);
        }
    }

    /// <summary>Stops; nothing is being loaded for it any more when this returns.</summary>
    public async ValueTask DisposeAsync()
    {
        await _ended.CancelAsync();
        Task idle;
        lock (_streamsLock)
        {
            _idle = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            if (_loading == 0)
            {
                _idle.SetResult();
            }

            idle = _idle.Task;
        }

        await idle;
        _ended.Dispose();
    }

    // True with the range to load when the read belongs to a stream that has come close to the end of what it has.
    private bool Advance(long offset, long end, out long from, out long to)
    {
        lock (_streamsLock)
        {
            ref var stream = ref Find(offset, end);
            stream.Used = ++_clock;
            stream.Next = Math.Max(stream.Next, end);
            var ahead = Math.Clamp(stream.Next - stream.Start, AheadMin, AheadMax);
            from = Math.Max(stream.Next, stream.Ahead);
            to = Math.Min(size, stream.Next + ahead);
            if (stream.Next - stream.Start < StreamedMin || from > stream.Next + (ahead / 2) || from >= to)
            {
                return false;
            }

            stream.Ahead = to;
            return true;
        }
    }

    private ref Stream Find(long offset, long end)
    {
        var oldest = 0;
        for (var i = 0; i < _streams.Length; i++)
        {
            ref var stream = ref _streams[i];
            if (stream.Used > 0 && offset <= stream.Next + Tolerance && end >= stream.Next - Tolerance)
            {
                return ref stream;
            }

            if (stream.Used < _streams[oldest].Used)
            {
                oldest = i;
            }
        }

        _streams[oldest] = new Stream { Start = offset, Next = offset };
        return ref _streams[oldest];
    }

    private bool TryBegin()
    {
        lock (_streamsLock)
        {
            if (_idle is not null)
            {
                return false;
            }

            _loading++;
            return true;
        }
    }

    // Apart, so that a read which begins nothing makes no closure.
    private void Begin(long offset, long length) => _ = Task.Run(() => LoadAsync(offset, length));

    private async Task LoadAsync(long offset, long length)
    {
        try
        {
            await reader.PrefetchAsync(offset, length, _ended.Token);
        }
        catch (Exception failure) when (failure is BenjiException or OperationCanceledException)
        {
            // The read that needs it meets the failure again and tells.
        }
        finally
        {
            lock (_streamsLock)
            {
                if (--_loading == 0)
                {
                    _idle?.TrySetResult();
                }
            }
        }
    }

    private struct Stream
    {
        public long Start;
        public long Next;
        public long Ahead;
        public long Used;
    }
}
