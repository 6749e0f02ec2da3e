using System.Runtime.InteropServices;

namespace Benji.Store.Posix;

/// <summary>Says that a system call failed: what was tried, on which path, and the error number.</summary>
/// <remarks>Callers of this folder translate it to their own failure where it enters their folder.</remarks>
internal class PosixException : IOException
{
    /// <summary>Describes a failure of <paramref name="action"/> on <paramref name="path"/>.</summary>
    public PosixException(string action, string path, int errno)
        : this($"Could not {action} {path}: {Posix.Errno.Describe(errno)}", action, path, errno)
    {
    }

    /// <summary>Describes a failure in words of its own.</summary>
    protected PosixException(string message, string action, string path, int errno)
        : base(message)
    {
        Errno = errno;
        Action = action;
        Path = path;
    }

    /// <summary>The error number, one of <see cref="Posix.Errno"/> or another.</summary>
    public int Errno { get; }

    /// <summary>What was tried: "open", "sync", ...</summary>
    public string Action { get; }

    /// <summary>The path or description of what it was tried on.</summary>
    public string Path { get; }

    /// <summary>True when the place is full: the disk, the quota or the size limit of a file.</summary>
    public bool IsFull => Errno is Posix.Errno.NoSpace or Posix.Errno.QuotaExceeded or Posix.Errno.FileTooLarge;

    /// <summary>True when the place does not let this process write: a read-only file system, or no permission.</summary>
    public bool IsRefused =>
        Errno is Posix.Errno.ReadOnlyFileSystem or Posix.Errno.AccessDenied or Posix.Errno.NotPermitted;

    /// <summary>True when the file system or the quota has no room left: giving some back helps.</summary>
    public bool LacksRoom => Errno is Posix.Errno.NoSpace or Posix.Errno.QuotaExceeded;

    /// <summary>Makes the exception of the system call that failed last on this thread.</summary>
    public static PosixException OfLastError(string action, string path) =>
        new(action, path, Marshal.GetLastPInvokeError());
}
