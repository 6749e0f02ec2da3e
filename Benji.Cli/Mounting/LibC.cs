using System.Runtime.InteropServices;

namespace Benji.Cli.Mounting;

/// <summary>The calls of the C library that mount points need and .NET lacks.</summary>
internal static partial class LibC
{
    public const int AtCurrentDirectory = -100;
    public const int AtNoFollow = 0x100;
    public const int AtForceSync = 0x2000;
    public const int Detach = 2;
    public const int DoNotFollow = 8;

    public const int NotPermitted = 1;
    public const int NotFound = 2;
    public const int Busy = 16;
    public const int NotDirectory = 20;
    public const int Invalid = 22;
    public const int ConnectionAborted = 103;
    public const int NotConnected = 107;

    [LibraryImport("libc", EntryPoint = "statx", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    public static unsafe partial int Status(int directory, string path, int flags, uint mask, byte* result);

    [LibraryImport("libc", EntryPoint = "umount2", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    public static partial int Unmount(string path, int flags);

    [LibraryImport("libc", EntryPoint = "realpath", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    public static partial nint RealPath(string path, nint result);

    [LibraryImport("libc", EntryPoint = "free")]
    public static partial void Free(nint memory);

    [LibraryImport("libc", EntryPoint = "geteuid")]
    public static partial uint EffectiveUser();
}
