using System.Globalization;
using System.Text;

namespace Benji.Store.Posix;

/// <summary>Finds out by what a block device is in use: a mount, swap, or another device built on it or on a file.</summary>
/// <remarks>For messages, and a second line behind the exclusive open, which alone is free of races.</remarks>
internal static class DeviceUse
{
    private const string BlockDevices = "/sys/block";

    /// <summary>Says by what a device, or a partition of it, is in use.</summary>
    /// <returns>Words for a message, such as <c>/dev/sdb1 is mounted at /home</c>; null when nothing was found.</returns>
    /// <exception cref="PosixException">The device could not be looked up.</exception>
    public static string? Find(string path)
    {
        if (FileStatus.Find(path, followLink: true) is not { Kind: FileKind.BlockDevice } status)
        {
            return null;
        }

        // The device itself and its partitions: writing to a disk writes to all of them.
        return WithPartitions(status.Device)
            .Select(device => FindMount(device) ?? FindSwap(device) ?? FindHolder(device))
            .FirstOrDefault(use => use is not null);
    }

    /// <summary>Says which loop device, itself perhaps mounted, a regular file is the content of.</summary>
    /// <remarks>The kernel would let it be written over.</remarks>
    /// <returns>Words for a message, such as <c>it is attached to /dev/loop0</c>; null when it is to none.</returns>
    /// <exception cref="PosixException">The file, or that of a device, could not be looked up.</exception>
    public static string? FindLoop(string path)
    {
        if (FileStatus.Find(path, followLink: true) is not { Kind: FileKind.Regular } status || !Directory.Exists(BlockDevices))
        {
            return null;
        }

        foreach (var device in Directory.EnumerateFileSystemEntries(BlockDevices, "loop*"))
        {
            if (BackingFile(device) is { } backing
                && FileStatus.Find(backing, followLink: true) is { } other
                && other.Inode == status.Inode
                && other.FileSystem == status.FileSystem)
            {
                return $"it is attached to /dev/{Path.GetFileName(device)}";
            }
        }

        return null;
    }

    private static IEnumerable<DeviceNumber> WithPartitions(DeviceNumber device)
    {
        yield return device;
        var folder = $"/sys/dev/block/{device}";
        if (!Directory.Exists(folder))
        {
            yield break;
        }

        foreach (var partition in Directory.EnumerateDirectories(folder))
        {
            if (File.Exists(Path.Combine(partition, "partition")) &&
                Parse(File.ReadAllText(Path.Combine(partition, "dev")).Trim()) is { } number)
            {
                yield return number;
            }
        }
    }

    // Fields of a line: id, parent, major:minor, root, mount point, options, tags..., "-", type, source, options.
    // A file system over several devices (btrfs) has a number of its own, so its source is compared too.
    private static string? FindMount(DeviceNumber device)
    {
        foreach (var line in File.ReadLines("/proc/self/mountinfo"))
        {
            var fields = line.Split(' ');
            var separator = Array.IndexOf(fields, "-");
            if (separator < 6 || fields.Length < separator + 3)
            {
                continue;
            }

            var source = Unescape(fields[separator + 2]);
            if (Parse(fields[2]) == device || IsDevice(source, device))
            {
                return $"{source} is mounted at {Unescape(fields[4])}";
            }
        }

        return null;
    }

    private static string? FindSwap(DeviceNumber device)
    {
        const string Swaps = "/proc/swaps";
        return !File.Exists(Swaps)
            ? null
            : File.ReadLines(Swaps)
                .Skip(1)
                .Select(line => Unescape(line.Split(' ', '\t')[0]))
                .Where(path => IsDevice(path, device))
                .Select(path => $"{path} is used as swap")
                .FirstOrDefault();
    }

    private static string? FindHolder(DeviceNumber device)
    {
        var folder = $"/sys/dev/block/{device}/holders";
        var holder = Directory.Exists(folder) ? Directory.EnumerateFileSystemEntries(folder).FirstOrDefault() : null;
        return holder is null ? null : $"it is part of /dev/{Path.GetFileName(holder)}";
    }

    private static bool IsDevice(string path, DeviceNumber device) =>
        path.StartsWith('/')
        && FileStatus.Find(path, followLink: true) is { Kind: FileKind.BlockDevice } status
        && status.Device == device;

    private static DeviceNumber? Parse(string text)
    {
        var parts = text.Split(':');
        return parts.Length == 2
            && uint.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out var major)
            && uint.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out var minor)
            ? new DeviceNumber(major, minor)
            : null;
    }

    // The kernel writes space, tab, newline and backslash as a backslash and three octal digits.
    private static string Unescape(string text)
    {
        var result = new StringBuilder(text.Length);
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] == '\\' && i + 3 < text.Length && text.AsSpan(i + 1, 3).IndexOfAnyExceptInRange('0', '7') < 0)
            {
                result.Append((char)Convert.ToInt32(text.Substring(i + 1, 3), 8));
                i += 3;
            }
            else
            {
                result.Append(text[i]);
            }
        }

        return result.ToString();
    }

    // The entry is there while a file is attached, and can vanish between looking and reading.
    private static string? BackingFile(string device)
    {
        try
        {
            return File.ReadAllText(Path.Combine(device, "loop", "backing_file")).TrimEnd('\n');
        }
        catch (IOException)
        {
            return null;
        }
    }
}
