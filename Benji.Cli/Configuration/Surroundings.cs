using Benji.Store;

namespace Benji.Cli.Configuration;

/// <summary>What reading a configuration needs from outside: variables, files, commands and who is asking.</summary>
internal sealed record Surroundings
{
    /// <summary>Returns an environment variable; null or empty where it is not set.</summary>
    public required Func<string, string?> Variable { get; init; }

    /// <summary>True for the super-user, whose data is in <c>/var/lib</c>.</summary>
    public required bool IsRoot { get; init; }

    /// <summary>The directory that relative paths of the command line and of variables start from.</summary>
    public required string CurrentDirectory { get; init; }

    /// <summary>False to leave secrets unread, for a command that needs none; a stand-in takes their place.</summary>
    public bool ReadsSecrets { get; init; } = true;

    /// <summary>Returns a file's bytes, at most the given number and one more; null when there is no such file.</summary>
    /// <remarks>Throws <see cref="IOException"/> or <see cref="UnauthorizedAccessException"/> when it cannot.</remarks>
    public required Func<string, int, byte[]?> ReadFile { get; init; }

    /// <summary>Says what makes the secret in a file known to others, or null; as <see cref="KeyFile.FindExposure"/>.</summary>
    public Func<string, string?> FindExposure { get; init; } = static _ => null;

    /// <summary>Runs a command with <c>/bin/sh</c> and returns the first line of its output.</summary>
    /// <remarks>Throws <see cref="CommandFailedException"/> when it fails or takes too long.</remarks>
    public required Func<string, string> RunCommand { get; init; }

    /// <summary>The surroundings of this process.</summary>
    public static Surroundings OfProcess(Func<string, string?> variable) => new()
    {
        Variable = name => OutsideText.CheckVariable(
            name, variable(name), static file => File.ReadAllBytes($"/proc/self/{file}")),
        IsRoot = Environment.IsPrivilegedProcess,
        CurrentDirectory = WorkingDirectory.Path,
        ReadFile = ReadFileAtMost,
        FindExposure = KeyFile.FindExposure,
        RunCommand = static command => ShellCommand.FirstLine(command, ShellCommand.TimeLimit),
    };

    private static byte[]? ReadFileAtMost(string path, int lengthMax)
    {
        try
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite, bufferSize: 0);
            var content = new byte[Math.Max(1, lengthMax) + 1];
            var length = file.ReadAtLeast(content, content.Length, throwOnEndOfStream: false);
            return content[..length];
        }
        catch (Exception cause) when (cause is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    }
}
