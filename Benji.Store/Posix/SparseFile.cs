using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Benji.Store.Posix;

/// <summary>Finds and makes the holes of a file: ranges that read as zeros and take no space.</summary>
/// <remarks>The searches move the handle's own position, which nothing in this program uses. Safe for concurrent calls.
/// </remarks>
internal static class SparseFile
{
    private const int SeekData = 3;
    private const int SeekHole = 4;
    private const int KeepSize = 0x01;
    private const int PunchHoleMode = 0x02;
    private const int ZeroRangeMode = 0x10;

    /// <summary>Finds the first byte at or behind <paramref name="offset"/> that may be other than zero.</summary>
    /// <returns>Its offset, or -1 when only holes follow or the file ends at or before <paramref name="offset"/>. A file
    /// system that cannot tell answers <paramref name="offset"/>.</returns>
    /// <exception cref="PosixException">It could not be told.</exception>
    public static long FindData(SafeFileHandle file, long offset) =>
        Find(file, offset, SeekData) ?? offset;

    /// <summary>Finds the first hole at or behind <paramref name="offset"/>; the end of the file counts as one.</summary>
    /// <returns>Its offset, or -1 when the file ends at or before <paramref name="offset"/>.</returns>
    /// <exception cref="PosixException">It could not be told.</exception>
    public static long FindHole(SafeFileHandle file, long offset) =>
        Find(file, offset, SeekHole) ?? RandomAccess.GetLength(file);

    /// <summary>Makes a range a hole; the file keeps its size.</summary>
    /// <param name="file">Open for writing: a regular file, or a block device and a range of whole sectors.</param>
    /// <param name="offset">At least 0. Parts of a file system block at either end are zeroed instead.</param>
    /// <param name="length">At least 1. What lies behind the end of the file is left out.</param>
    /// <returns>False when the file system cannot; the range is then unchanged.</returns>
    /// <exception cref="PosixException">It failed; the range may be zeroed in part.</exception>
    public static bool PunchHole(SafeFileHandle file, long offset, long length) =>
        Allocate(file, PunchHoleMode | KeepSize, offset, length, "punch a hole in");

    /// <summary>Makes a range read as zeros and keeps its space reserved; the file keeps its size.</summary>
    /// <returns>False when the file system cannot; the range is then unchanged.</returns>
    /// <exception cref="PosixException">It failed; the range may be zeroed in part.</exception>
    public static bool ZeroRange(SafeFileHandle file, long offset, long length) =>
        Allocate(file, ZeroRangeMode | KeepSize, offset, length, "zero a range of");

    /// <summary>Takes space for a range whose bytes stay as they are; the file keeps its size.</summary>
    /// <returns>False when the file system cannot; the range is then unchanged.</returns>
    /// <exception cref="PosixException">There is no space, or it failed; a part may be reserved.</exception>
    public static bool Reserve(SafeFileHandle file, long offset, long length) =>
        Allocate(file, KeepSize, offset, length, "reserve space in");

    /// <summary>Takes space for a file's first bytes, and makes the file as long where it is shorter.</summary>
    /// <returns>False when the file system cannot; the file is then unchanged.</returns>
    /// <exception cref="PosixException">There is no space, or it failed; the file may be longer.</exception>
    public static bool Extend(SafeFileHandle file, long length) => Allocate(file, 0, 0, length, "take space for");

    // Null means that the file system knows no holes.
    private static long? Find(SafeFileHandle file, long offset, int whence)
    {
        var found = LibC.Seek(file, offset, whence);
        if (found >= 0)
        {
            return found;
        }

        return Marshal.GetLastPInvokeError() switch
        {
            Errno.NoSuchAddress => -1,
            Errno.Invalid or Errno.NotSupported => offset < RandomAccess.GetLength(file) ? null : -1,
            var errno => throw new PosixException("find holes in", "the file", errno),
        };
    }

    private static bool Allocate(SafeFileHandle file, int mode, long offset, long length, string action)
    {
        while (LibC.Allocate(file, mode, offset, length) < 0)
        {
            var errno = Marshal.GetLastPInvokeError();
            if (errno is Errno.NotSupported or Errno.NotImplemented or Errno.NoDevice)
            {
                return false;
            }

            if (errno != Errno.Interrupted)
            {
                throw new PosixException(action, "the file", errno);
            }
        }

        return true;
    }
}
