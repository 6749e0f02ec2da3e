using System.Diagnostics.CodeAnalysis;
using Benji.Store.Blocks.Sealing;
using Benji.Store.Model;

namespace Benji.Store.Blocks;

/// <summary>The plaintext of stored blocks, any frames of them, each verified.</summary>
/// <remarks>Safe for concurrent calls. Holes have no id and are handled by the caller. A block length is that of
/// <see cref="BlockGeometry.BlockLength"/>. Format: docs/format.md, "Sealed object".</remarks>
internal interface IBlockStore
{
    /// <summary>Finds a block's frame table when it was read not long ago; allocates nothing.</summary>
    bool TryFindTable(BlockId id, [NotNullWhen(true)] out FrameTable? table);

    /// <summary>Reads where a block's frames are and what they hash to.</summary>
    /// <param name="id">The block.</param>
    /// <param name="blockLength">Bytes of the block.</param>
    /// <param name="cancellationToken">Stops before the next read.</param>
    /// <exception cref="NotFoundException">The storage does not hold the block.</exception>
    /// <exception cref="CorruptDataException">Its header is damaged.</exception>
    /// <exception cref="StorageException">It could not be read.</exception>
    ValueTask<FrameTable> ReadTableAsync(BlockId id, int blockLength, CancellationToken cancellationToken);

    /// <summary>Reads some frames of one block.</summary>
    /// <param name="id">The block.</param>
    /// <param name="blockLength">Bytes of the block.</param>
    /// <param name="firstFrame">The first frame, counted from the block's start.</param>
    /// <param name="destination">Receives the frames' bytes; its length is whole frames, the block's short last one apart.
    /// Lent until the task completes. Contents are undefined after an exception.</param>
    /// <param name="cancellationToken">Stops before the next read.</param>
    /// <exception cref="NotFoundException">The storage does not hold the block.</exception>
    /// <exception cref="CorruptDataException">The bytes do not authenticate or do not match the id, or a lender is
    /// missing.</exception>
    /// <exception cref="StorageException">They could not be read.</exception>
    /// <remarks>One ranged read when the table is known, two when not, and as many for each lender.</remarks>
    ValueTask ReadFramesAsync(
        BlockId id, int blockLength, int firstFrame, Memory<byte> destination, CancellationToken cancellationToken);

    /// <summary>Reads a whole block, as far as it is sound, with one read of its object.</summary>
    /// <param name="id">The block.</param>
    /// <param name="blockLength">Bytes of the block.</param>
    /// <param name="destination">Receives the block; exactly its length. Damaged frames are zeros. Lent until the task
    /// completes.</param>
    /// <param name="cancellationToken">Stops before the next read.</param>
    /// <returns>What is damaged. A missing object damages every frame that is not known to be a hole.</returns>
    /// <exception cref="StorageException">The storage failed: nothing is known of the block.</exception>
    ValueTask<BlockReading> ReadBlockAsync(
        BlockId id, int blockLength, Memory<byte> destination, CancellationToken cancellationToken);
}

/// <summary>What was found damaged when a block was read.</summary>
/// <param name="Damages">The frames that are lost, in order.</param>
/// <param name="Faults">The objects that failed, the block's own or lenders', each once; also where another object gave what
/// they did not.</param>
internal sealed record BlockReading(IReadOnlyList<FrameDamage> Damages, IReadOnlyList<FaultyObject> Faults)
{
    /// <summary>Nothing was.</summary>
    public static BlockReading Sound { get; } = new([], []);
}

/// <summary>One frame whose plaintext is lost.</summary>
/// <param name="FrameIndex">Its index in the block.</param>
/// <param name="Reason">What was found, for a person.</param>
/// <param name="Object">What failed: the block itself, or the lender of the frame.</param>
internal sealed record FrameDamage(int FrameIndex, string Reason, FaultyObject Object);

/// <summary>An object that is damaged or missing.</summary>
/// <param name="Block">The block that it is of.</param>
/// <param name="Form">Which object of it; null when it has none.</param>
internal readonly record struct FaultyObject(BlockId Block, BlockForm? Form)
{
    /// <summary>Names an object whose header is sound.</summary>
    public static FaultyObject Of(OpenedObject opened) => new(
        new BlockId(opened.Header.Name), opened.Table.Lenders.Count > 0 ? BlockForm.Delta : BlockForm.Whole);
}
