using Benji.Store.Blocks;
using Benji.Store.Blocks.Sealing;
using Benji.Store.Model;

namespace Benji.Store.Images.Versions.Frames;

/// <summary>Loads frames of one storage into the cache; frames that several ask for at once are loaded once.</summary>
/// <remarks>Safe for concurrent calls. A load runs to its end whoever stops waiting for it.</remarks>
/// <param name="blocks">Where the frames come from.</param>
/// <param name="cache">Where they go.</param>
/// <param name="pool">Memory for loads under way.</param>
/// <param name="loadsMax">Loads at work at once.</param>
internal sealed class FrameLoader(IBlockStore blocks, FrameCache cache, BlockBufferPool pool, int loadsMax) : IDisposable
{
    /// <summary>Frames in one load: 1 MiB, so that a long read is spread over several processors.</summary>
    private const int FramesMax = 16;

    private readonly Lock _loadsLock = new();
    private readonly Dictionary<FrameKey, FrameLoad> _loads = [];
    private readonly SemaphoreSlim _atWork = new(loadsMax);

    /// <summary>Starts to load a frame, and as many of those behind it as it takes along.</summary>
    /// <param name="block">The block; not a hole.</param>
    /// <param name="blockLength">Its plaintext bytes.</param>
    /// <param name="frame">The frame.</param>
    /// <param name="endFrame">The frame behind the last that is wanted.</param>
    /// <returns>A load that covers the frame, to be given back; null when the frame is in the cache by now.</returns>
    public FrameLoad? Start(BlockId block, int blockLength, int frame, int endFrame)
    {
        FrameLoad load;
        lock (_loadsLock)
        {
            if (_loads.TryGetValue(new FrameKey(block, frame), out var underWay))
            {
                underWay.Hold();
                return underWay;
            }

            var end = frame;
            while (end < Math.Min(endFrame, frame + FramesMax) && IsWanted(new FrameKey(block, end)))
            {
                end++;
            }

            if (end == frame)
            {
                return null;
            }

            load = new FrameLoad(block, blockLength, frame, end - frame);
            load.Hold();
            for (var i = frame; i < end; i++)
            {
                _loads.Add(new FrameKey(block, i), load);
            }
        }

        _ = Task.Run(() => RunAsync(load));
        return load;
    }

    /// <summary>Waits for the loads that are at work: none is left when this returns, or the time is over.</summary>
    /// <returns>False when the time was over first.</returns>
    public async Task<bool> DrainAsync(TimeSpan timeout, TimeProvider time)
    {
        Task[] completions;
        lock (_loadsLock)
        {
            completions = [.. _loads.Values.Distinct().Select(load => load.Completion)];
        }

        try
        {
            await Task.WhenAll(completions).WaitAsync(timeout, time);
            return true;
        }
        catch (TimeoutException)
        {
            return false;
        }
        catch (BenjiException)
        {
            // Told to whoever waited for it.
            return true;
        }
    }

    /// <summary>Ends; nothing is being loaded any more.</summary>
    public void Dispose() => _atWork.Dispose();

    private bool IsWanted(FrameKey key) => !_loads.ContainsKey(key) && !cache.Contains(key);

    // The outcome is told to those who wait, so that this task itself never fails.
    private async Task RunAsync(FrameLoad load)
    {
        await _atWork.WaitAsync();
        var loading = LoadAsync(load);
        await loading.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _atWork.Release();

        // The frames are in the cache before they are no longer under way, so that nobody loads them again.
        lock (_loadsLock)
        {
            for (var frame = load.FirstFrame; frame < load.EndFrame; frame++)
            {
                _loads.Remove(new FrameKey(load.Block, frame));
            }
        }

        if (loading.Exception is { } failure)
        {
            load.Fail(failure.InnerException!);
        }
        else
        {
            load.Complete();
        }

        load.Release();
    }

    private async Task LoadAsync(FrameLoad load)
    {
        FrameTable table;
        try
        {
            table = await blocks.ReadTableAsync(load.Block, load.BlockLength, CancellationToken.None);
        }
        catch (Exception failure) when (failure is CorruptDataException or NotFoundException)
        {
            for (var frame = load.FirstFrame; frame < load.EndFrame; frame++)
            {
                load.Fail(frame, failure);
            }

            return;
        }

        for (var frame = load.FirstFrame; frame < load.EndFrame;)
        {
            var end = frame;
            while (end < load.EndFrame && table.KindOf(end) != FrameKind.Hole)
            {
                end++;
            }

            if (end > frame)
            {
                await LoadRunAsync(load, frame, end);
            }

            frame = end + 1;
        }
    }

    private async ValueTask LoadRunAsync(FrameLoad load, int first, int end)
    {
        var start = first * BlockGeometry.FrameSize;
        using var buffer = pool.Rent(Math.Min(load.BlockLength, end * BlockGeometry.FrameSize) - start);
        try
        {
            await blocks.ReadFramesAsync(
                load.Block, load.BlockLength, first, buffer.Memory, CancellationToken.None);
        }
        catch (Exception failure) when (failure is CorruptDataException or NotFoundException)
        {
            if (end - first == 1)
            {
                load.Fail(first, failure);
                return;
            }

            // Each alone, so that a damaged one does not take the sound ones along.
            for (var frame = first; frame < end; frame++)
            {
                await LoadRunAsync(load, frame, frame + 1);
            }

            return;
        }

        for (var frame = first; frame < end; frame++)
        {
            var plaintext = buffer.Span.Slice(
                (frame * BlockGeometry.FrameSize) - start, BlockGeometry.FrameLength(load.BlockLength, frame));
            load.Set(frame, cache.Put(new FrameKey(load.Block, frame), plaintext));
        }
    }
}
