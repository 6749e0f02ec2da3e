using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Benji.Mount.Kernel;

/// <summary>The C library's functions that the mount needs, declared as they are; the other types of this folder wrap them.</summary>
/// <remarks>64-bit Linux only. The constants are equal on x86-64 and arm64.</remarks>
internal static partial class LibC
{
    public const int OpenReadWrite = 2;
    public const int OpenCloseOnExec = 0x80000;
    public const int OpenPath = 0x200000;
    public const int OpenRead = 0;

    private const string Library = "libc";

    [LibraryImport(Library, EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial SafeFileHandle Open(string path, int flags);

    [LibraryImport(Library, EntryPoint = "read", SetLastError = true)]
    public static unsafe partial nint Read(SafeFileHandle file, byte* buffer, nuint length);

    [LibraryImport(Library, EntryPoint = "writev", SetLastError = true)]
    public static unsafe partial nint WriteVectors(SafeFileHandle file, IoVector* vectors, int count);

    [LibraryImport(Library, EntryPoint = "mount", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int Mount(string source, string target, string type, ulong flags, string data);

    [LibraryImport(Library, EntryPoint = "umount2", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int Unmount(string target, int flags);

    [LibraryImport(Library, EntryPoint = "socketpair", SetLastError = true)]
    public static unsafe partial int SocketPair(int domain, int type, int protocol, int* sockets);

    [LibraryImport(Library, EntryPoint = "recvmsg", SetLastError = true)]
    public static unsafe partial nint ReceiveMessage(SafeFileHandle socket, MessageHeader* message, int flags);

    [LibraryImport(Library, EntryPoint = "fcntl", SetLastError = true)]
    public static partial int ControlDescriptor(SafeFileHandle file, int command, nint argument);

    [LibraryImport(Library, EntryPoint = "fstatfs", SetLastError = true)]
    public static unsafe partial int FileSystemStatus(SafeFileHandle file, byte* status);

    [LibraryImport(Library, EntryPoint = "syncfs", SetLastError = true)]
    public static partial int SyncFileSystem(SafeFileHandle file);

    [LibraryImport(Library, EntryPoint = "realpath", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial nint RealPath(string path, nint result);

    [LibraryImport(Library, EntryPoint = "free")]
    public static partial void Free(nint memory);

    [LibraryImport(Library, EntryPoint = "geteuid")]
    public static partial uint EffectiveUser();

    [LibraryImport(Library, EntryPoint = "getegid")]
    public static partial uint EffectiveGroup();

    [LibraryImport(Library, EntryPoint = "gettid")]
    public static partial int ThreadId();
}

/// <summary>One run of bytes to send: struct iovec.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct IoVector
{
    /// <summary>The first byte.</summary>
    public void* Start;

    /// <summary>Bytes.</summary>
    public nuint Length;
}

/// <summary>A message of a socket: struct msghdr, the same in glibc on x86-64 and arm64.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct MessageHeader
{
    /// <summary>Unused.</summary>
    public void* Name;

    /// <summary>Unused.</summary>
    public uint NameLength;

    /// <summary>Where the bytes go.</summary>
    public IoVector* Vectors;

    /// <summary>How many of those.</summary>
    public nuint VectorCount;

    /// <summary>Where descriptors go.</summary>
    public byte* Control;

    /// <summary>Bytes of room there.</summary>
    public nuint ControlLength;

    /// <summary>Flags of the message.</summary>
    public int Flags;
}
