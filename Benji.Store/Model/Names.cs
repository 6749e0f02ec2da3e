using System.Buffers;
using System.Text;

namespace Benji.Store.Model;

/// <summary>The rules for names that people give: volumes, versions, overlays, labels.</summary>
/// <remarks>A name that passes is safe as a path below a directory and in an object's name. Format: docs/format.md, "Names".</remarks>
public static class Names
{
    /// <summary>Bytes in one part of a name.</summary>
    public const int PartLengthMax = 100;

    /// <summary>Bytes in a volume's name.</summary>
    public const int VolumeLengthMax = 200;

    /// <summary>Characters in the value of a label or the name of a snapshot.</summary>
    public const int LabelValueLengthMax = 255;

    private static readonly SearchValues<char> First = SearchValues.Create(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_");

    private static readonly SearchValues<char> Later = SearchValues.Create(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.:+-");

    private static readonly SearchValues<char> Separated = SearchValues.Create(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.:+-/");

    /// <summary>True for a valid volume name: parts joined by slashes.</summary>
    public static bool IsVolume(string volume) =>
        volume.Length <= VolumeLengthMax && volume.Split('/').All(part => IsPart(part));

    /// <summary>True for a valid version name: one part, not <c>latest</c>.</summary>
    public static bool IsVersion(string version) => IsPart(version) && version != VersionName.Latest;

    /// <summary>True for a valid overlay name: one part.</summary>
    public static bool IsOverlay(string overlay) => IsPart(overlay);

    /// <summary>True for a text that names of volumes and versions, or a part of them, can consist of.</summary>
    public static bool IsOfLetters(string text) => text.Length == 0 || !text.AsSpan().ContainsAnyExcept(Separated);

    /// <summary>Refuses a volume name that is not valid, naming the rule.</summary>
    /// <exception cref="UsageException">The name is not valid.</exception>
    public static void CheckVolume(string volume)
    {
        if (!IsVolume(volume))
        {
            throw new UsageException(
                $"Volume name {Show(volume)} is not valid: use parts of A-Z a-z 0-9 _ . : + - joined by '/', " +
                $"each starting with a letter, a digit or '_', at most {PartLengthMax} bytes, none ending in '.img', " +
                $"{VolumeLengthMax} bytes in all.");
        }
    }

    /// <summary>Refuses a version name that is not valid, naming the rule.</summary>
    /// <exception cref="UsageException">The name is not valid.</exception>
    public static void CheckVersion(string version)
    {
        if (!IsVersion(version))
        {
            throw new UsageException(
                $"Version name {Show(version)} is not valid: use A-Z a-z 0-9 _ . : + -, starting with a letter, a digit " +
                $"or '_', at most {PartLengthMax} bytes, not ending in '.img', not 'latest'.");
        }
    }

    /// <summary>Refuses a label that is not valid, naming the rule.</summary>
    /// <param name="name">Parts of letters, digits, <c>_ . : + -</c> joined by slashes, as in <c>benji.me/instance</c>.</param>
    /// <param name="value">At most <see cref="LabelValueLengthMax"/> characters, none of them a control character.</param>
    /// <exception cref="UsageException">The label is not valid.</exception>
    public static void CheckLabel(string name, string value)
    {
        if (name.Length > VolumeLengthMax || !name.Split('/').All(part => IsPart(part)))
        {
            throw new UsageException(
                $"Label name {Show(name)} is not valid: use parts of A-Z a-z 0-9 _ . : + - joined by '/', at most " +
                $"{VolumeLengthMax} bytes in all.");
        }

        CheckText($"Value of label {Show(name)}", value);
    }

    /// <summary>Refuses a free text (a label's value, a snapshot's name) that is too long or would garble a listing.</summary>
    /// <exception cref="UsageException">The text is not valid.</exception>
    public static void CheckText(string what, string text)
    {
        if (text.Length > LabelValueLengthMax || text.Any(char.IsControl) || !IsWellFormed(text))
        {
            throw new UsageException(
                $"{what} {Show(text)} is not valid: use at most {LabelValueLengthMax} characters and no control characters.");
        }
    }

    /// <summary>Quotes a name for a message: control characters are escaped, what is too long is cut.</summary>
    public static string Show(string name)
    {
        var cut = name.Length <= 60 ? name : $"{name[..57]}...";
        return $"'{string.Concat(cut.Select(c => char.IsControl(c) ? $"\\u{(int)c:x4}" : c.ToString()))}'";
    }

    // Half a surrogate pair could not be written as UTF-8.
    private static bool IsWellFormed(string text) => !text.EnumerateRunes().Any(rune => rune == Rune.ReplacementChar);

    private static bool IsPart(string part) =>
        part.Length is > 0 and <= PartLengthMax
        && First.Contains(part[0])
        && !part.AsSpan().ContainsAnyExcept(Later)
        && !part.EndsWith(".img", StringComparison.Ordinal);
}
