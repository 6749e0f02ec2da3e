namespace Benji.Store.Model;

/// <summary>Names a map page's content: the keyed hash over its level and its plaintext.</summary>
/// <remarks>Format: docs/format.md, "Map page".</remarks>
public readonly record struct PageId(Hash256 Hash)
{
    /// <summary>The entry of a page of holes: it has no object.</summary>
    public static PageId Hole => default;

    /// <summary>True for a page that holds nothing but holes.</summary>
    public bool IsHole => Hash.IsZero;

    /// <summary>Returns 64 lower-case hexadecimal digits.</summary>
    public override string ToString() => Hash.ToString();
}
