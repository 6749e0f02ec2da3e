using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Benji.Store.Posix.Directories;

/// <summary>Opens a path below an open directory without following a symbolic link: in one call where the kernel has
/// openat2(2), else directory by directory.</summary>
/// <remarks>Both ways open the same and fail with the same error numbers, except that a link may be ENOTDIR or ELOOP; <see
/// cref="RootDirectory"/> looks which it was. Mounts below the directory are entered.</remarks>
internal static class OpenBelow
{
    // linux/openat2.h: the number is the same on every processor.
    private const nint OpenAt2 = 437;
    private const ulong NoMagicLinks = 0x02;
    private const ulong NoSymbolicLinks = 0x04;
    private const ulong Beneath = 0x08;

    /// <summary>True when the kernel has the call; a filter of system calls may hide it with another error number.</summary>
    public static bool IsOneCall(SafeFileHandle directory)
    {
        var descriptor = InOneCall(directory, ".", OpenFlags.PathOnly | OpenFlags.Directory, 0);
        using var file = new SafeFileHandle(descriptor, ownsHandle: true);
        return descriptor >= 0;
    }

    /// <summary>Opens in one call.</summary>
    /// <returns>The descriptor, or a negative number with the error number set.</returns>
    public static unsafe int InOneCall(SafeFileHandle directory, string path, OpenFlags flags, UnixFileMode mode)
    {
        // struct open_how: flags, mode, resolve. A mode without a creation is refused.
        var how = stackalloc ulong[3];
        how[0] = (uint)NativeOpenFlags.Of(flags);
        how[1] = flags.HasFlag(OpenFlags.Create) ? (uint)mode : 0;
        how[2] = Beneath | NoSymbolicLinks | NoMagicLinks;
        nint descriptor;
        do
        {
            descriptor = LibC.OpenAt2(OpenAt2, directory, path, how, 3 * sizeof(ulong));
        }
        while (descriptor < 0 && Marshal.GetLastPInvokeError() == Errno.Interrupted);

        return (int)descriptor;
    }

    /// <summary>Opens directory by directory.</summary>
    /// <returns>The descriptor, or a negative number with the error number set.</returns>
    public static int StepByStep(SafeFileHandle directory, string path, OpenFlags flags, UnixFileMode mode)
    {
        var slash = path.IndexOf('/', StringComparison.Ordinal);
        if (slash < 0)
        {
            return Step(directory, path, flags, mode);
        }

        var descriptor = Step(directory, path[..slash], OpenFlags.PathOnly | OpenFlags.Directory, 0);
        if (descriptor < 0)
        {
            return descriptor;
        }

        // A handle that is closed leaves the error number of this thread as it was.
        using var next = new SafeFileHandle(descriptor, ownsHandle: true);
        return StepByStep(next, path[(slash + 1)..], flags, mode);
    }

    private static int Step(SafeFileHandle directory, string name, OpenFlags flags, UnixFileMode mode)
    {
        int descriptor;
        do
        {
            descriptor = LibC.OpenAt(directory, name, NativeOpenFlags.Of(flags | OpenFlags.NoFollow), (uint)mode);
        }
        while (descriptor < 0 && Marshal.GetLastPInvokeError() == Errno.Interrupted);

        return descriptor;
    }
}
