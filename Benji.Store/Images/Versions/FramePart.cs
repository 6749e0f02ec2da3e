using Benji.Store.Images.Versions.Frames;
using Benji.Store.Model;

namespace Benji.Store.Images.Versions;

/// <summary>The part of a read that lies in one frame, or in one block of zeros.</summary>
/// <param name="Offset">Its first byte in the version.</param>
/// <param name="Length">Bytes, at least 1.</param>
/// <param name="Block">The block it lies in.</param>
/// <param name="BlockLength">Plaintext bytes of the block.</param>
/// <param name="Frame">The frame it lies in; the first one for a block of zeros.</param>
/// <param name="Start">Its first byte in the frame.</param>
/// <param name="Load">What brings the frame into memory, held for this part; null when it was there, or is a hole.</param>
internal readonly record struct FramePart(
    long Offset, int Length, BlockId Block, int BlockLength, int Frame, int Start, FrameLoad? Load)
{
    /// <summary>The byte behind it.</summary>
    public long End => Offset + Length;

    /// <summary>The frame's key in memory.</summary>
    public FrameKey Key => new(Block, Frame);

    /// <summary>Cuts the first part off a range.</summary>
    /// <param name="geometry">The version's.</param>
    /// <param name="offset">The first byte of the range.</param>
    /// <param name="end">The byte behind it.</param>
    /// <param name="block">The block at the offset.</param>
    public static FramePart At(BlockGeometry geometry, long offset, long end, BlockId block)
    {
        var blockIndex = offset / geometry.BlockSize;
        var blockLength = geometry.BlockLength(blockIndex);
        var inBlock = (int)(offset - (blockIndex * geometry.BlockSize));
        var frame = inBlock / BlockGeometry.FrameSize;
        var start = inBlock % BlockGeometry.FrameSize;
        var length = block.IsHole ? blockLength - inBlock : BlockGeometry.FrameLength(blockLength, frame) - start;
        return new FramePart(
            offset, (int)Math.Min(end - offset, length), block, blockLength, frame, start, Load: null);
    }
}
