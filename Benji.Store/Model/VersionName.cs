using System.Diagnostics.CodeAnalysis;

namespace Benji.Store.Model;

/// <summary>The full name of a version, <c>volume/version</c>; both halves are checked.</summary>
/// <remarks>Format: docs/format.md, "Names".</remarks>
public sealed record VersionName
{
    /// <summary>The word that stands for the newest version of a volume and can be no version's name.</summary>
    public const string Latest = "latest";

    /// <summary>Joins a volume and a version's name.</summary>
    /// <exception cref="UsageException">One of them is not valid.</exception>
    public VersionName(string volume, string version)
    {
        Names.CheckVolume(volume);
        Names.CheckVersion(version);
        Volume = volume;
        Version = version;
    }

    /// <summary>The volume's name, possibly of several parts.</summary>
    public string Volume { get; }

    /// <summary>The version part of the name.</summary>
    public string Version { get; }

    /// <summary>Splits <c>volume/version</c> at its last slash.</summary>
    public static bool TryParse(string text, [NotNullWhen(true)] out VersionName? name)
    {
        name = null;
        var slash = text.LastIndexOf('/');
        if (slash < 0 || !Names.IsVolume(text[..slash]) || !Names.IsVersion(text[(slash + 1)..]))
        {
            return false;
        }

        name = new VersionName(text[..slash], text[(slash + 1)..]);
        return true;
    }

    /// <summary>Orders by volume, then by version, both ordinal.</summary>
    public static int Compare(VersionName left, VersionName right)
    {
        var volumes = string.CompareOrdinal(left.Volume, right.Volume);
        return volumes != 0 ? volumes : string.CompareOrdinal(left.Version, right.Version);
    }

    /// <summary>Returns <c>volume/version</c>.</summary>
    public override string ToString() => $"{Volume}/{Version}";
}
