using Benji.Store.Posix.Directories;

namespace Benji.Store.Posix.Paths;

/// <summary>Looks for a file in a directory by what it is and not by its name.</summary>
internal static class FolderContent
{
    /// <summary>True when one of the names below a directory is that of the file; every name is looked at.</summary>
    /// <exception cref="PosixException">A part could not be read.</exception>
    public static bool Holds(string directory, FileStatus file)
    {
        using var root = new RootDirectory(directory);
        var waiting = new Stack<string>([""]);
        while (waiting.TryPop(out var next))
        {
            if (Names(root, next, file, waiting))
            {
                return true;
            }
        }

        return false;
    }

    // True when the file is in one directory itself; those in it are left to the caller.
    private static bool Names(RootDirectory root, string directory, FileStatus file, Stack<string> waiting)
    {
        using var opened = root.Open(directory, OpenFlags.Directory);
        foreach (var name in DirectoryEntries.Read(opened, root.PathOf(directory)))
        {
            var path = directory.Length == 0 ? name : $"{directory}/{name}";
            var status = FileStatus.FindIn(opened, name, root.PathOf(path));
            if (status is { } found && found.Inode == file.Inode && found.FileSystem == file.FileSystem)
            {
                return true;
            }

            if (status is { Kind: FileKind.Directory })
            {
                waiting.Push(path);
            }
        }

        return false;
    }
}
