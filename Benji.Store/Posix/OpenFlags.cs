using System.Runtime.InteropServices;

namespace Benji.Store.Posix;

/// <summary>How a file is opened, independent of the processor; <see cref="PosixFile.Open"/> translates it.</summary>
[Flags]
internal enum OpenFlags
{
    /// <summary>For reading only.</summary>
    Read = 0,

    /// <summary>For writing only.</summary>
    Write = 1,

    /// <summary>For reading and writing.</summary>
    ReadWrite = 2,

    /// <summary>Creates the file when it is missing.</summary>
    Create = 4,

    /// <summary>With <see cref="Create"/>: fails when the name exists. Alone on a block device: fails with EBUSY when the
    /// device is mounted or otherwise claimed, and claims it.</summary>
    Exclusive = 8,

    /// <summary>Empties the file.</summary>
    Truncate = 16,

    /// <summary>Bypasses the page cache; memory, offset and length must be aligned.</summary>
    Direct = 32,

    /// <summary>Fails unless it is a directory.</summary>
    Directory = 64,

    /// <summary>Fails with ELOOP when the last part of the path is a symbolic link.</summary>
    NoFollow = 128,

    /// <summary>Does not wait on a device or pipe that is not ready to be opened.</summary>
    NoWait = 256,

    /// <summary>Opens nothing: the descriptor stands for the place alone, and its bytes cannot be read (O_PATH).</summary>
    Place = 512,
}

/// <summary>Translates <see cref="OpenFlags"/> to the numbers of this processor's Linux.</summary>
internal static class NativeOpenFlags
{
    private const int CloseOnExec = 0x80000;

    // Linux numbers these three differently on arm64 (arch/arm64/include/uapi/asm/fcntl.h).
    private static readonly bool IsArm64 = RuntimeInformation.ProcessArchitecture == Architecture.Arm64;

    /// <summary>Returns the flags of open(2), close-on-exec included.</summary>
    public static int Of(OpenFlags flags)
    {
        var native = CloseOnExec | ((int)flags & 3);
        native |= flags.HasFlag(OpenFlags.Create) ? 0x40 : 0;
        native |= flags.HasFlag(OpenFlags.Exclusive) ? 0x80 : 0;
        native |= flags.HasFlag(OpenFlags.Truncate) ? 0x200 : 0;
        native |= flags.HasFlag(OpenFlags.NoWait) ? 0x800 : 0;
        native |= flags.HasFlag(OpenFlags.Place) ? 0x200000 : 0;
        native |= flags.HasFlag(OpenFlags.Direct) ? IsArm64 ? 0x10000 : 0x4000 : 0;
        native |= flags.HasFlag(OpenFlags.Directory) ? IsArm64 ? 0x4000 : 0x10000 : 0;
        native |= flags.HasFlag(OpenFlags.NoFollow) ? IsArm64 ? 0x8000 : 0x20000 : 0;
        return native;
    }
}
