namespace Benji.Store.Blocks.Sealing;

/// <summary>What a sealed object holds, by the number in its header.</summary>
/// <remarks>Format: docs/format.md, "Sealed object".</remarks>
internal enum ObjectKind : byte
{
    /// <summary>A block, whole or as a delta.</summary>
    Block = 1,

    /// <summary>A page of a block map.</summary>
    MapPage = 2,

    /// <summary>The manifest of a version.</summary>
    Manifest = 3,
}
