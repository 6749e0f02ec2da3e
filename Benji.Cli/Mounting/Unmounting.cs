using System.ComponentModel;
using System.Diagnostics;
using System.Runtime.InteropServices;
using Benji.Store.Model;

namespace Benji.Cli.Mounting;

/// <summary>Takes mounts away: by umount2(2), or with fusermount3 where that is not allowed.</summary>
internal static class Unmounting
{
    /// <summary>Unmounts what nobody has open.</summary>
    /// <returns>False when a file in it is open or it is somebody's current directory.</returns>
    /// <exception cref="NotAllowedException">This user may not unmount it.</exception>
    public static bool TryUnmount(string mountPoint) => TryUnmount(mountPoint, isLazy: false);

    /// <summary>Takes the mount out of sight at once; it ends when its last file is closed.</summary>
    /// <exception cref="NotAllowedException">This user may not unmount it.</exception>
    public static void Detach(string mountPoint) => TryUnmount(mountPoint, isLazy: true);

    private static bool TryUnmount(string mountPoint, bool isLazy)
    {
        if (LibC.Unmount(mountPoint, LibC.DoNotFollow | (isLazy ? LibC.Detach : 0)) == 0)
        {
            return true;
        }

        var error = Marshal.GetLastPInvokeError();
        return error switch
        {
            LibC.Busy => false,
            LibC.Invalid => true, // unmounted by somebody else meanwhile
            LibC.NotPermitted => TryUnmountAsUser(mountPoint, isLazy),
            _ => throw new IOException($"Could not unmount {mountPoint}: {new Win32Exception(error).Message}."),
        };
    }

    private static bool TryUnmountAsUser(string mountPoint, bool isLazy)
    {
        string[] arguments = isLazy ? ["-u", "-z", "-q", "--", mountPoint] : ["-u", "-q", "--", mountPoint];
        try
        {
            using var process = Process.Start(new ProcessStartInfo("fusermount3", arguments) { RedirectStandardError = true })!;
            var message = process.StandardError.ReadToEnd().Trim();
            process.WaitForExit();
            return process.ExitCode == 0
                || (message.Contains("busy", StringComparison.OrdinalIgnoreCase) && !isLazy
                    ? false
                    : throw new NotAllowedException($"{mountPoint} is not yours to unmount: {message}"));
        }
        catch (Win32Exception cause)
        {
            throw new NotAllowedException(
                $"Only root can unmount {mountPoint} here, because fusermount3 is missing: install the package fuse3.", cause);
        }
    }
}
