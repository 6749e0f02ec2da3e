namespace Benji.Store.Model;

/// <summary>The arithmetic of one version: its size cut into blocks, blocks into frames, block entries into map pages.</summary>
/// <remarks>Format: docs/format.md, "Limits" and "Block map".</remarks>
public readonly record struct BlockGeometry
{
    /// <summary>Bytes in a frame.</summary>
    public const int FrameSize = 64 * 1024;

    /// <summary>The smallest block size, one frame.</summary>
    public const int BlockSizeMin = FrameSize;

    /// <summary>The largest block size.</summary>
    public const int BlockSizeMax = 64 * 1024 * 1024;

    /// <summary>The block size where none is asked for.</summary>
    public const int BlockSizeDefault = 4 * 1024 * 1024;

    /// <summary>The largest size of a version: 8 PiB.</summary>
    public const long SizeMax = 1L << 53;

    /// <summary>Entries in a map page, at every level.</summary>
    public const int PageEntries = 256;

    /// <summary>Bytes of a map page's plaintext.</summary>
    public const int PageSize = PageEntries * Hash256.Size;

    /// <summary>Describes a version of <paramref name="size"/> bytes in blocks of <paramref name="blockSize"/>.</summary>
    /// <exception cref="UsageException">The size or block size is outside its limits.</exception>
    public BlockGeometry(long size, int blockSize)
    {
        if (blockSize is < BlockSizeMin or > BlockSizeMax || !int.IsPow2(blockSize))
        {
            throw new UsageException(
                $"Block size {blockSize} is not a power of two between {BlockSizeMin} and {BlockSizeMax}.");
        }

        if (size is < 0 or > SizeMax)
        {
            throw new UsageException($"Size {size} is not between 0 and {SizeMax} bytes.");
        }

        Size = size;
        BlockSize = blockSize;
    }

    /// <summary>Bytes in the version.</summary>
    public long Size { get; }

    /// <summary>Bytes in each block but a short last one.</summary>
    public int BlockSize { get; }

    /// <summary>Blocks in the version, the short last one included.</summary>
    public long BlockCount => (Size + BlockSize - 1) / BlockSize;

    /// <summary>Leaf entries under a tree of <see cref="Levels"/> levels, as a power of <see cref="PageEntries"/>.</summary>
    /// <remarks>At least 1, also for an empty version, whose root is a hole.</remarks>
    public int Levels
    {
        get
        {
            var levels = 1;
            for (long reach = PageEntries; reach < BlockCount; reach *= PageEntries)
            {
                levels++;
            }

            return levels;
        }
    }

    /// <summary>Bytes of the block at <paramref name="blockIndex"/>.</summary>
    public int BlockLength(long blockIndex) =>
        checked((int)Math.Min(BlockSize, Size - (blockIndex * BlockSize)));

    /// <summary>Frames in a block of <paramref name="blockLength"/> bytes, a short last one included.</summary>
    public static int FrameCount(int blockLength) => (blockLength + FrameSize - 1) / FrameSize;

    /// <summary>Bytes of frame <paramref name="frameIndex"/> in a block of <paramref name="blockLength"/> bytes.</summary>
    public static int FrameLength(int blockLength, int frameIndex) =>
        Math.Min(FrameSize, blockLength - (frameIndex * FrameSize));
}
