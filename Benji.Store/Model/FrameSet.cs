using System.Numerics;

namespace Benji.Store.Model;

/// <summary>Some of the frames of one block, by index.</summary>
/// <remarks>At most 1,024 frames, one bit each. Filled by one thread, then only read.</remarks>
public sealed class FrameSet
{
    private const int WordBits = 64;

    private readonly ulong[] _words;

    /// <summary>Creates an empty set for a block of <paramref name="frameCount"/> frames.</summary>
    public FrameSet(int frameCount)
    {
        Invariant.Holds(frameCount is >= 0 and <= BlockGeometry.BlockSizeMax / BlockGeometry.FrameSize);
        FrameCount = frameCount;
        _words = new ulong[(frameCount + WordBits - 1) / WordBits];
    }

    /// <summary>Frames in the block.</summary>
    public int FrameCount { get; }

    /// <summary>Frames in the set.</summary>
    public int Count => _words.Sum(BitOperations.PopCount);

    /// <summary>True when every frame of the block is in the set.</summary>
    public bool IsAll => Count == FrameCount;

    /// <summary>True when no frame is in the set.</summary>
    public bool IsEmpty => !_words.AsSpan().ContainsAnyExcept(0UL);

    /// <summary>Creates the set of all frames of a block.</summary>
    public static FrameSet All(int frameCount)
    {
        var set = new FrameSet(frameCount);
        set.AddRange(0, frameCount);
        return set;
    }

    /// <summary>True when the frame is in the set.</summary>
    public bool Contains(int frameIndex)
    {
        Invariant.Holds((uint)frameIndex < (uint)FrameCount);
        return (_words[frameIndex / WordBits] & (1UL << (frameIndex % WordBits))) != 0;
    }

    /// <summary>Adds a frame.</summary>
    public void Add(int frameIndex)
    {
        Invariant.Holds((uint)frameIndex < (uint)FrameCount);
        _words[frameIndex / WordBits] |= 1UL << (frameIndex % WordBits);
    }

    /// <summary>Adds a run of frames.</summary>
    public void AddRange(int firstFrame, int count)
    {
        for (var frame = firstFrame; frame < firstFrame + count; frame++)
        {
            Add(frame);
        }
    }

    /// <summary>Adds every frame that <paramref name="length"/> bytes from <paramref name="offset"/> in the block touch.</summary>
    public void AddTouched(long offset, long length)
    {
        if (length > 0)
        {
            var first = checked((int)(offset / BlockGeometry.FrameSize));
            var last = checked((int)((offset + length - 1) / BlockGeometry.FrameSize));
            AddRange(first, last - first + 1);
        }
    }

    /// <summary>Finds the first run of frames in the set at or behind <paramref name="frameIndex"/>.</summary>
    /// <returns>False when there is none.</returns>
    public bool TryFindRun(int frameIndex, out int firstFrame, out int count)
    {
        firstFrame = frameIndex;
        while (firstFrame < FrameCount && !Contains(firstFrame))
        {
            firstFrame++;
        }

        var end = firstFrame;
        while (end < FrameCount && Contains(end))
        {
            end++;
        }

        count = end - firstFrame;
        return count > 0;
    }
}
