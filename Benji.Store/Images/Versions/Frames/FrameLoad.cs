using Benji.Store.Model;

namespace Benji.Store.Images.Versions.Frames;

/// <summary>Consecutive frames of one block on their way into memory, for all who wait for any of them.</summary>
/// <remarks>Everybody who got it from <see cref="FrameLoader"/> gives it back once; the frames are pinned until the last one
/// has.</remarks>
internal sealed class FrameLoad(BlockId block, int blockLength, int firstFrame, int frameCount)
{
    private readonly CachedFrame?[] _frames = new CachedFrame?[frameCount];
    private readonly Exception?[] _failures = new Exception?[frameCount];
    private readonly TaskCompletionSource _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);

    // The load itself is the first holder.
    private int _holders = 1;

    /// <summary>The block.</summary>
    public BlockId Block => block;

    /// <summary>Plaintext bytes of the block.</summary>
    public int BlockLength => blockLength;

    /// <summary>The first frame.</summary>
    public int FirstFrame => firstFrame;

    /// <summary>The frame behind the last.</summary>
    public int EndFrame => firstFrame + frameCount;

    /// <summary>Completes when every frame has its outcome; fails when the storage did.</summary>
    public Task Completion => _completion.Task;

    /// <summary>Adds a holder; only by whoever knows that another one holds it.</summary>
    public void Hold() => Interlocked.Increment(ref _holders);

    /// <summary>Gives it back; the last one releases the frames.</summary>
    public void Release()
    {
        if (Interlocked.Decrement(ref _holders) > 0)
        {
            return;
        }

        foreach (var frame in _frames)
        {
            frame?.Release();
        }
    }

    /// <summary>Returns a loaded frame with a pin for the caller, or null for a hole.</summary>
    /// <exception cref="CorruptDataException">It is damaged.</exception>
    /// <exception cref="NotFoundException">The block is missing.</exception>
    public CachedFrame? Take(int frame)
    {
        if (_failures[frame - firstFrame] is { } failure)
        {
            throw failure is NotFoundException
                ? new NotFoundException(failure.Message, failure)
                : new CorruptDataException(failure.Message, failure);
        }

        var taken = _frames[frame - firstFrame];
        taken?.Pin();
        return taken;
    }

    /// <summary>Sets the outcome of a frame, once; a frame without one is a hole.</summary>
    /// <param name="frame">The frame.</param>
    /// <param name="loaded">Pinned; the pin is now the load's.</param>
    public void Set(int frame, CachedFrame loaded) => _frames[frame - firstFrame] = loaded;

    /// <summary>Sets the outcome of a frame that cannot be had.</summary>
    public void Fail(int frame, Exception failure) => _failures[frame - firstFrame] = failure;

    /// <summary>Says that all outcomes are set.</summary>
    public void Complete() => _completion.SetResult();

    /// <summary>Says that the storage failed.</summary>
    public void Fail(Exception failure)
    {
        _completion.SetException(failure);

        // Whoever has waited meets it; nobody may be left who does.
        _ = _completion.Task.Exception;
    }
}
