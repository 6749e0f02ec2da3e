using System.Globalization;
using Microsoft.Win32.SafeHandles;

namespace Benji.Cli.Services;

/// <summary>The descriptors that a service manager hands over at the start: sockets it listens on, and those it has held.</summary>
/// <remarks>Protocol: sd_listen_fds(3) of systemd. They are numbered from 3 on.</remarks>
internal static partial class HeldDescriptors
{
    private const int First = 3;
    private const int Most = 64;
    private const int SetFlags = 2; // F_SETFD
    private const int CloseOnExec = 1;

    /// <summary>Takes those whose names begin with a text; the others are left alone.</summary>
    /// <param name="variable">Returns an environment variable.</param>
    /// <param name="beginning">How the names begin.</param>
    /// <returns>Names and descriptors, which now belong to the caller; empty when none are meant for this process.</returns>
    public static IReadOnlyList<(string Name, SafeFileHandle Descriptor)> Take(
        Func<string, string?> variable, string beginning)
    {
        var taken = new List<(string, SafeFileHandle)>();
        if (Number(variable("LISTEN_PID")) != Environment.ProcessId || Number(variable("LISTEN_FDS")) is not { } count)
        {
            return taken;
        }

        var names = (variable("LISTEN_FDNAMES") ?? "").Split(':');
        for (var index = 0; index < Math.Min(count, Math.Min(names.Length, Most)); index++)
        {
            if (names[index].StartsWith(beginning, StringComparison.Ordinal))
            {
                // No program that this one starts may keep the connection open.
                _ = Control(First + index, SetFlags, CloseOnExec);
                taken.Add((names[index], new SafeFileHandle(First + index, ownsHandle: true)));
            }
        }

        return taken;
    }

    private static int? Number(string? text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;

    [System.Runtime.InteropServices.LibraryImport("libc", EntryPoint = "fcntl", SetLastError = true)]
    private static partial int Control(int descriptor, int command, int argument);
}
