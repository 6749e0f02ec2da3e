using System.Globalization;

namespace Benji.Store.Posix;

/// <summary>Finds out who holds a lock of <see cref="FileLock"/>, for a person who waits for it.</summary>
/// <remarks>Source: proc_locks(5), proc_pid_cmdline(5). The device of /proc/locks is not that of stat(2) on every file system,
/// so the inode alone decides.</remarks>
internal static class LockHolder
{
    private const string LocksPath = "/proc/locks";
    private const int CommandLengthMax = 120;

    /// <summary>Describes the process that holds a lock on a file, with its command line; null when nobody can tell: it runs in
    /// another container, or has let the lock go.</summary>
    public static string? Find(FileStatus file)
    {
        try
        {
            var holders = File.ReadLines(LocksPath).Select(line => FindHolder(line, file.Inode));
            return holders.FirstOrDefault(holder => holder is not null) is { } process
                ? $"process {process}{Command(process)}"
                : null;
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    // "1: FLOCK  ADVISORY  WRITE 4711 08:01:1234 0 EOF"; who waits has an arrow after the number.
    internal static string? FindHolder(string line, ulong inode)
    {
        var fields = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return fields.Length > 5
            && fields[1] == "FLOCK"
            && fields[5].EndsWith(":" + inode.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal)
            && int.TryParse(fields[4], CultureInfo.InvariantCulture, out var process)
            && process > 0
            ? fields[4]
            : null;
    }

    private static string Command(string process)
    {
        try
        {
            var words = File.ReadAllText($"/proc/{process}/cmdline").TrimEnd('\0');
            var shown = string.Concat(words.Take(CommandLengthMax).Select(letter => char.IsControl(letter) ? ' ' : letter));
            return shown.Length > 0 ? $" ({shown})" : "";
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }
}
