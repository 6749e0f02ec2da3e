using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Benji.Store.Posix;

/// <summary>A kernel lock on a file of its own, let go by the kernel when the process dies, however it dies.</summary>
/// <remarks>It belongs to this open file: another open of the same path is another holder, in this process too. Child
/// processes do not inherit it. One thread at a time. Source: flock(2).</remarks>
internal sealed partial class FileLock : IDisposable
{
    private const int Shared = 1;
    private const int Exclusive = 2;
    private const int NonBlocking = 4;
    private const int Unlock = 8;

    private readonly string _path;
    private readonly Func<FileStatus?> _find;

    /// <summary>Takes over an open lock file, without locking it.</summary>
    /// <param name="path">Its path, for messages.</param>
    /// <param name="handle">The file, closed with this object.</param>
    /// <param name="find">Looks up what the path leads to now.</param>
    public FileLock(string path, SafeFileHandle handle, Func<FileStatus?> find)
    {
        _path = path;
        _find = find;
        Handle = handle;
    }

    private FileLock(string path, SafeFileHandle handle)
        : this(path, handle, () => FileStatus.Find(path, followLink: true))
    {
    }

    /// <summary>The open file, for the few bytes that a lock file may carry; it lives as long as this object.</summary>
    public SafeFileHandle Handle { get; }

    /// <summary>Opens a lock file, created for its owner only where it is missing, without locking it.</summary>
    /// <exception cref="PosixException">The file cannot be opened or created.</exception>
    public static FileLock Open(string path) =>
        new(path, PosixFile.Open(path, OpenFlags.ReadWrite | OpenFlags.Create));

    /// <summary>Opens a lock file that exists, without locking it; null when it does not.</summary>
    /// <exception cref="PosixException">The file is there and cannot be opened.</exception>
    public static FileLock? OpenExisting(string path) => OpenExisting(path, OpenFlags.ReadWrite);

    /// <summary>Opens a file that exists for reading only, to lock it with others; null when it does not exist.</summary>
    /// <exception cref="PosixException">The file is there and cannot be opened.</exception>
    public static FileLock? OpenForReading(string path) => OpenExisting(path, OpenFlags.Read);

    /// <summary>Locks the file alone, or returns false at once when anybody else holds it.</summary>
    /// <exception cref="PosixException">The file system cannot lock.</exception>
    public bool TryAcquire() => TryLock(Exclusive | NonBlocking);

    /// <summary>Locks the file beside others that do so, or returns false at once when somebody holds it alone.</summary>
    /// <exception cref="PosixException">The file system cannot lock.</exception>
    public bool TryAcquireShared() => TryLock(Shared | NonBlocking);

    /// <summary>Lets the lock go; one that is not held is no error.</summary>
    /// <exception cref="PosixException">The file system cannot unlock.</exception>
    public void Release() => TryLock(Unlock);

    /// <summary>True when the path still leads to this file; otherwise whoever opens it now locks another one.</summary>
    /// <exception cref="PosixException">It cannot be told.</exception>
    public bool IsCurrent()
    {
        var mine = FileStatus.Of(Handle, _path);
        return _find() is { } found && found.Inode == mine.Inode && found.FileSystem == mine.FileSystem;
    }

    /// <summary>Closes the file, which lets the lock go.</summary>
    public void Dispose() => Handle.Dispose();

    private static FileLock? OpenExisting(string path, OpenFlags flags)
    {
        try
        {
            return new FileLock(path, PosixFile.Open(path, flags));
        }
        catch (PosixException failure) when (failure.Errno == Errno.NotFound)
        {
            return null;
        }
    }

    private bool TryLock(int operation)
    {
        while (LockFile(Handle, operation) != 0)
        {
            var errno = Marshal.GetLastPInvokeError();
            if (errno == Errno.TryAgain)
            {
                return false;
            }

            if (errno != Errno.Interrupted)
            {
                throw new PosixException("lock", _path, errno);
            }
        }

        return true;
    }

    [LibraryImport("libc", EntryPoint = "flock", SetLastError = true)]
    private static partial int LockFile(SafeFileHandle file, int operation);
}
