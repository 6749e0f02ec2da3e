using System.Globalization;
using System.Text;
using Benji.Store.Images;

namespace Benji.Mount;

/// <summary>One line of the table of mounts.</summary>
/// <param name="Device">Major and minor number, <c>0:57</c>.</param>
/// <param name="MountPoint">Where it is, absolute and without symbolic links.</param>
/// <param name="Type">The file system, <c>fuse.benji</c> for a mount of this program.</param>
/// <param name="Source">What was mounted.</param>
/// <param name="User">Who mounted it, for FUSE; root where it is not told.</param>
public sealed record MountEntry(string Device, string MountPoint, string Type, string Source, uint User);

/// <summary>The table of mounts of this process, as the kernel shows it; reading it touches no mount.</summary>
/// <remarks>Format: proc_pid_mountinfo(5). Safe for concurrent calls.</remarks>
public static class MountTable
{
    /// <summary>The type of this program's mounts.</summary>
    public const string BenjiType = ImageFile.FileSystem;

    private const string TablePath = "/proc/self/mountinfo";
    private const string UserOption = "user_id=";

    /// <summary>Returns the uppermost mount at a path, or null.</summary>
    /// <param name="mountPoint">Absolute and without symbolic links.</param>
    public static MountEntry? Find(string mountPoint)
    {
        MountEntry? found = null;
        foreach (var line in File.ReadLines(TablePath))
        {
            if (Parse(line) is { } entry && entry.MountPoint == mountPoint)
            {
                found = entry; // a later line is mounted over an earlier one
            }
        }

        return found;
    }

    /// <summary>Returns what stands in the way of the end of a mount: what is mounted below its point, and where else the
    /// same files are shown.</summary>
    /// <param name="mount">The mount.</param>
    public static (IReadOnlyList<MountEntry> Below, IReadOnlyList<MountEntry> Elsewhere) FindInTheWay(MountEntry mount) =>
        FindInTheWay(mount, File.ReadLines(TablePath));

    /// <summary>As the other one, in lines of a table.</summary>
    internal static (IReadOnlyList<MountEntry> Below, IReadOnlyList<MountEntry> Elsewhere) FindInTheWay(
        MountEntry mount, IEnumerable<string> lines)
    {
        var entries = lines.Select(Parse).OfType<MountEntry>().ToList();
        var below = entries.FindAll(other => other.MountPoint.StartsWith($"{mount.MountPoint}/", StringComparison.Ordinal));
        var same = entries.FindAll(other => other.Device == mount.Device && other.MountPoint != mount.MountPoint);
        return (below, [.. same.Except(below)]);
    }

    /// <summary>Takes one line apart; null when it is none.</summary>
    public static MountEntry? Parse(string line)
    {
        // 36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue
        var fields = line.Split(' ');
        var separator = Array.IndexOf(fields, "-");
        if (separator < 6 || fields.Length < separator + 3)
        {
            return null;
        }

        var options = fields.Length > separator + 3 ? fields[separator + 3].Split(',') : [];
        var user = options.FirstOrDefault(option => option.StartsWith(UserOption, StringComparison.Ordinal));
        return new MountEntry(
            fields[2],
            Unescape(fields[4]),
            fields[separator + 1],
            Unescape(fields[separator + 2]),
            uint.TryParse(user?[UserOption.Length..], CultureInfo.InvariantCulture, out var id) ? id : 0);
    }

    // Blanks, tabs, line feeds and backslashes are written as a backslash and three octal digits of a byte.
    private static string Unescape(string field)
    {
        if (!field.Contains('\\', StringComparison.Ordinal))
        {
            return field;
        }

        var bytes = new List<byte>();
        var source = Encoding.UTF8.GetBytes(field);
        for (var i = 0; i < source.Length; i++)
        {
            if (source[i] == '\\' && ByteOf(source.AsSpan(i + 1)) is { } escaped)
            {
                bytes.Add(escaped);
                i += 3;
            }
            else
            {
                bytes.Add(source[i]);
            }
        }

        return Encoding.UTF8.GetString([.. bytes]);
    }

    private static byte? ByteOf(ReadOnlySpan<byte> digits) =>
        digits is [>= (byte)'0' and <= (byte)'3', >= (byte)'0' and <= (byte)'7', >= (byte)'0' and <= (byte)'7', ..]
            ? (byte)(((digits[0] - '0') << 6) | ((digits[1] - '0') << 3) | (digits[2] - '0'))
            : null;
}
