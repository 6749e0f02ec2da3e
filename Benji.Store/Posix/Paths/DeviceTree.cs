using System.Globalization;

namespace Benji.Store.Posix.Paths;

/// <summary>How block devices stand on one another: disks, their partitions, what is built on either, loop devices on files.
/// </summary>
/// <remarks>From /sys, where a device can vanish between two looks; where there is none, nothing stands on anything.</remarks>
internal static class DeviceTree
{
    private const string BlockDevices = "/sys/block";

    /// <summary>Returns a device and its partitions: who writes to a disk writes to all of them.</summary>
    public static IEnumerable<DeviceNumber> WithPartitions(DeviceNumber device)
    {
        yield return device;
        var folder = FolderOf(device);
        if (!PosixDirectory.IsDirectory(folder))
        {
            yield break;
        }

        foreach (var partition in Directory.EnumerateDirectories(folder))
        {
            if (FileStatus.Find(Path.Combine(partition, "partition"), followLink: true) is not null && ReadNumber(partition) is { } number)
            {
                yield return number;
            }
        }
    }

    /// <summary>Returns the paths, in /sys, of the devices that are built on a device.</summary>
    public static IEnumerable<string> Holders(DeviceNumber device)
    {
        var folder = Path.Combine(FolderOf(device), "holders");
        return PosixDirectory.IsDirectory(folder) ? Directory.EnumerateFileSystemEntries(folder) : [];
    }

    /// <summary>Returns a device, its partitions, and all that is built on them, each once.</summary>
    public static IReadOnlyCollection<DeviceNumber> WithAllAbove(DeviceNumber device)
    {
        var found = new HashSet<DeviceNumber>();
        var waiting = new Stack<DeviceNumber>([device]);
        while (waiting.TryPop(out var next))
        {
            foreach (var part in WithPartitions(next).Where(found.Add))
            {
                foreach (var holder in Holders(part).Select(ReadNumber).OfType<DeviceNumber>())
                {
                    waiting.Push(holder);
                }
            }
        }

        return found;
    }

    /// <summary>Returns the names of the loop devices that a regular file is the content of.</summary>
    /// <exception cref="PosixException">The file of a device could not be looked up.</exception>
    public static IEnumerable<string> LoopsOn(FileStatus file) =>
        (PosixDirectory.IsDirectory(BlockDevices) ? Directory.EnumerateFileSystemEntries(BlockDevices, "loop*") : [])
        .Where(device => BackingFile(device) is { } backing
            && FileStatus.Find(backing, followLink: true) is { } other
            && other.Inode == file.Inode
            && other.FileSystem == file.FileSystem)
        .Select(device => Path.GetFileName(device));

    /// <summary>Returns the number of a device by its name in /sys/block; null when it is gone.</summary>
    public static DeviceNumber? NumberOf(string name) => ReadNumber(Path.Combine(BlockDevices, name));

    /// <summary>Returns the path of the file that a loop device has as its content; null when it has none.</summary>
    public static string? FileOf(DeviceNumber device) => BackingFile(FolderOf(device));

    /// <summary>Parses <c>major:minor</c>; null when it is something else.</summary>
    public static DeviceNumber? Parse(string text)
    {
        var parts = text.Split(':');
        return parts.Length == 2
            && uint.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out var major)
            && uint.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out var minor)
            ? new DeviceNumber(major, minor)
            : null;
    }

    private static string FolderOf(DeviceNumber device) => $"/sys/dev/block/{device}";

    private static DeviceNumber? ReadNumber(string folder) =>
        TryRead(Path.Combine(folder, "dev")) is { } text ? Parse(text) : null;

    // The entry is there while a file is attached.
    private static string? BackingFile(string folder) => TryRead(Path.Combine(folder, "loop", "backing_file"));

    private static string? TryRead(string path)
    {
        try
        {
            return File.ReadAllText(path).TrimEnd('\n');
        }
        catch (IOException)
        {
            return null;
        }
    }
}
