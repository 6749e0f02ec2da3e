using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using Benji.Store.Model;
using Benji.Store.Storages;

namespace Benji.Store.Blocks.Sealing;

/// <summary>The names of the objects of a store, made and parsed.</summary>
/// <remarks>Pure. Format: docs/format.md, "Objects".</remarks>
internal static class ObjectNames
{
    /// <summary>What the names of all blocks start with.</summary>
    public const string BlockPrefix = "blocks/";

    /// <summary>What the names of all map pages start with.</summary>
    public const string PagePrefix = "pages/";

    /// <summary>What the names of all manifests start with.</summary>
    public const string ManifestPrefix = "versions/";

    /// <summary>What the names of all age marks start with.</summary>
    public const string AgeMarkPrefix = "marks/";

    private const string DeltaSuffix = ".d";
    private const int AgeNumberDigits = 16;

    /// <summary>The object that says what store this is.</summary>
    public static ObjectName StoreFile { get; } = new("store.json");

    /// <summary>Returns the name of a block's object.</summary>
    public static ObjectName Block(BlockId id, BlockForm form) =>
        new(Spread(BlockPrefix, id.Hash) + (form == BlockForm.Delta ? DeltaSuffix : ""));

    /// <summary>Returns the name of a map page's object.</summary>
    public static ObjectName Page(PageId id) => new(Spread(PagePrefix, id.Hash));

    /// <summary>Returns the name of a version's manifest.</summary>
    public static ObjectName Manifest(VersionName name) =>
        new($"{ManifestPrefix}{name.Volume.Replace('/', '@')}/{name.Version}");

    /// <summary>Returns the name of an age mark.</summary>
    public static ObjectName AgeMark(AgeMark mark) => new($"{AgeMarkPrefix}{mark}");

    /// <summary>Parses the name of an age mark; any other name answers false.</summary>
    public static bool TryParseAgeMark(ObjectName name, out AgeMark mark)
    {
        mark = default;
        var text = name.Value;
        if (!text.StartsWith(AgeMarkPrefix, StringComparison.Ordinal)
            || text.Length <= AgeMarkPrefix.Length + AgeNumberDigits
            || !long.TryParse(
                text.AsSpan(AgeMarkPrefix.Length, AgeNumberDigits), NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            || !Guid.TryParseExact(text.AsSpan(AgeMarkPrefix.Length + AgeNumberDigits + 1), "N", out var token))
        {
            return false;
        }

        mark = new AgeMark(number, token);
        return text == $"{AgeMarkPrefix}{mark}";
    }

    /// <summary>Parses the name of a block's object; any other name answers false.</summary>
    public static bool TryParseBlock(ObjectName name, out BlockId id, out BlockForm form)
    {
        var isDelta = name.Value.EndsWith(DeltaSuffix, StringComparison.Ordinal);
        form = isDelta ? BlockForm.Delta : BlockForm.Whole;
        var parsed = TryParseSpread(BlockPrefix, isDelta ? name.Value[..^DeltaSuffix.Length] : name.Value, out var hash);
        id = new BlockId(hash);
        return parsed;
    }

    /// <summary>Parses the name of a map page's object; any other name answers false.</summary>
    public static bool TryParsePage(ObjectName name, out PageId id)
    {
        var parsed = TryParseSpread(PagePrefix, name.Value, out var hash);
        id = new PageId(hash);
        return parsed;
    }

    /// <summary>Parses the name of a manifest; any other name answers false.</summary>
    public static bool TryParseManifest(ObjectName name, [NotNullWhen(true)] out VersionName? version)
    {
        version = null;
        if (!name.Value.StartsWith(ManifestPrefix, StringComparison.Ordinal))
        {
            return false;
        }

        var parts = name.Value[ManifestPrefix.Length..].Split('/');
        return parts.Length == 2 && VersionName.TryParse($"{parts[0].Replace('@', '/')}/{parts[1]}", out version);
    }

    /// <summary>True for the directory that holds the manifests of a volume where objects are files.</summary>
    public static bool IsManifestDirectory(ObjectName name) =>
        $"{name}/0" is var inside && ObjectName.IsValid(inside) && TryParseManifest(new ObjectName(inside), out _);

    private static string Spread(string prefix, Hash256 hash)
    {
        Invariant.Holds(!hash.IsZero);
        var digits = hash.ToString();
        return string.Concat(prefix, $"{digits.AsSpan(0, 2)}/{digits.AsSpan(2, 2)}/", digits);
    }

    private static bool TryParseSpread(string prefix, string name, out Hash256 hash)
    {
        hash = default;
        return name.Length == prefix.Length + "ab/cd/".Length + (2 * Hash256.Size)
            && Hash256.TryParse(name[^(2 * Hash256.Size)..], out hash)
            && !hash.IsZero
            && name == Spread(prefix, hash);
    }
}
