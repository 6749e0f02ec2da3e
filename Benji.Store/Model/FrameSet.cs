using System.Numerics;

namespace Benji.Store.Model;

/// <summary>Some of the frames of one block, by index.</summary>
/// <remarks>At most 1,024 frames, one bit each. Filled by one thread, then only read.</remarks>
public sealed class FrameSet : IEquatable<FrameSet>
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

    /// <summary>Bytes of the bits of a block's frames.</summary>
    public static int SizeOf(int frameCount) => (frameCount + 7) / 8;

    /// <summary>Creates a set from its bits, frame 0 the lowest of the first byte.</summary>
    /// <param name="frameCount">Frames in the block.</param>
    /// <param name="bits">Exactly <see cref="SizeOf"/> bytes; those behind the last frame are passed over.</param>
    public static FrameSet FromBits(int frameCount, ReadOnlySpan<byte> bits)
    {
        Invariant.Holds(bits.Length == SizeOf(frameCount));
        var set = new FrameSet(frameCount);
        for (var frame = 0; frame < frameCount; frame++)
        {
            if ((bits[frame / 8] & (1 << (frame % 8))) != 0)
            {
                set.Add(frame);
            }
        }

        return set;
    }

    /// <summary>Returns the bits, as <see cref="FromBits"/> reads them.</summary>
    public byte[] ToBits()
    {
        var bits = new byte[SizeOf(FrameCount)];
        for (var from = 0; TryFindRun(from, out var first, out var count); from = first + count)
        {
            for (var frame = first; frame < first + count; frame++)
            {
                bits[frame / 8] |= (byte)(1 << (frame % 8));
            }
        }

        return bits;
    }

    /// <summary>True when every frame of <paramref name="other"/>, a set of a block of as many frames, is in this one.</summary>
    public bool ContainsAll(FrameSet other)
    {
        if (other.FrameCount != FrameCount)
        {
            return false;
        }

        for (var word = 0; word < _words.Length; word++)
        {
            if ((other._words[word] & ~_words[word]) != 0)
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>True for a set of the same frames of a block of as many.</summary>
    public bool Equals(FrameSet? other) =>
        other is not null && other.FrameCount == FrameCount && _words.AsSpan().SequenceEqual(other._words);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as FrameSet);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(FrameCount, Count);

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
