using Benji.Store.Model;

namespace Benji.Store.Blocks;

/// <summary>Reads frames of the source that a block writer finds it needs: for a collapse or a whole write.</summary>
internal interface IFrameFiller
{
    /// <summary>Fills <paramref name="destination"/> with the plaintext of frames of the block being written.</summary>
    /// <param name="firstFrame">The first frame, counted from the block's start.</param>
    /// <param name="frameCount">How many.</param>
    /// <param name="destination">Exactly their bytes, the block's short last frame apart. Lent until the task
    /// completes.</param>
    /// <param name="cancellationToken">Stops the reading.</param>
    /// <exception cref="StorageException">The source could not be read.</exception>
    ValueTask FillAsync(
        int firstFrame, int frameCount, Memory<byte> destination, CancellationToken cancellationToken);
}

/// <summary>One block to be stored.</summary>
/// <param name="Content">The block's exact length. Frames that the writer asks its filler for are written here. Lent until
/// the write completes.</param>
/// <param name="BaseId">The base version's block at this index, or a hole.</param>
/// <param name="BaseLength">Bytes of that block; it lends only when they are as many as the content's.</param>
/// <param name="Changed">The frames that stand in <paramref name="Content"/>. All others are known to equal the
/// base's; they are all when the base has another length.</param>
/// <param name="Filler">Reads the others when they are needed; null when all are in the content.</param>
/// <param name="MayLend">False when the base's block is damaged.</param>
internal readonly record struct BlockInput(
    Memory<byte> Content, BlockId BaseId, int BaseLength, FrameSet Changed, IFrameFiller? Filler, bool MayLend);

/// <summary>What became of one block.</summary>
internal enum BlockOutcomeKind
{
    /// <summary>All zeros: recorded in the map only.</summary>
    Hole,

    /// <summary>Equal to the base version's block.</summary>
    Unchanged,

    /// <summary>Stored already, or on its way in this run.</summary>
    Deduplicated,

    /// <summary>Put with all of its frames.</summary>
    StoredWhole,

    /// <summary>Put with some of its frames; the others are borrowed.</summary>
    StoredDelta,
}

/// <summary>What became of one block, with its numbers.</summary>
/// <param name="Id">What the map names; a hole for zeros.</param>
/// <param name="Kind">What became of it.</param>
/// <param name="Allocated">Plaintext bytes of its frames that are no holes.</param>
/// <param name="BaseAllocated">The same of the base's block: known when its table was read, 0 for a hole, else null.</param>
/// <param name="StoredBytes">Bytes of the object that was put; 0 when none was.</param>
internal readonly record struct BlockOutcome(
    BlockId Id, BlockOutcomeKind Kind, int Allocated, int? BaseAllocated, long StoredBytes);
