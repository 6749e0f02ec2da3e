using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Benji.Store.Posix;

/// <summary>What a name stands for.</summary>
internal enum FileKind
{
    /// <summary>A pipe, a socket, a character device.</summary>
    Other,

    /// <summary>A regular file.</summary>
    Regular,

    /// <summary>A directory.</summary>
    Directory,

    /// <summary>A symbolic link.</summary>
    SymbolicLink,

    /// <summary>A block device.</summary>
    BlockDevice,
}

/// <summary>The number of a device: which driver, and which of its devices.</summary>
internal readonly record struct DeviceNumber(uint Major, uint Minor)
{
    /// <summary>Returns <c>major:minor</c>, as in /sys/dev/block.</summary>
    public override string ToString() => string.Create(
        System.Globalization.CultureInfo.InvariantCulture, $"{Major}:{Minor}");
}

/// <summary>What the kernel says of a file without reading it.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Mode">Its permission bits.</param>
/// <param name="Size">Bytes of a regular file; 0 for a block device.</param>
/// <param name="AllocatedBytes">Bytes on the disk, holes apart.</param>
/// <param name="Modified">When its bytes last changed, UTC.</param>
/// <param name="Inode">Its number within its file system.</param>
/// <param name="FileSystem">The file system that it is in.</param>
/// <param name="Device">The device that it is, for a device file.</param>
/// <param name="Links">How many names it has.</param>
/// <param name="Owner">The number of the user it belongs to.</param>
internal readonly record struct FileStatus(
    FileKind Kind,
    UnixFileMode Mode,
    long Size,
    long AllocatedBytes,
    DateTimeOffset Modified,
    ulong Inode,
    DeviceNumber FileSystem,
    DeviceNumber Device,
    uint Links = 1,
    uint Owner = 0)
{
    // struct statx, linux/stat.h: the same on every processor. The mask asks for what stat(2) gives.
    private const int StructureSize = 256;
    private const uint BasicMask = 0x7ff;

    /// <summary>Returns the status of what a path leads to, or null when there is nothing.</summary>
    /// <param name="path">The path.</param>
    /// <param name="followLink">False to see a symbolic link itself.</param>
    /// <exception cref="PosixException">It could not be told.</exception>
    public static unsafe FileStatus? Find(string path, bool followLink)
    {
        var buffer = stackalloc byte[StructureSize];
        var flags = followLink ? 0 : LibC.AtNoFollow;
        if (LibC.Status(LibC.AtCurrentDirectory, path, flags, BasicMask, buffer) == 0)
        {
            return Parse(new ReadOnlySpan<byte>(buffer, StructureSize));
        }

        var errno = Marshal.GetLastPInvokeError();
        return errno is Errno.NotFound or Errno.NotDirectory ? null : throw new PosixException("look up", path, errno);
    }

    /// <summary>Returns the status of a name in an open directory, of a symbolic link itself; null when there is nothing.</summary>
    /// <param name="directory">The directory.</param>
    /// <param name="name">One name, without a slash.</param>
    /// <param name="path">The whole path, for messages.</param>
    /// <exception cref="PosixException">It could not be told.</exception>
    public static unsafe FileStatus? FindIn(SafeFileHandle directory, string name, string path)
    {
        var buffer = stackalloc byte[StructureSize];
        if (LibC.Status(directory, name, LibC.AtNoFollow, BasicMask, buffer) == 0)
        {
            return Parse(new ReadOnlySpan<byte>(buffer, StructureSize));
        }

        var errno = Marshal.GetLastPInvokeError();
        return errno == Errno.NotFound ? null : throw new PosixException("look up", path, errno);
    }

    /// <summary>Returns the status of an open file.</summary>
    /// <exception cref="PosixException">It could not be told.</exception>
    public static unsafe FileStatus Of(SafeFileHandle file, string path)
    {
        var buffer = stackalloc byte[StructureSize];
        return LibC.Status(file, "", LibC.AtEmptyPath, BasicMask, buffer) == 0
            ? Parse(new ReadOnlySpan<byte>(buffer, StructureSize))
            : throw PosixException.OfLastError("look up", path);
    }

    private static FileStatus Parse(ReadOnlySpan<byte> statx)
    {
        var mode = MemoryMarshal.Read<ushort>(statx[28..]);
        var kind = (mode & 0xf000) switch
        {
            0x8000 => FileKind.Regular,
            0x4000 => FileKind.Directory,
            0xa000 => FileKind.SymbolicLink,
            0x6000 => FileKind.BlockDevice,
            _ => FileKind.Other,
        };

        // stx_mtime: seconds, then nanoseconds; a clock tick of .NET is 100 of them.
        var ticks = (MemoryMarshal.Read<long>(statx[112..]) * TimeSpan.TicksPerSecond)
            + (MemoryMarshal.Read<uint>(statx[120..]) / 100);
        return new FileStatus(
            kind,
            (UnixFileMode)(mode & 0xfff),
            checked((long)MemoryMarshal.Read<ulong>(statx[40..])),
            checked((long)MemoryMarshal.Read<ulong>(statx[48..]) * 512),
            DateTimeOffset.UnixEpoch.AddTicks(ticks),
            MemoryMarshal.Read<ulong>(statx[32..]),
            new DeviceNumber(MemoryMarshal.Read<uint>(statx[136..]), MemoryMarshal.Read<uint>(statx[140..])),
            new DeviceNumber(MemoryMarshal.Read<uint>(statx[128..]), MemoryMarshal.Read<uint>(statx[132..])),
            MemoryMarshal.Read<uint>(statx[16..]),
            MemoryMarshal.Read<uint>(statx[20..]));
    }
}
