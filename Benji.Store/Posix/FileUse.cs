namespace Benji.Store.Posix;

/// <summary>Finds out whether a regular file is the content of an attached loop device, which may be mounted.</summary>
/// <remarks>For refusing to write over it; the kernel itself would allow it.</remarks>
internal static class FileUse
{
    private const string Devices = "/sys/block";

    /// <summary>Says which loop device a file is attached to.</summary>
    /// <returns>Words for a message, such as <c>it is attached to /dev/loop0</c>; null when it is to none.</returns>
    /// <exception cref="PosixException">The file, or that of a device, could not be looked up.</exception>
    public static string? Find(string path)
    {
        if (FileStatus.Find(path, followLink: true) is not { Kind: FileKind.Regular } status || !Directory.Exists(Devices))
        {
            return null;
        }

        foreach (var device in Directory.EnumerateFileSystemEntries(Devices, "loop*"))
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
