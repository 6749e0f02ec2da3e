using System.Globalization;
using System.Runtime.InteropServices;
using Benji.Nbd;
using Benji.Store.Model;

namespace Benji.Cli.Services;

/// <summary>Reads who may connect to a unix socket: an octal mode and a group.</summary>
internal static partial class SocketAccessReader
{
    private const int OwnMode = 0x180; // 0600
    private const int Mask = 0x1B6; // 0666
    private const int OthersMask = 0x6; // 0006

    /// <summary>Reads the values of the options.</summary>
    /// <param name="socket">The path of the socket; null for none.</param>
    /// <param name="mode">The mode; null for the default.</param>
    /// <param name="group">The group; null for the default.</param>
    /// <param name="isInsecure">True when everybody may be let in.</param>
    /// <exception cref="UsageException">A value is not valid, or there is no socket.</exception>
    public static SocketAccess Read(string? socket, string? mode, string? group, bool isInsecure)
    {
        if (socket is null && (mode ?? group) is not null)
        {
            throw new UsageException("--socket-mode and --socket-group belong to a --socket.");
        }

        // A group that may not connect is not what anybody means.
        var bits = mode is null ? (group is null ? OwnMode : OwnMode | 0x30) : ParseMode(mode);
        return (bits & OthersMask) == 0 || isInsecure
            ? new SocketAccess { Mode = (UnixFileMode)bits, Group = group is null ? null : ParseGroup(group) }
            : throw new UsageException(
                $"--socket-mode {Names.Show(mode!)} lets every user of this machine read every disk: use --socket-group, or say "
                + "--insecure.");
    }

    private static int ParseMode(string text)
    {
        var bits = 0;
        foreach (var digit in text)
        {
            bits = digit is >= '0' and <= '7' && bits <= Mask ? (bits * 8) + digit - '0' : int.MaxValue;
        }

        return text.Length > 0 && (bits & ~Mask) == 0 && (bits & OwnMode) == OwnMode
            ? bits
            : throw new UsageException($"--socket-mode {Names.Show(text)} is not a mode of a socket: write 600 or 660.");
    }

    private static unsafe uint ParseGroup(string text)
    {
        if (uint.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number))
        {
            return number;
        }

        // struct group, grp.h: the name, the password, the number, the members. Nobody else asks at the same time.
        var found = FindGroup(text);
        return found == 0
            ? throw new UsageException($"There is no group {Names.Show(text)} (--socket-group).")
            : *(uint*)(found + (2 * sizeof(nint)));
    }

    [LibraryImport("libc", EntryPoint = "getgrnam", StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint FindGroup(string name);
}
