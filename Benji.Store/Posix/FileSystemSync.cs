using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Benji.Store.Posix;

/// <summary>Knows on which file systems one sync of the whole can stand for a sync of each file.</summary>
internal static class FileSystemSync
{
    private const int StructureSize = 256;

    // statfs(2), f_type: ext2 to ext4, XFS, Btrfs, F2FS. Others are left out on purpose: on a file system in user space
    // the whole sync does not reach the server.
    private static readonly long[] Known = [0xef53, 0x58465342, 0x9123683e, 0xf2f52010];

    // Before Linux 5.8 syncfs(2) did not report that bytes could not be written.
    private static readonly bool IsReported = Environment.OSVersion.Version >= new Version(5, 8);

    /// <summary>True when <see cref="PosixFile.SyncFileSystem"/> on this file makes all files and directories of its file
    /// system durable and reports what it could not write.</summary>
    /// <exception cref="PosixException">The file system could not be asked.</exception>
    public static unsafe bool IsWholeAndReported(SafeFileHandle file, string path)
    {
        var buffer = stackalloc byte[StructureSize];
        return LibC.FileSystemStatus(file, buffer) == 0
            ? IsReported && Known.Contains(MemoryMarshal.Read<long>(new ReadOnlySpan<byte>(buffer, sizeof(long))))
            : throw PosixException.OfLastError("look up the file system of", path);
    }
}
