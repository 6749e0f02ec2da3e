using Benji.Store.Blocks;
using Benji.Store.Model;
using Benji.Store.Sources;

namespace Benji.Store.Operations.Backup.Planning;

/// <summary>Reads the frames of blocks from a source, in as few reads as their runs allow, and counts the bytes.</summary>
/// <remarks>Safe for concurrent calls on different destinations.</remarks>
internal sealed class SourceReader(ISource source, int blockSize)
{
    private long _bytesRead;

    /// <summary>Bytes read so far.</summary>
    public long BytesRead => Interlocked.Read(ref _bytesRead);

    /// <summary>Fills the frames of a planned block that are to be read, and zeros those that are known to be zeros.</summary>
    /// <param name="block">The block.</param>
    /// <param name="content">Its whole length; frames that are not changed stay as they are.</param>
    /// <param name="cancellationToken">Stops before the next run of frames.</param>
    public async ValueTask ReadAsync(PlannedBlock block, Memory<byte> content, CancellationToken cancellationToken)
    {
        for (var frame = 0; block.Changed.TryFindRun(frame, out var first, out var count); frame = first + count)
        {
            for (var i = first; i < first + count; i++)
            {
                if (!block.Read.Contains(i))
                {
                    Slice(content, i, 1).Span.Clear();
                }
            }
        }

        for (var frame = 0; block.Read.TryFindRun(frame, out var first, out var count); frame = first + count)
        {
            await ReadFramesAsync(block.Index, first, Slice(content, first, count), cancellationToken);
        }
    }

    /// <summary>Reads a run of one block's frames.</summary>
    public async ValueTask ReadFramesAsync(
        long blockIndex, int firstFrame, Memory<byte> destination, CancellationToken cancellationToken)
    {
        var offset = (blockIndex * blockSize) + ((long)firstFrame * BlockGeometry.FrameSize);
        await source.ReadAsync(offset, destination, cancellationToken);
        Interlocked.Add(ref _bytesRead, destination.Length);
    }

    /// <summary>Says that a block will not be read again.</summary>
    public void Release(PlannedBlock block) => source.Release(block.Index * blockSize, block.Length);

    /// <summary>Gives the block store a way to read further frames of one block, for a collapse or a whole write.</summary>
    public IFrameFiller Filler(long blockIndex) => new BlockFiller(this, blockIndex);

    private static Memory<byte> Slice(Memory<byte> content, int firstFrame, int count)
    {
        var start = firstFrame * BlockGeometry.FrameSize;
        return content[start..Math.Min(content.Length, start + (count * BlockGeometry.FrameSize))];
    }

    private sealed class BlockFiller(SourceReader reader, long blockIndex) : IFrameFiller
    {
        public ValueTask FillAsync(
            int firstFrame, int frameCount, Memory<byte> destination, CancellationToken cancellationToken) =>
            reader.ReadFramesAsync(blockIndex, firstFrame, destination, cancellationToken);
    }
}
