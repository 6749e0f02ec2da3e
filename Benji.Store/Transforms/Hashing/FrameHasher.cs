using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Benji.Store.Model;

namespace Benji.Store.Transforms.Hashing;

/// <summary>Hashes the 64 KiB frames of a block, several side by side where the processor can.</summary>
/// <remarks>
/// A frame hash is the keyed BLAKE2b-256 of the frame's plaintext, and 32 zero bytes for a frame of zeros. Safe for
/// concurrent calls; nothing is allocated by a hash. Format: docs/format.md, "Hashes".
/// </remarks>
internal sealed class FrameHasher : IDisposable
{
    // The fewest frames that are worth a pass of lanes, which costs the same however few it carries. Measured for
    // 64 KiB frames: 59 us for one frame in the single stream, 94 us for a pass of four, 140 us for a pass of eight.
    private const int FramesWorthFourLanes = 2;
    private const int FramesWorthEightLanes = 3;
    private const int LanesMax = (int)LaneWidth.Eight;

    private readonly Blake2bKey _key;
    private readonly byte[] _keyBytes;
    private readonly LaneWidth _width;
    private bool _isDisposed;

    /// <summary>Copies the 32-byte key from <paramref name="key"/>, which the caller keeps and clears.</summary>
    /// <param name="key">The frame-hash key.</param>
    /// <param name="width">How many frames to hash side by side.</param>
    /// <exception cref="ArgumentException"><paramref name="key"/> is not 32 bytes long.</exception>
    /// <exception cref="PlatformNotSupportedException">This processor lacks <paramref name="width"/>.</exception>
    public FrameHasher(ReadOnlySpan<byte> key, LaneWidth width = LaneWidth.Auto)
    {
        if (!IsSupported(width))
        {
            throw new PlatformNotSupportedException($"This processor cannot hash {(int)width} frames side by side.");
        }

        _key = new Blake2bKey(key);
        _keyBytes = GC.AllocateUninitializedArray<byte>(Blake2bKey.Size, pinned: true);
        key.CopyTo(_keyBytes);
        _width = width != LaneWidth.Auto ? width
            : Blake2bEightLanes.IsSupported ? LaneWidth.Eight
            : Blake2bFourLanes.IsSupported ? LaneWidth.Four
            : LaneWidth.Single;
    }

    /// <summary>How many frames are hashed side by side; never <see cref="LaneWidth.Auto"/>.</summary>
    public LaneWidth Width => _width;

    /// <summary>Says whether this processor can hash that many frames side by side.</summary>
    public static bool IsSupported(LaneWidth width) => width switch
    {
        LaneWidth.Four => Blake2bFourLanes.IsSupported,
        LaneWidth.Eight => Blake2bEightLanes.IsSupported,
        _ => true,
    };

    /// <summary>Says whether every byte of <paramref name="data"/> is zero; true when it is empty.</summary>
    /// <remarks>Written out, because the library's search over words is compiled at every start, badly at first, which is
    /// felt in a short run.</remarks>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static bool IsZero(ReadOnlySpan<byte> data)
    {
        const int Stride = 4 * sizeof(ulong) * 4;
        var offset = 0;
        for (; offset <= data.Length - Stride; offset += Stride)
        {
            var vectors = MemoryMarshal.Cast<byte, Vector256<ulong>>(data.Slice(offset, Stride));
            if (((vectors[0] | vectors[1]) | (vectors[2] | vectors[3])) != Vector256<ulong>.Zero)
            {
                return false;
            }
        }

        return !data[offset..].ContainsAnyExcept((byte)0);
    }

    /// <summary>Returns the number of frames in <paramref name="length"/> bytes, a short last one included.</summary>
    public static int FrameCount(int length) =>
        (length / BlockGeometry.FrameSize) + (length % BlockGeometry.FrameSize == 0 ? 0 : 1);

    /// <summary>Hashes one frame; a frame of zeros, and no bytes at all, give 32 zero bytes.</summary>
    /// <param name="frame">At most 64 KiB.</param>
    public Hash256 HashFrame(ReadOnlySpan<byte> frame)
    {
        Invariant.Holds(frame.Length <= BlockGeometry.FrameSize);
        return IsZero(frame) ? default : _key.Hash(frame);
    }

    /// <summary>Hashes every frame of a block.</summary>
    /// <param name="block">The plaintext from a frame's start; its last frame may be short.</param>
    /// <param name="hashes">Receives 32 bytes for each frame, in order; exactly that long.</param>
    public void HashFrames(ReadOnlySpan<byte> block, Span<byte> hashes)
    {
        // The lanes would go on with a cleared key.
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        var frameCount = FrameCount(block.Length);
        Invariant.Holds(hashes.Length == frameCount * Hash256.Size);
        Span<int> waiting = stackalloc int[LanesMax];
        var waitingCount = 0;
        for (var frame = 0; frame < frameCount; frame++)
        {
            var data = Frame(block, frame);
            if (IsZero(data))
            {
                hashes.Slice(frame * Hash256.Size, Hash256.Size).Clear();
            }
            else if (data.Length < BlockGeometry.FrameSize || _width == LaneWidth.Single)
            {
                _key.WriteHash(data, hashes.Slice(frame * Hash256.Size, Hash256.Size));
            }
            else
            {
                waiting[waitingCount++] = frame;
                if (waitingCount == (int)_width)
                {
                    HashInLanes(block, waiting[..waitingCount], hashes);
                    waitingCount = 0;
                }
            }
        }

        HashRest(block, waiting[..waitingCount], hashes);
    }

    /// <summary>Clears the key material.</summary>
    public void Dispose()
    {
        _isDisposed = true;
        _key.Dispose();
        _keyBytes.AsSpan().Clear();
    }

    private static ReadOnlySpan<byte> Frame(ReadOnlySpan<byte> block, int frame)
    {
        var offset = frame * BlockGeometry.FrameSize;
        return block.Slice(offset, Math.Min(BlockGeometry.FrameSize, block.Length - offset));
    }

    private void HashRest(ReadOnlySpan<byte> block, ReadOnlySpan<int> frames, Span<byte> hashes)
    {
        if (frames.Length >= (_width == LaneWidth.Eight ? FramesWorthEightLanes : FramesWorthFourLanes))
        {
            HashInLanes(block, frames, hashes);
            return;
        }

        foreach (var frame in frames)
        {
            _key.WriteHash(Frame(block, frame), hashes.Slice(frame * Hash256.Size, Hash256.Size));
        }
    }

    /// <summary>Hashes up to a width of full frames in one pass; idle lanes repeat the first frame.</summary>
    private void HashInLanes(ReadOnlySpan<byte> block, ReadOnlySpan<int> frames, Span<byte> hashes)
    {
        Span<int> offsets = stackalloc int[LanesMax];
        offsets.Fill(frames[0] * BlockGeometry.FrameSize);
        for (var lane = 0; lane < frames.Length; lane++)
        {
            offsets[lane] = frames[lane] * BlockGeometry.FrameSize;
        }

        Span<byte> results = stackalloc byte[LanesMax * Hash256.Size];
        if (_width == LaneWidth.Eight)
        {
            Blake2bEightLanes.Hash(_keyBytes, block, offsets, BlockGeometry.FrameSize, results);
        }
        else
        {
            Blake2bFourLanes.Hash(_keyBytes, block, offsets[..(int)LaneWidth.Four], BlockGeometry.FrameSize, results);
        }

        for (var lane = 0; lane < frames.Length; lane++)
        {
            results.Slice(lane * Hash256.Size, Hash256.Size)
                .CopyTo(hashes.Slice(frames[lane] * Hash256.Size, Hash256.Size));
        }
    }
}
