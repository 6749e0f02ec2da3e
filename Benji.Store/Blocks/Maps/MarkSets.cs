namespace Benji.Store.Blocks.Maps;

/// <summary>The sets that a <see cref="MapMarker"/> works in, kept from one to the next: they are most of a cleanup's
/// memory.</summary>
internal sealed class MarkSets
{
    /// <summary>Slots of the set of blocks: 32 MiB, 3.3 million blocks.</summary>
    public const int BlockSlotsDefault = 1 << 22;

    /// <summary>Slots of the set of leaf pages: 16 MiB, 0.8 million pages.</summary>
    public const int LeafSlotsDefault = 1 << 20;

    // The upper pages of 2^22 * 256 leaves, far beyond any store; the set takes what it needs.
    private const int UpperSlotsMax = 1 << 22;

    /// <summary>Creates empty sets.</summary>
    /// <param name="leafSlots">Bound of the set of leaf pages, a power of two.</param>
    /// <param name="blockSlots">Bound of the set of blocks, a power of two.</param>
    public MarkSets(int leafSlots = LeafSlotsDefault, int blockSlots = BlockSlotsDefault)
    {
        Leaves = new FingerprintSet(leafSlots, isWide: true);
        Blocks = new FingerprintSet(blockSlots, isWide: false);
    }

    /// <summary>The pages above the leaves.</summary>
    public FingerprintSet Uppers { get; } = new(UpperSlotsMax, isWide: true);

    /// <summary>The leaf pages of one range of ids.</summary>
    public FingerprintSet Leaves { get; }

    /// <summary>The blocks of one range of ids.</summary>
    public FingerprintSet Blocks { get; }
}
