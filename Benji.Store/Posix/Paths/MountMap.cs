using System.Text;

namespace Benji.Store.Posix.Paths;

/// <summary>One line of the kernel's table of mounts.</summary>
/// <param name="Number">The number of the mount, as in <c>/proc/self/fdinfo</c>.</param>
/// <param name="FileSystem">The number of the file system.</param>
/// <param name="Root">Which directory, or file, of it is seen.</param>
/// <param name="Point">Where it is seen.</param>
/// <param name="Type">The kind of the file system: "ext4", "nfs4", "fuse.sshfs".</param>
/// <param name="Source">What it is on: a device's path, or any text.</param>
internal sealed record MountedAt(
    string Number, DeviceNumber FileSystem, string Root, string Point, string Type, string Source);

/// <summary>Where a file is within its file system, by whichever mount it is seen.</summary>
internal readonly record struct FileLocation(DeviceNumber FileSystem, string Path)
{
    /// <summary>True when another location is the same, or lies below this one.</summary>
    public bool Contains(FileLocation other) => FileSystem == other.FileSystem && MountMap.IsSameOrBelow(Path, other.Path);
}

/// <summary>What is mounted where, as this process sees it.</summary>
/// <remarks>Source: proc_pid_mountinfo(5).</remarks>
internal sealed class MountMap
{
    private static readonly string[] RemoteTypes = ["nfs", "cifs", "smb", "fuse", "9p", "ceph", "gluster", "afs", "lustre", "autofs"];

    private MountMap(IReadOnlyList<MountedAt> mounts) => Mounts = mounts;

    /// <summary>The mounts, those before others that may cover them.</summary>
    public IReadOnlyList<MountedAt> Mounts { get; }

    /// <summary>Reads the table.</summary>
    public static MountMap Read() => Of(File.ReadLines("/proc/self/mountinfo"));

    /// <summary>Takes the lines of the table.</summary>
    public static MountMap Of(IEnumerable<string> lines) => new([.. lines.Select(Parse).OfType<MountedAt>()]);

    /// <summary>Returns the mount that a path without links lies on.</summary>
    public MountedAt? Find(string path) => Mounts
        .Where(mount => IsSameOrBelow(mount.Point, path))
        .Aggregate((MountedAt?)null, (best, mount) => mount.Point.Length >= (best?.Point.Length ?? 0) ? mount : best);

    /// <summary>True when another machine, or a program, answers for what is at a path without links.</summary>
    public bool IsRemote(string path) =>
        Find(path) is { } mount && RemoteTypes.Any(type => mount.Type.StartsWith(type, StringComparison.Ordinal));

    /// <summary>Returns where a path without links is in its file system.</summary>
    public FileLocation? Locate(string path) => Find(path) is { } mount
        ? new FileLocation(mount.FileSystem, Join(mount.Root, path[mount.Point.TrimEnd('/').Length..]))
        : null;

    /// <summary>Returns where a directory is, and what is mounted below it.</summary>
    public IEnumerable<FileLocation> LocateTree(string directory)
    {
        if (Locate(directory) is { } location)
        {
            yield return location;
        }

        foreach (var mount in Mounts.Where(mount => mount.Point != directory && IsSameOrBelow(directory, mount.Point)))
        {
            yield return new FileLocation(mount.FileSystem, mount.Root);
        }
    }

    /// <summary>True when a path is a directory or lies below it; both are without links.</summary>
    public static bool IsSameOrBelow(string directory, string path) =>
        path == directory || path.StartsWith(directory.TrimEnd('/') + "/", StringComparison.Ordinal);

    private static string Join(string root, string rest) => rest.Length == 0 ? root : root.TrimEnd('/') + rest;

    // Fields of a line: id, parent, major:minor, root, mount point, options, tags..., "-", type, source, options.
    private static MountedAt? Parse(string line)
    {
        var fields = line.Split(' ');
        var separator = Array.IndexOf(fields, "-");
        return separator < 6 || fields.Length < separator + 3 || DeviceTree.Parse(fields[2]) is not { } device
            ? null
            : new MountedAt(
                fields[0],
                device,
                Unescape(fields[3]),
                Unescape(fields[4]),
                fields[separator + 1],
                Unescape(fields[separator + 2]));
    }

    /// <summary>Returns a text of the kernel's tables as it was: space, tab, newline and backslash are written there as a
    /// backslash and three octal digits.</summary>
    public static string Unescape(string text)
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
}
