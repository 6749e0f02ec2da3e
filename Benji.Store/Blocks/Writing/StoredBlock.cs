using Benji.Store.Catalogs;
using Benji.Store.Model;

namespace Benji.Store.Blocks.Writing;

/// <summary>A block whose object is on its way: what is to be recorded, and what it takes to store it again.</summary>
/// <param name="Row">Its row.</param>
/// <param name="Seen">The row that was seen before it was sealed; null for none.</param>
/// <param name="Filler">Reads its content; null when nobody can.</param>
/// <param name="Outcome">What was told of it.</param>
internal sealed record StoredBlock(BlockRow Row, BlockRow? Seen, IFrameFiller? Filler, BlockOutcome Outcome);

/// <summary>A sealed delta that is not put yet, as its id is not reserved.</summary>
/// <param name="Block">The block.</param>
/// <param name="Bytes">Its object.</param>
internal sealed record KeptDelta(StoredBlock Block, BlockBuffer Bytes) : IDisposable
{
    /// <summary>Gives the object's memory back.</summary>
    public void Dispose() => Bytes.Dispose();
}

/// <summary>A copy of a block's content, for those that nobody can read again.</summary>
/// <remarks>Memory comes from the pool, and goes back with <see cref="Dispose"/>.</remarks>
internal sealed class KeptContent : IFrameFiller, IDisposable
{
    private readonly BlockBuffer _content;

    /// <summary>Copies a content.</summary>
    public KeptContent(ReadOnlySpan<byte> content, BlockBufferPool pool)
    {
        _content = pool.Rent(content.Length);
        content.CopyTo(_content.Span);
    }

    /// <summary>Bytes of memory that it holds.</summary>
    public long HeldBytes => _content.Capacity;

    /// <inheritdoc/>
    public ValueTask FillAsync(
        int firstFrame, int frameCount, Memory<byte> destination, CancellationToken cancellationToken)
    {
        _content.Memory.Slice(firstFrame * BlockGeometry.FrameSize, destination.Length).CopyTo(destination);
        return ValueTask.CompletedTask;
    }

    /// <summary>Gives the memory back.</summary>
    public void Dispose() => _content.Dispose();
}
