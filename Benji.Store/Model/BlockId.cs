namespace Benji.Store.Model;

/// <summary>Names a block's content: the keyed Merkle hash over its length and frame hashes.</summary>
/// <remarks>Equal ids mean equal content within one store. Format: docs/format.md, "Block id".</remarks>
public readonly record struct BlockId(Hash256 Hash)
{
    /// <summary>The entry of a block of zeros: it has no object.</summary>
    public static BlockId Hole => default;

    /// <summary>True for a block of zeros.</summary>
    public bool IsHole => Hash.IsZero;

    /// <summary>Returns 64 lower-case hexadecimal digits.</summary>
    public override string ToString() => Hash.ToString();
}
