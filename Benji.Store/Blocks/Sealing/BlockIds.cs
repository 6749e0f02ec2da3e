using System.Buffers.Binary;
using Benji.Store.Model;
using Benji.Store.Transforms;

namespace Benji.Store.Blocks.Sealing;

/// <summary>Computes block ids and page ids.</summary>
/// <remarks>Safe for concurrent calls. Format: docs/format.md, "Hashes".</remarks>
internal static class BlockIds
{
    /// <summary>Returns the id of a block; a block of zeros gives <see cref="BlockId.Hole"/>.</summary>
    /// <param name="keys">The keys of the store.</param>
    /// <param name="blockLength">Bytes of the block's plaintext.</param>
    /// <param name="hashes">32 bytes for each frame, in order.</param>
    public static BlockId Compute(StoreKeys keys, int blockLength, ReadOnlySpan<byte> hashes)
    {
        Invariant.Holds(hashes.Length == BlockGeometry.FrameCount(blockLength) * Hash256.Size);
        if (!hashes.ContainsAnyExcept((byte)0))
        {
            return BlockId.Hole;
        }

        Span<byte> length = stackalloc byte[sizeof(ulong)];
        BinaryPrimitives.WriteUInt64LittleEndian(length, (ulong)blockLength);
        return new BlockId(keys.Block.Hash(length, hashes));
    }

    /// <summary>Returns the id of a map page; a page of holes gives <see cref="PageId.Hole"/>.</summary>
    /// <param name="keys">The keys of the store.</param>
    /// <param name="level">0 for a page of block ids.</param>
    /// <param name="content"><see cref="BlockGeometry.PageSize"/> bytes.</param>
    public static PageId ComputePage(StoreKeys keys, int level, ReadOnlySpan<byte> content)
    {
        Invariant.Holds(content.Length == BlockGeometry.PageSize && level is >= 0 and < SealedHeader.LevelsMax);
        return content.ContainsAnyExcept((byte)0)
            ? new PageId(keys.Page.Hash([(byte)level], content))
            : PageId.Hole;
    }
}
