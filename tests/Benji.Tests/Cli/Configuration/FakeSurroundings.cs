using System.Text;
using Benji.Cli.Configuration;

namespace Benji.Tests.Cli.Configuration;

/// <summary>Surroundings that hold what a test puts into them.</summary>
internal sealed class FakeSurroundings
{
    public Dictionary<string, string> Variables { get; } = [];

    public Dictionary<string, string> Files { get; } = [];

    public Dictionary<string, string> Commands { get; } = [];

    public bool IsRoot { get; set; }

    public Surroundings Make() => new()
    {
        Variable = Variables.GetValueOrDefault,
        IsRoot = IsRoot,
        CurrentDirectory = "/here",
        ReadFile = ReadFile,
        RunCommand = command => Commands.TryGetValue(command, out var line)
            ? line
            : throw new CommandFailedException("it ended with exit code 1"),
    };

    public LoadedConfiguration Read(string? file = null) => ConfigurationReader.Read(file, Make());

    /// <summary>Reads a text as the file <c>/etc/benji.yaml</c>.</summary>
    public LoadedConfiguration ReadText(string yaml)
    {
        Files["/etc/benji.yaml"] = yaml;
        return Read("/etc/benji.yaml");
    }

    private byte[]? ReadFile(string path, int lengthMax) =>
        path.Contains("forbidden", StringComparison.Ordinal) ? throw new UnauthorizedAccessException("Access denied.")
        : Files.TryGetValue(path, out var text) ? Encoding.UTF8.GetBytes(text).AsSpan()[..Math.Min(lengthMax + 1, Encoding.UTF8.GetByteCount(text))].ToArray()
        : null;
}
