using System.Globalization;
using Benji.Mount;

namespace Benji.Cli.Mounting;

/// <summary>A small file that says which process serves a mount, so that umount can wait for its end.</summary>
/// <remarks>It is in the directory for such things of the user who mounted, named after the device number of the mount, and
/// holds the process's number and when it started, because numbers come again. It outlives a killed process and then says
/// nothing.</remarks>
internal sealed class MountRecord
{
    private readonly string _path;
    private readonly ulong _started;

    private MountRecord(string path, int process, ulong started)
    {
        _path = path;
        Process = process;
        _started = started;
    }

    /// <summary>The process that serves the mount, or did.</summary>
    public int Process { get; }

    /// <summary>True while that process runs.</summary>
    public bool IsRunning => StartOf(Process) == _started;

    /// <summary>Writes the record of a mount that this process serves.</summary>
    /// <returns>Null where the user has no directory for such files: umount then does not wait.</returns>
    public static MountRecord? TryWrite(MountEntry entry)
    {
        try
        {
            var directory = DirectoryOf(LibC.EffectiveUser());
            Directory.CreateDirectory(directory, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            if (FileIdentity.Find(directory, followLink: false) is not { IsDirectory: true } found
                || found.Owner != LibC.EffectiveUser())
            {
                return null; // somebody else's, in a directory that all may write to
            }

            var record = new MountRecord(PathOf(entry, directory), Environment.ProcessId, StartOf(Environment.ProcessId));
            File.WriteAllText(record._path, string.Create(CultureInfo.InvariantCulture, $"{record.Process} {record._started}\n"));
            return record;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>Finds the record of a mount; null when there is none.</summary>
    public static MountRecord? Find(MountEntry entry)
    {
        try
        {
            var directory = DirectoryOf(entry.User);
            if (FileIdentity.Find(directory, followLink: false) is not { IsDirectory: true } found || found.Owner != entry.User)
            {
                return null;
            }

            var path = PathOf(entry, directory);
            var words = File.ReadAllText(path).Split([' ', '\n'], StringSplitOptions.RemoveEmptyEntries);
            return words.Length == 2
                && int.TryParse(words[0], CultureInfo.InvariantCulture, out var process)
                && ulong.TryParse(words[1], CultureInfo.InvariantCulture, out var started)
                ? new MountRecord(path, process, started)
                : null;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>Removes the file of a mount that has ended.</summary>
    public void Remove()
    {
        try
        {
            File.Delete(_path);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // It says nothing once this process has ended.
        }
    }

    private static string PathOf(MountEntry entry, string directory) =>
        Path.Combine(directory, $"mount-{entry.Device.Replace(':', '-')}");

    private static string DirectoryOf(uint user)
    {
        if (user == 0)
        {
            return "/run/benji";
        }

        var session = string.Create(CultureInfo.InvariantCulture, $"/run/user/{user}");
        return FileIdentity.Find(session) is { IsDirectory: true }
            ? $"{session}/benji"
            : string.Create(CultureInfo.InvariantCulture, $"/tmp/benji-{user}");
    }

    // When a process started, in ticks since the boot: proc_pid_stat(5), field 22; 0 when it does not run. Its name, field 2,
    // stands in brackets and may hold blanks and brackets.
    private static ulong StartOf(int process)
    {
        try
        {
            var text = File.ReadAllText(string.Create(CultureInfo.InvariantCulture, $"/proc/{process}/stat"));
            var fields = text[(text.LastIndexOf(')') + 2)..].Split(' ');
            return fields[0] is "Z" or "X" ? 0 : ulong.Parse(fields[19], CultureInfo.InvariantCulture);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return 0;
        }
    }
}
