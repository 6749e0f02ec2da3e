using System.Diagnostics.CodeAnalysis;
using Benji.Store.Images;
using Benji.Store.Model;

namespace Benji.Mount.Tree;

/// <summary>The names of files: <c>version.img</c>, <c>version@overlay.img</c>, <c>latest.img</c>.</summary>
/// <remarks>No part of a volume's name ends in <c>.img</c>, no version is called <c>latest</c>, and no name of a version has
/// an @: files and directories cannot be taken for each other.</remarks>
internal static class FileNames
{
    /// <summary>The name of the link to the newest valid version.</summary>
    public const string Latest = VersionName.Latest + Suffix;

    /// <summary>Bytes in the longest name that a file system shows.</summary>
    public const int LengthMax = 255;

    private const string Suffix = ".img";
    private const char Separator = '@';

    /// <summary>Returns the name of an image's file.</summary>
    public static string Of(ImageEntry entry) => entry.Overlay is null
        ? entry.Version.Name.Version + Suffix
        : entry.Version.Name.Version + Separator + entry.Overlay.Name + Suffix;

    /// <summary>Splits the name of an overlay's file into the file of its base and the overlay's name.</summary>
    public static bool TrySplit(
        string name, [NotNullWhen(true)] out string? baseName, [NotNullWhen(true)] out string? overlay)
    {
        baseName = null;
        overlay = null;
        var at = name.IndexOf(Separator, StringComparison.Ordinal);
        if (at < 0 || !name.EndsWith(Suffix, StringComparison.Ordinal))
        {
            return false;
        }

        overlay = name[(at + 1)..^Suffix.Length];
        baseName = name[..at] + Suffix;
        return Names.IsOverlay(overlay);
    }
}
