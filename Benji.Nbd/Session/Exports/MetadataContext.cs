namespace Benji.Nbd.Session.Exports;

/// <summary>What a metadata context tells of each byte.</summary>
internal enum ContextKind
{
    /// <summary>Whether it must be read to be known, or is recorded as a zero.</summary>
    Allocation,

    /// <summary>Whether a scrub or read found it damaged.</summary>
    Damage,

    /// <summary>Whether it differs from another version.</summary>
    Changes,
}

/// <summary>A metadata context that a client chose, or may choose.</summary>
/// <remarks>docs/protocol.md, "Metadata contexts".</remarks>
/// <param name="Kind">What it tells.</param>
/// <param name="Since">For <see cref="ContextKind.Changes"/>, the full name of the other version.</param>
internal readonly record struct MetadataContext(ContextKind Kind, string Since = "")
{
    /// <summary>What <c>base:</c> asks for.</summary>
    public const string BaseNamespace = "base:";

    /// <summary>What asks for all contexts of Benji's own.</summary>
    public const string OwnNamespace = "x-benji:";

    /// <summary>What asks for all versions to compare with, and stands in front of the chosen one.</summary>
    public const string ChangesPrefix = "x-benji:changed:";

    private const string AllocationName = "base:allocation";
    private const string DamageName = "x-benji:bad";

    /// <summary>Its full name.</summary>
    public string Name => Kind switch
    {
        ContextKind.Allocation => AllocationName,
        ContextKind.Damage => DamageName,
        _ => ChangesPrefix + Since,
    };

    /// <summary>Reads the name of exactly one context; false for wildcards and what is not known.</summary>
    public static bool TryParse(string name, out MetadataContext context)
    {
        context = name switch
        {
            AllocationName => new MetadataContext(ContextKind.Allocation),
            DamageName => new MetadataContext(ContextKind.Damage),
            _ when name.StartsWith(ChangesPrefix, StringComparison.Ordinal) && name.Length > ChangesPrefix.Length =>
                new MetadataContext(ContextKind.Changes, name[ChangesPrefix.Length..]),
            _ => default,
        };
        return context.Kind != ContextKind.Allocation || name == AllocationName;
    }
}
