using Benji.Store.Model;

namespace Benji.Store.Images.Versions.Frames;

/// <summary>One frame of one block: what is kept in memory under this key never becomes stale.</summary>
/// <param name="Block">The block; not a hole.</param>
/// <param name="Frame">The frame's index in it.</param>
internal readonly record struct FrameKey(BlockId Block, int Frame)
{
    // Multiplying by the golden ratio spreads the frames of one block over all values.
    private const uint Spread = 0x9E3779B1;

    /// <summary>A cheap hash: the block's id is one already.</summary>
    public override int GetHashCode() =>
        unchecked((int)((uint)Block.Hash.Fingerprint ^ ((uint)Frame * Spread)));
}
