using System.Runtime.InteropServices;

namespace Benji.Store.Posix;

/// <summary>Creates directories and makes their entries durable.</summary>
internal static class PosixDirectory
{
    /// <summary>The mode of the directories that this program makes: for their owner only.</summary>
    public const UnixFileMode PrivateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    /// <summary>Creates one directory with exactly <paramref name="mode"/>, whatever the umask; not yet durable.</summary>
    /// <returns>False when the name exists, whatever it is.</returns>
    /// <exception cref="PosixException">It could not be created; NotFound when its parent is missing.</exception>
    public static bool TryCreate(string path, UnixFileMode mode = PrivateMode)
    {
        if (LibC.MakeDirectory(path, (uint)mode) < 0)
        {
            var errno = Marshal.GetLastPInvokeError();
            return errno == Errno.Exists ? false : throw new PosixException("create directory", path, errno);
        }

        // The umask can only take bits away, so nobody had more access in between.
        using var directory = PosixFile.Open(path, OpenFlags.Directory | OpenFlags.NoFollow);
        return LibC.ChangeMode(directory, (uint)mode) == 0
            ? true
            : throw PosixException.OfLastError("set the mode of", path);
    }

    /// <summary>True when a path leads to a directory; false when it leads to anything else or nothing.</summary>
    /// <exception cref="PosixException">It could not be looked up: that it is missing is not known.</exception>
    public static bool IsDirectory(string path) => FileStatus.Find(path, followLink: true)?.Kind == FileKind.Directory;

    /// <summary>Creates a directory and its missing parents; all durable when it returns.</summary>
    /// <exception cref="PosixException">One could not be created or synced.</exception>
    public static void CreateDurably(string path, UnixFileMode mode = PrivateMode)
    {
        var full = Path.GetFullPath(path);
        var missing = new Stack<string>();
        for (var at = full; at is not null && !IsDirectory(at); at = Path.GetDirectoryName(at))
        {
            missing.Push(at);
        }

        while (missing.TryPop(out var next))
        {
            TryCreate(next, mode);
            Sync(Path.GetDirectoryName(next)!);
        }
    }

    /// <summary>Makes the entries of a directory durable: names created, renamed and deleted in it.</summary>
    /// <exception cref="PosixException">They may not be durable.</exception>
    public static void Sync(string path)
    {
        using var directory = PosixFile.Open(path, OpenFlags.Directory);
        PosixFile.Sync(directory, path);
    }
}
