using Benji.Store.Model;

namespace Benji.Store.Blocks.Sealing;

/// <summary>How a frame of a sealed object is stored, by the number in its table.</summary>
internal enum FrameKind : byte
{
    /// <summary>Zeros, not stored.</summary>
    Hole = 0,

    /// <summary>The object's own bytes, compressed.</summary>
    Compressed = 1,

    /// <summary>The object's own bytes, not compressed.</summary>
    Raw = 2,

    /// <summary>The own frame of the same index in a lender's object.</summary>
    Borrowed = 3,
}

/// <summary>Where each frame of one sealed object is, and what its plaintext hashes to.</summary>
/// <remarks>Immutable; safe for concurrent calls. Format: docs/format.md, "Sealed object".</remarks>
internal sealed class FrameTable
{
    private readonly FrameKind[] _kinds;
    private readonly byte[] _lenderIndexes;
    private readonly int[] _offsets;
    private readonly byte[] _hashes;
    private readonly BlockId[] _lenders;

    /// <summary>Takes the arrays, which nobody changes any more, and computes the offsets.</summary>
    /// <param name="blockLength">Bytes of plaintext.</param>
    /// <param name="kinds">One for each frame.</param>
    /// <param name="lenderIndexes">One for each frame; 0 for a frame that is not borrowed.</param>
    /// <param name="storedLengths">One for each frame; 0 for a frame that is not the object's own.</param>
    /// <param name="hashes">32 bytes for each frame.</param>
    /// <param name="lenders">The blocks whose objects hold the borrowed frames.</param>
    public FrameTable(
        int blockLength, FrameKind[] kinds, byte[] lenderIndexes, int[] storedLengths, byte[] hashes, BlockId[] lenders)
    {
        BlockLength = blockLength;
        FrameCount = BlockGeometry.FrameCount(blockLength);
        Invariant.Holds(kinds.Length == FrameCount && lenderIndexes.Length == FrameCount);
        Invariant.Holds(storedLengths.Length == FrameCount && hashes.Length == FrameCount * Hash256.Size);
        _kinds = kinds;
        _lenderIndexes = lenderIndexes;
        _hashes = hashes;
        _lenders = lenders;
        HeaderLength = SealedHeader.LengthOf(FrameCount, lenders.Length);
        _offsets = new int[FrameCount + 1];
        _offsets[0] = HeaderLength;
        for (var frame = 0; frame < FrameCount; frame++)
        {
            _offsets[frame + 1] = _offsets[frame] + storedLengths[frame];
            AllocatedBytes += kinds[frame] == FrameKind.Hole ? 0 : BlockGeometry.FrameLength(blockLength, frame);
        }
    }

    /// <summary>Bytes of plaintext.</summary>
    public int BlockLength { get; }

    /// <summary>Frames, a short last one included.</summary>
    public int FrameCount { get; }

    /// <summary>Bytes of plaintext in frames that are no holes.</summary>
    public int AllocatedBytes { get; }

    /// <summary>Bytes of the object before its first own frame.</summary>
    public int HeaderLength { get; }

    /// <summary>Bytes of the whole object.</summary>
    public int ObjectLength => _offsets[FrameCount];

    /// <summary>The blocks whose objects hold the borrowed frames; empty for a whole block.</summary>
    public IReadOnlyList<BlockId> Lenders => _lenders;

    /// <summary>32 bytes for each frame, in order; zeros for a hole.</summary>
    public ReadOnlySpan<byte> Hashes => _hashes;

    /// <summary>Returns how a frame is stored.</summary>
    public FrameKind KindOf(int frame) => _kinds[frame];

    /// <summary>True when the object holds the frame's bytes itself.</summary>
    public bool IsOwn(int frame) => _kinds[frame] is FrameKind.Compressed or FrameKind.Raw;

    /// <summary>Returns the position in <see cref="Lenders"/> of a borrowed frame's lender.</summary>
    public int LenderIndexOf(int frame)
    {
        Invariant.Holds(_kinds[frame] == FrameKind.Borrowed);
        return _lenderIndexes[frame];
    }

    /// <summary>Returns the frames that the object holds itself.</summary>
    public FrameSet OwnFrames() => Where(IsOwn);

    /// <summary>Returns the frames that are borrowed from one lender.</summary>
    public FrameSet BorrowedFrom(int lender) =>
        Where(frame => _kinds[frame] == FrameKind.Borrowed && _lenderIndexes[frame] == lender);

    /// <summary>Returns where the bytes of an own frame start in the object.</summary>
    public int OffsetOf(int frame) => _offsets[frame];

    /// <summary>Returns the stored bytes of a frame; 0 for one that is not the object's own.</summary>
    public int StoredLengthOf(int frame) => _offsets[frame + 1] - _offsets[frame];

    /// <summary>Returns the plaintext bytes of a frame.</summary>
    public int LengthOf(int frame) => BlockGeometry.FrameLength(BlockLength, frame);

    /// <summary>Returns the hash of a frame's plaintext; zero for a hole.</summary>
    public Hash256 HashOf(int frame) => new(_hashes.AsSpan(frame * Hash256.Size, Hash256.Size));

    private FrameSet Where(Func<int, bool> isIn)
    {
        var frames = new FrameSet(FrameCount);
        for (var frame = 0; frame < FrameCount; frame++)
        {
            if (isIn(frame))
            {
                frames.Add(frame);
            }
        }

        return frames;
    }
}
