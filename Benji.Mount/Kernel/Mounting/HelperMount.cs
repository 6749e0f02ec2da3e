using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Benji.Mount.Kernel.Mounting;

/// <summary>Mounts and unmounts by fusermount3, which may do it for users that are not root.</summary>
/// <remarks>It sends the device it opened over a socket whose number is in _FUSE_COMMFD.</remarks>
internal static class HelperMount
{
    private const string Program = "fusermount3";
    private const string SocketVariable = "_FUSE_COMMFD";
    private const int UnixDomain = 1; // AF_UNIX
    private const int StreamCloseOnExec = 1 | 0x80000; // SOCK_STREAM | SOCK_CLOEXEC
    private const int SetDescriptorFlags = 2; // F_SETFD

    // A process started meanwhile would inherit the socket, and its end would not be seen.
    private static readonly Lock InheritanceLock = new();

    /// <summary>Mounts.</summary>
    /// <exception cref="MountFailedException">The helper is missing or refused.</exception>
    public static FuseDevice Mount(MountRequest request)
    {
        var (own, other) = SocketPair();
        using (own)
        using (other)
        {
            List<string> options = ["nosuid", "nodev", "default_permissions", $"fsname={request.Source}", "subtype=benji"];
            if (request.IsReadOnly)
            {
                options.Add("ro");
            }

            if (request.AllowOther)
            {
                options.Add("allow_other");
            }

            using var helper = Start(["-o", string.Join(',', options), "--", request.MountPoint], other);
            var device = Descriptors.Receive(own);
            try
            {
                var errors = helper.StandardError.ReadToEnd();
                helper.WaitForExit();
                var mounted = new FuseDevice(device ?? throw new MountFailedException(Explain(request, errors)));
                device = null;
                return mounted;
            }
            finally
            {
                device?.Dispose();
            }
        }
    }

    /// <summary>Takes a mount out of sight.</summary>
    /// <exception cref="MountFailedException">The helper is missing or refused.</exception>
    public static void Detach(string mountPoint)
    {
        using var helper = Start(["-u", "-z", "-q", "--", mountPoint], socket: null);
        var errors = helper.StandardError.ReadToEnd();
        helper.WaitForExit();
        if (helper.ExitCode != 0)
        {
            throw new MountFailedException($"Cannot unmount {mountPoint}: {FirstLine(errors)}");
        }
    }

    private static Process Start(IEnumerable<string> arguments, SafeFileHandle? socket)
    {
        var start = new ProcessStartInfo(Program, arguments) { RedirectStandardError = true };
        try
        {
            lock (InheritanceLock)
            {
                if (socket is null)
                {
                    return Process.Start(start)!;
                }

                start.Environment[SocketVariable] =
                    socket.DangerousGetHandle().ToString(CultureInfo.InvariantCulture);
                _ = LibC.ControlDescriptor(socket, SetDescriptorFlags, 0);
                var helper = Process.Start(start)!;
                socket.Dispose();
                return helper;
            }
        }
        catch (Win32Exception missing)
        {
            throw new MountFailedException(
                $"Cannot run {Program}: {missing.Message}. Install the package fuse3, or mount as root.", missing);
        }
    }

    private static unsafe (SafeFileHandle Own, SafeFileHandle Other) SocketPair()
    {
        var sockets = stackalloc int[2];
        if (LibC.SocketPair(UnixDomain, StreamCloseOnExec, 0, sockets) < 0)
        {
            throw new MountFailedException($"Cannot make a socket: {Errno.Describe(Marshal.GetLastPInvokeError())}.");
        }

        return (new SafeFileHandle(sockets[0], ownsHandle: true), new SafeFileHandle(sockets[1], ownsHandle: true));
    }

    private static string Explain(MountRequest request, string errors)
    {
        var reason = FirstLine(errors);
        return reason.Contains("user_allow_other", StringComparison.Ordinal)
            ? "The option allow_other is not allowed: leave it out, or add the line user_allow_other to /etc/fuse.conf."
            : $"Cannot mount on {request.MountPoint}: {reason}";
    }

    private static string FirstLine(string errors)
    {
        var line = errors.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
            .FirstOrDefault() ?? $"{Program} did not say why.";
        var name = $"{Program}: ";
        return line.StartsWith(name, StringComparison.Ordinal) ? line[name.Length..] : line;
    }
}
