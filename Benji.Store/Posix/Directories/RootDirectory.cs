using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Benji.Store.Posix.Directories;

/// <summary>A directory that others may write to, too: below it no symbolic link is followed, whatever is done there.</summary>
/// <remarks><para>Its own path may have links; they are resolved when it is opened. Names are relative to it, with slashes,
/// without <c>.</c> and <c>..</c>; the empty name is the directory itself. A link on the way to a name, or at it, fails with
/// <see cref="LinkInTheWayException"/>, and every other failure is a <see cref="PosixException"/>. Mounts are entered.</para>
/// <para>Safe for concurrent calls.</para></remarks>
internal sealed class RootDirectory : IDisposable
{
    private const uint NoReplace = 1;

    private readonly bool _isOneCall;
    private SafeFileHandle _handle;

    /// <summary>Opens a directory.</summary>
    /// <param name="path">Its absolute path.</param>
    /// <param name="mayUseOneCall">False to go directory by directory, as on a kernel before Linux 5.6.</param>
    /// <exception cref="PosixException">It cannot be opened, or is not a directory.</exception>
    public RootDirectory(string path, bool mayUseOneCall = true)
    {
        Path = path;
        _handle = PosixFile.Open(path, OpenFlags.Directory);
        _isOneCall = mayUseOneCall && OpenBelow.IsOneCall(_handle);
    }

    /// <summary>Its path as it was given.</summary>
    public string Path { get; }

    /// <summary>The path of a name in it, for messages.</summary>
    public string PathOf(string name) => name.Length == 0 ? Path : System.IO.Path.Combine(Path, name);

    /// <summary>Opens a file or directory; a created one gets exactly <paramref name="mode"/>, whatever the umask.</summary>
    public SafeFileHandle Open(string name, OpenFlags flags, UnixFileMode mode = PosixFile.PrivateMode)
    {
        var file = OpenOnce(name, flags, mode);
        if (file.IsInvalid && Marshal.GetLastPInvokeError() is Errno.StaleHandle or Errno.NotConnected)
        {
            // A network file system was mounted again: the path leads to the new one, the old descriptor nowhere.
            _handle = PosixFile.Open(Path, OpenFlags.Directory);
            file = OpenOnce(name, flags, mode);
        }

        if (file.IsInvalid)
        {
            throw Failure(flags.HasFlag(OpenFlags.Create) ? "create" : "open", name, Marshal.GetLastPInvokeError());
        }

        try
        {
            // Only with both flags is it certain that the file is new and ours to change.
            if (flags.HasFlag(OpenFlags.Create | OpenFlags.Exclusive) && LibC.ChangeMode(file, (uint)mode) < 0)
            {
                throw PosixException.OfLastError("set the mode of", PathOf(name));
            }

            return file;
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Returns the status of a name, or null when there is nothing.</summary>
    public FileStatus? Find(string name)
    {
        try
        {
            using var file = Open(name, OpenFlags.PathOnly | OpenFlags.NoFollow);
            var status = FileStatus.Of(file, PathOf(name));
            return status.Kind == FileKind.SymbolicLink ? throw new LinkInTheWayException(Path, PathOf(name)) : status;
        }
        catch (PosixException failure) when (failure.Errno is Errno.NotFound or Errno.NotDirectory)
        {
            return null;
        }
    }

    /// <summary>Opens a lock file that is a regular one, without locking it.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="mayCreate">True to make it, for its owner only, where it is missing.</param>
    /// <returns>Null when there is no regular file of that name.</returns>
    public FileLock? OpenLock(string name, bool mayCreate)
    {
        var kind = Find(name)?.Kind;
        if (kind is null ? !mayCreate : kind != FileKind.Regular)
        {
            return null;
        }

        try
        {
            var file = Open(name, OpenFlags.ReadWrite | OpenFlags.NoWait | (mayCreate ? OpenFlags.Create : 0));
            return new FileLock(PathOf(name), file, () => Find(name));
        }
        catch (PosixException failure) when (failure.Errno == Errno.NotFound && !mayCreate)
        {
            return null;
        }
    }

    /// <summary>Returns the names in a directory, each once.</summary>
    public HashSet<string> List(string name)
    {
        using var directory = Open(name, OpenFlags.Directory);
        return DirectoryEntries.Read(directory, PathOf(name));
    }

    /// <summary>Makes a file's directory entries durable: names created, renamed and deleted in a directory.</summary>
    public void Sync(string name)
    {
        using var directory = Open(name, OpenFlags.Directory);
        PosixFile.Sync(directory, PathOf(name));
    }

    /// <summary>Creates one directory with exactly <paramref name="mode"/>, whatever the umask; not yet durable.</summary>
    /// <returns>False when the name exists, whatever it is.</returns>
    public bool TryCreateDirectory(string name, UnixFileMode mode = PosixDirectory.PrivateMode)
    {
        using var parent = OpenParent(name, out var last);
        if (LibC.MakeDirectoryAt(parent, last, (uint)mode) < 0)
        {
            var errno = Marshal.GetLastPInvokeError();
            return errno == Errno.Exists ? false : throw new PosixException("create directory", PathOf(name), errno);
        }

        // The umask can only take bits away, so nobody had more access in between.
        using var directory = Open(name, OpenFlags.Directory);
        return LibC.ChangeMode(directory, (uint)mode) == 0
            ? true
            : throw PosixException.OfLastError("set the mode of", PathOf(name));
    }

    /// <summary>Gives a file another name, replacing a file that has it.</summary>
    public void Rename(string source, string target)
    {
        using var sourceParent = OpenParent(source, out var sourceLast);
        using var targetParent = OpenParent(target, out var targetLast);
        RequireNoLink(targetParent, targetLast, target);

        // Most names are free, and are taken in the same way whoever takes them; the others are replaced.
        if (LibC.RenameAt2(sourceParent, sourceLast, targetParent, targetLast, NoReplace) < 0
            && LibC.RenameAt2(sourceParent, sourceLast, targetParent, targetLast, flags: 0) < 0)
        {
            throw PosixException.OfLastError($"rename {PathOf(source)} to", PathOf(target));
        }
    }

    /// <summary>Gives a file another name unless something has it.</summary>
    /// <returns>False when the name is taken; the file then keeps its own.</returns>
    public bool TryRenameNew(string source, string target)
    {
        using var sourceParent = OpenParent(source, out var sourceLast);
        using var targetParent = OpenParent(target, out var targetLast);
        if (LibC.RenameAt2(sourceParent, sourceLast, targetParent, targetLast, NoReplace) == 0)
        {
            return true;
        }

        var errno = Marshal.GetLastPInvokeError();

        // NFS and older file systems know no such flag; a hard link is exclusive everywhere it exists.
        if (errno is Errno.Invalid or Errno.NotImplemented)
        {
            if (LibC.LinkAt(sourceParent, sourceLast, targetParent, targetLast, 0) == 0)
            {
                return DeleteIn(sourceParent, sourceLast, source, 0);
            }

            errno = Marshal.GetLastPInvokeError();
        }

        if (errno != Errno.Exists)
        {
            throw new PosixException($"rename {PathOf(source)} to", PathOf(target), errno);
        }

        RequireNoLink(targetParent, targetLast, target);
        return false;
    }

    /// <summary>Deletes a regular file.</summary>
    /// <returns>False when there is none of that name.</returns>
    public bool Delete(string name)
    {
        try
        {
            using var parent = OpenParent(name, out var last);
            return RequireNoLink(parent, last, name) is { Kind: FileKind.Regular } && DeleteIn(parent, last, name, 0);
        }
        catch (PosixException failure) when (failure.Errno is Errno.NotFound or Errno.NotDirectory)
        {
            return false;
        }
    }

    /// <summary>Deletes an empty directory.</summary>
    /// <returns>False when there is none of that name.</returns>
    public bool DeleteDirectory(string name)
    {
        using var parent = OpenParent(name, out var last);
        return DeleteIn(parent, last, name, LibC.AtRemoveDirectory);
    }

    /// <summary>Closes the directory.</summary>
    public void Dispose() => _handle.Dispose();

    // An invalid handle with the error number set when it fails.
    private SafeFileHandle OpenOnce(string name, OpenFlags flags, UnixFileMode mode)
    {
        var path = name.Length == 0 ? "." : name;
        return new SafeFileHandle(
            _isOneCall ? OpenBelow.InOneCall(_handle, path, flags, mode) : OpenBelow.StepByStep(_handle, path, flags, mode),
            ownsHandle: true);
    }

    private SafeFileHandle OpenParent(string name, out string last)
    {
        var slash = name.LastIndexOf('/');
        last = name[(slash + 1)..];
        return Open(name[..Math.Max(0, slash)], OpenFlags.PathOnly | OpenFlags.Directory);
    }

    private FileStatus? RequireNoLink(SafeFileHandle parent, string last, string name)
    {
        var status = FileStatus.FindIn(parent, last, PathOf(name));
        return status is { Kind: FileKind.SymbolicLink } ? throw new LinkInTheWayException(Path, PathOf(name)) : status;
    }

    private bool DeleteIn(SafeFileHandle parent, string last, string name, int flags)
    {
        if (LibC.UnlinkAt(parent, last, flags) == 0)
        {
            return true;
        }

        var errno = Marshal.GetLastPInvokeError();
        return errno == Errno.NotFound ? false : throw new PosixException("delete", PathOf(name), errno);
    }

    // ELOOP says that there is a link, and not where; ENOTDIR may be one that was to be a directory.
    private PosixException Failure(string action, string name, int errno)
    {
        if (errno is not (Errno.TooManySymbolicLinks or Errno.NotDirectory))
        {
            return new PosixException(action, PathOf(name), errno);
        }

        var parts = name.Split('/');
        for (var count = 1; count <= parts.Length; count++)
        {
            var path = string.Join('/', parts[..count]);
            using var file = OpenOnce(path, OpenFlags.PathOnly | OpenFlags.NoFollow, 0);
            if (file.IsInvalid)
            {
                break;
            }

            if (FileStatus.Of(file, PathOf(path)).Kind == FileKind.SymbolicLink)
            {
                return new LinkInTheWayException(Path, PathOf(path));
            }
        }

        return new PosixException(action, PathOf(name), errno);
    }
}
