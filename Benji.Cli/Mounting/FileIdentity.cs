using System.ComponentModel;
using System.Runtime.InteropServices;

namespace Benji.Cli.Mounting;

/// <summary>Which file a path leads to, whatever its name: its device and its number there.</summary>
/// <param name="Device">Major and minor number of the file system.</param>
/// <param name="Inode">The number of the file in it.</param>
/// <param name="IsDirectory">True for a directory.</param>
/// <param name="Owner">The user that owns it.</param>
internal readonly record struct FileIdentity((uint Major, uint Minor) Device, ulong Inode, bool IsDirectory, uint Owner)
{
    // struct statx, linux/stat.h: the same on every processor. The mask asks for what stat(2) gives.
    private const int StructureSize = 256;
    private const uint BasicMask = 0x7ff;

    /// <summary>Returns the identity of what a path leads to, or null when there is nothing.</summary>
    /// <exception cref="IOException">It could not be told; <see cref="Exception.HResult"/> is the error number.</exception>
    public static FileIdentity? Find(string path, bool followLink = true)
    {
        var error = TryFind(path, followLink ? 0 : LibC.AtNoFollow, out var identity);
        return error switch
        {
            0 => identity,
            LibC.NotFound or LibC.NotDirectory => null,
            _ => throw new IOException($"Could not look at {path}: {new Win32Exception(error).Message}.", error),
        };
    }

    /// <summary>True when a mount stands at the path whose server is gone; the kernel is not to answer from memory.</summary>
    public static bool IsDisconnected(string path) =>
        TryFind(path, LibC.AtNoFollow | LibC.AtForceSync, out _) is LibC.NotConnected or LibC.ConnectionAborted;

    /// <summary>Returns the path without symbolic links; its end may not exist yet.</summary>
    public static string Resolve(string path)
    {
        var full = Path.GetFullPath(path);
        var pointer = LibC.RealPath(full, 0);
        if (pointer != 0)
        {
            try
            {
                return Marshal.PtrToStringUTF8(pointer)!;
            }
            finally
            {
                LibC.Free(pointer);
            }
        }

        var parent = Path.GetDirectoryName(full);
        return parent is null ? full : Path.Combine(Resolve(parent), Path.GetFileName(full));
    }

    /// <summary>Returns the error number, 0 for none.</summary>
    private static unsafe int TryFind(string path, int flags, out FileIdentity identity)
    {
        var buffer = stackalloc byte[StructureSize];
        identity = default;
        if (LibC.Status(LibC.AtCurrentDirectory, path, flags, BasicMask, buffer) != 0)
        {
            return Marshal.GetLastPInvokeError();
        }

        var statx = new ReadOnlySpan<byte>(buffer, StructureSize);
        identity = new FileIdentity(
            (MemoryMarshal.Read<uint>(statx[136..]), MemoryMarshal.Read<uint>(statx[140..])),
            MemoryMarshal.Read<ulong>(statx[32..]),
            (MemoryMarshal.Read<ushort>(statx[28..]) & 0xf000) == 0x4000,
            MemoryMarshal.Read<uint>(statx[20..]));
        return 0;
    }
}
