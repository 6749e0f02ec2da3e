using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Benji.Store.Posix;

/// <summary>Asks a block device for its facts, and discards or zeroes ranges of it.</summary>
/// <remarks>The request numbers are of linux/fs.h and equal on x86-64 and arm64.</remarks>
internal static class BlockDevice
{
    private const nuint GetSize64 = 0x80081272;
    private const nuint GetSectorSize = 0x1268;
    private const nuint DiscardRange = 0x1277;
    private const nuint ZeroOutRange = 0x127f;

    /// <summary>True when a path leads to a block device; false when it leads to anything else or nothing.</summary>
    /// <exception cref="PosixException">It could not be looked up.</exception>
    public static bool IsBlockDevice(string path) =>
        FileStatus.Find(path, followLink: true)?.Kind == FileKind.BlockDevice;

    /// <summary>True when an open file is a block device.</summary>
    public static bool IsBlockDevice(SafeFileHandle file) =>
        FileStatus.Of(file, "the open file").Kind == FileKind.BlockDevice;

    /// <summary>Opens a device for reading and writing and claims it, so that nobody mounts or claims it meanwhile.</summary>
    /// <exception cref="PosixException">EBUSY when it, or a partition of it, is mounted or claimed; see
    /// <see cref="Paths.DeviceUse"/> for by what.</exception>
    public static SafeFileHandle OpenExclusive(string path) =>
        PosixFile.Open(path, OpenFlags.ReadWrite | OpenFlags.Exclusive);

    /// <summary>Returns the device's size in bytes.</summary>
    /// <exception cref="PosixException">It is no block device.</exception>
    public static unsafe long Size(SafeFileHandle device)
    {
        ulong size;
        return LibC.Control(device, GetSize64, &size) == 0
            ? checked((long)size)
            : throw PosixException.OfLastError("get the size of", "the block device");
    }

    /// <summary>Returns the bytes of a logical sector: the grain of direct input and output, discards and zeroing.</summary>
    /// <exception cref="PosixException">It is no block device.</exception>
    public static unsafe int SectorSize(SafeFileHandle device)
    {
        int size;
        return LibC.Control(device, GetSectorSize, &size) == 0
            ? size
            : throw PosixException.OfLastError("get the sector size of", "the block device");
    }

    /// <summary>Tells the device that a range is not needed; what it then reads as is undefined.</summary>
    /// <param name="device">Open for writing.</param>
    /// <param name="offset">A multiple of the sector size.</param>
    /// <param name="length">A multiple of the sector size.</param>
    /// <returns>False when the device cannot.</returns>
    /// <exception cref="PosixException">It failed.</exception>
    public static bool Discard(SafeFileHandle device, long offset, long length) =>
        Change(device, DiscardRange, offset, length, "discard a range of");

    /// <summary>Makes a range read as zeros, by the device's own means or by writing them.</summary>
    /// <param name="device">Open for writing.</param>
    /// <param name="offset">A multiple of the sector size.</param>
    /// <param name="length">A multiple of the sector size.</param>
    /// <returns>False when the device cannot.</returns>
    /// <exception cref="PosixException">It failed.</exception>
    public static bool ZeroOut(SafeFileHandle device, long offset, long length) =>
        Change(device, ZeroOutRange, offset, length, "zero a range of");

    private static unsafe bool Change(SafeFileHandle device, nuint request, long offset, long length, string action)
    {
        var range = stackalloc ulong[2] { (ulong)offset, (ulong)length };
        while (LibC.Control(device, request, range) < 0)
        {
            var errno = Marshal.GetLastPInvokeError();
            if (errno is Errno.NotSupported or Errno.NotTerminal)
            {
                return false;
            }

            if (errno != Errno.Interrupted)
            {
                throw new PosixException(action, "the block device", errno);
            }
        }

        return true;
    }
}
