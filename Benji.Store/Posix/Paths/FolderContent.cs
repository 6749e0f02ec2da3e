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
            using var opened = root.Open(next, OpenFlags.Directory);
            foreach (var name in DirectoryEntries.Read(opened, root.PathOf(next)))
            {
                var path = next.Length == 0 ? name : $"{next}/{name}";
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
        }

        return false;
    }
}
