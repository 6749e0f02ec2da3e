using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Benji.Store.Posix;

/// <summary>Opens, reads, writes and syncs files by their handles, with the error number on every failure.</summary>
/// <remarks>Synchronous. Unlike .NET's own open it takes no advisory lock and adds nothing to the flags.</remarks>
internal static class PosixFile
{
    /// <summary>The mode of the files that this program makes: for their owner only.</summary>
    public const UnixFileMode PrivateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    // struct statfs is smaller than this on every processor; its first field, a long, is the kind of the file system.
    private const int StatusSize = 256;

    // ext2 to ext4, XFS, Btrfs, F2FS. Others are left out on purpose: on a file system in user space the sync of the whole
    // does not reach the server.
    private static readonly long[] SyncedAsAWhole = [0xef53, 0x58465342, 0x9123683e, 0xf2f52010];

    // Before Linux 5.8 syncfs(2) did not report that bytes could not be written.
    private static readonly bool ReportsErrors = Environment.OSVersion.Version >= new Version(5, 8);

    /// <summary>Opens a file; a created one gets exactly <paramref name="mode"/>, whatever the umask.</summary>
    /// <exception cref="PosixException">It could not be opened.</exception>
    public static SafeFileHandle Open(string path, OpenFlags flags, UnixFileMode mode = PrivateMode)
    {
        int descriptor;
        do
        {
            descriptor = LibC.Open(path, NativeOpenFlags.Of(flags), (uint)mode);
        }
        while (descriptor < 0 && WasInterrupted);

        if (descriptor < 0)
        {
            throw PosixException.OfLastError(flags.HasFlag(OpenFlags.Create) ? "create" : "open", path);
        }

        var file = new SafeFileHandle(descriptor, ownsHandle: true);
        try
        {
            // Only with both flags is it certain that the file is new and ours to change.
            if (flags.HasFlag(OpenFlags.Create | OpenFlags.Exclusive) && LibC.ChangeMode(file, (uint)mode) < 0)
            {
                throw PosixException.OfLastError("set the mode of", path);
            }

            return file;
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Reads until <paramref name="destination"/> is full or the file ends.</summary>
    /// <returns>The bytes read.</returns>
    /// <exception cref="PosixException">A part could not be read.</exception>
    public static unsafe int Read(SafeFileHandle file, string path, long offset, Span<byte> destination)
    {
        var done = 0;
        fixed (byte* start = destination)
        {
            while (done < destination.Length)
            {
                var count = LibC.Read(file, start + done, (nuint)(destination.Length - done), offset + done);
                if (count == 0)
                {
                    break;
                }

                if (count > 0)
                {
                    done += (int)count;
                }
                else if (!WasInterrupted)
                {
                    throw PosixException.OfLastError("read", path);
                }
            }
        }

        return done;
    }

    /// <summary>Writes all of <paramref name="content"/> at <paramref name="offset"/>.</summary>
    /// <exception cref="PosixException">A part could not be written.</exception>
    public static unsafe void Write(SafeFileHandle file, string path, long offset, ReadOnlySpan<byte> content)
    {
        fixed (byte* start = content)
        {
            var done = 0;
            while (done < content.Length)
            {
                var count = LibC.Write(file, start + done, (nuint)(content.Length - done), offset + done);
                if (count > 0)
                {
                    done += (int)count;
                }
                else if (count == 0 || !WasInterrupted)
                {
                    throw count == 0
                        ? new PosixException("write", path, Errno.NoSpace)
                        : PosixException.OfLastError("write", path);
                }
            }
        }
    }

    /// <summary>Sets the file's length.</summary>
    /// <exception cref="PosixException">It could not be set.</exception>
    public static void Truncate(SafeFileHandle file, string path, long length) =>
        Repeat(() => LibC.Truncate(file, length), "set the length of", path);

    /// <summary>Makes the file's bytes, length and attributes durable; of a directory, its entries.</summary>
    /// <exception cref="PosixException">They may not be durable. A repeated sync that succeeds proves nothing.</exception>
    public static void Sync(SafeFileHandle file, string path) => Repeat(() => LibC.Sync(file), "sync", path);

    /// <summary>Makes the file's bytes and length durable.</summary>
    /// <exception cref="PosixException">They may not be durable. A repeated sync that succeeds proves nothing.</exception>
    public static void SyncData(SafeFileHandle file, string path) => Repeat(() => LibC.SyncData(file), "sync", path);

    /// <summary>Makes everything of the file's file system durable, other programs' files included.</summary>
    /// <remarks>Only where <see cref="CanSyncFileSystem"/> says so can it stand for a sync of each file.</remarks>
    /// <exception cref="PosixException">It may not be durable.</exception>
    public static void SyncFileSystem(SafeFileHandle file, string path) =>
        Repeat(() => LibC.SyncFileSystem(file), "sync the file system of", path);

    /// <summary>Sets when the file was last written, until it is written again; the file's owner may.</summary>
    /// <exception cref="PosixException">It could not be set.</exception>
    public static void SetModified(SafeFileHandle file, string path, DateTimeOffset time)
    {
        try
        {
            File.SetLastWriteTimeUtc(file, time.UtcDateTime);
        }
        catch (Exception failure) when (failure is UnauthorizedAccessException or IOException)
        {
            throw new PosixException("set the time of", path, failure is IOException ? Errno.Io : Errno.NotPermitted);
        }
    }

    /// <summary>True when <see cref="SyncFileSystem"/> on this file makes all files and directories of its file system
    /// durable and reports what it could not write, so that it can stand for a sync of each.</summary>
    /// <exception cref="PosixException">The file system could not be asked.</exception>
    public static unsafe bool CanSyncFileSystem(SafeFileHandle file, string path)
    {
        var buffer = stackalloc byte[StatusSize];
        return LibC.FileSystemStatus(file, buffer) == 0
            ? ReportsErrors && SyncedAsAWhole.Contains(MemoryMarshal.Read<long>(new ReadOnlySpan<byte>(buffer, 8)))
            : throw PosixException.OfLastError("look up the file system of", path);
    }

    /// <summary>Starts writing a range of buffered bytes to the disk, without waiting; makes nothing durable.</summary>
    /// <remarks>An error is left to the sync that follows.</remarks>
    public static void StartWriting(SafeFileHandle file, long offset, long length)
    {
        const uint Write = 2;
        _ = LibC.SyncFileRange(file, offset, length, Write);
    }

    /// <summary>Gives a file another name, replacing what has it.</summary>
    /// <exception cref="PosixException">It could not be renamed; both names are as before.</exception>
    public static void Rename(string source, string target) =>
        Repeat(() => LibC.Rename(source, target), $"rename {source} to", target);

    /// <summary>Gives a file another name unless something has it.</summary>
    /// <returns>False when the name is taken; the file then keeps its own.</returns>
    /// <exception cref="PosixException">It could not be renamed.</exception>
    public static bool TryRenameNew(string source, string target)
    {
        const uint NoReplace = 1;
        if (LibC.RenameAt2(LibC.AtCurrentDirectory, source, LibC.AtCurrentDirectory, target, NoReplace) == 0)
        {
            return true;
        }

        var errno = Marshal.GetLastPInvokeError();
        if (errno == Errno.Exists)
        {
            return false;
        }

        // NFS and older file systems know no such flag; a hard link is exclusive everywhere it exists.
        if (errno is not (Errno.Invalid or Errno.NotImplemented))
        {
            throw new PosixException($"rename {source} to", target, errno);
        }

        if (LibC.Link(source, target) < 0)
        {
            errno = Marshal.GetLastPInvokeError();
            return errno == Errno.Exists ? false : throw new PosixException($"link {source} to", target, errno);
        }

        Delete(source);
        return true;
    }

    /// <summary>Deletes a name.</summary>
    /// <returns>False when there was none.</returns>
    /// <exception cref="PosixException">It could not be deleted.</exception>
    public static bool Delete(string path)
    {
        if (LibC.Unlink(path) == 0)
        {
            return true;
        }

        var errno = Marshal.GetLastPInvokeError();
        return errno is Errno.NotFound or Errno.NotDirectory ? false : throw new PosixException("delete", path, errno);
    }

    /// <summary>Deletes a name on the way out of a failure, which stays the one that is reported.</summary>
    /// <returns>False when there was none or it could not be deleted; what is left is harmless to the caller.</returns>
    public static bool TryDelete(string path) => LibC.Unlink(path) == 0;

    private static bool WasInterrupted => Marshal.GetLastPInvokeError() == Errno.Interrupted;

    private static void Repeat(Func<int> call, string action, string path)
    {
        while (call() < 0)
        {
            if (!WasInterrupted)
            {
                throw PosixException.OfLastError(action, path);
            }
        }
    }
}
