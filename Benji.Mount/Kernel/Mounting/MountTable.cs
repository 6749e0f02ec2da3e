using System.Globalization;
using System.Text.RegularExpressions;

namespace Benji.Mount.Kernel.Mounting;

/// <summary>The table of mounts that this process sees: /proc/self/mountinfo, proc(5).</summary>
internal static partial class MountTable
{
    private const string Path = "/proc/self/mountinfo";
    private const int FieldsMin = 6;
    private const int DeviceField = 2;
    private const int MountPointField = 4;

    /// <summary>Finds what is mounted at exactly a path; null when nothing is.</summary>
    public static MountTableEntry? Find(string mountPoint) =>
        Parse(File.ReadAllText(Path)).LastOrDefault(entry => entry.MountPoint == mountPoint);

    /// <summary>Reads the lines of a table; those that are not of its form are left out.</summary>
    public static IEnumerable<MountTableEntry> Parse(string table)
    {
        foreach (var line in table.Split('\n'))
        {
            var halves = line.Split(" - ", 2);
            var fields = halves[0].Split(' ');
            var kind = halves[^1].Split(' ');
            if (halves.Length == 2 && fields.Length >= FieldsMin && kind.Length >= 2)
            {
                yield return new MountTableEntry(
                    Unescape(fields[MountPointField]), fields[DeviceField], kind[0], Unescape(kind[1]));
            }
        }
    }

    // A space, tab, line feed or backslash is written as \ and three octal digits.
    private static string Unescape(string field) => Escape().Replace(
        field, match => ((char)Convert.ToInt32(match.Groups[1].Value, 8)).ToString(CultureInfo.InvariantCulture));

    [GeneratedRegex(@"\\([0-3][0-7]{2})")]
    private static partial Regex Escape();
}

/// <summary>One line of the table of mounts.</summary>
/// <param name="MountPoint">Where.</param>
/// <param name="Device">The device number that stat shows of its files, as <c>0:45</c>.</param>
/// <param name="Type">The type of the file system.</param>
/// <param name="Source">What is mounted.</param>
internal sealed record MountTableEntry(string MountPoint, string Device, string Type, string Source);
