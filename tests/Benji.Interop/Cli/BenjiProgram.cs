using System.Diagnostics;
using System.Text;
using System.Text.Json;
using Benji.Testing;

namespace Benji.Interop.Cli;

/// <summary>What a run of a program left: its exit code and what it wrote.</summary>
/// <param name="ExitCode">The exit code.</param>
/// <param name="Output">Standard output.</param>
/// <param name="Error">Standard error.</param>
internal sealed record ProgramResult(int ExitCode, string Output, string Error)
{
    /// <summary>Standard output as the one JSON document it must be.</summary>
    public JsonElement Json
    {
        get
        {
            using var document = JsonDocument.Parse(Output);
            return document.RootElement.Clone();
        }
    }

    /// <summary>The one line of the error.</summary>
    public string ErrorLine => Error.TrimEnd('\n').Split('\n')[^1];
}

/// <summary>Runs the built program as a user does, with a home of its own and nothing else in its environment.</summary>
internal sealed class BenjiProgram : IDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(2);

    private readonly TemporaryDirectory _directory = new();

    /// <summary>The program as users get it: what <c>scripts/build</c> left, which <c>scripts/test</c> runs first.</summary>
    public static string Executable { get; } = Repository.PathOf("artifacts", "benji");

    /// <summary>Variables of the runs that follow.</summary>
    public Dictionary<string, string> Variables { get; } = [];

    /// <summary>The directory that everything is in; the runs' current one.</summary>
    public string Directory => _directory.Path;

    /// <summary>The store's home.</summary>
    public string Home => _directory["home"];

    /// <summary>The path of a file in the directory.</summary>
    public string this[string name] => _directory[name];

    /// <summary>Writes a file of seeded random bytes and returns its path.</summary>
    public string WriteImage(string name, int length, int seed)
    {
        var content = new byte[length];
        new Random(seed).NextBytes(content);
        using var file = new FileStream(_directory[name], FileMode.Create, FileAccess.Write);
        file.Write(content);
        return _directory[name];
    }

    /// <summary>Runs the program to its end.</summary>
    public Task<ProgramResult> RunAsync(params string[] arguments) => RunAsync(Executable, arguments);

    /// <summary>Runs a script of bash to its end; <c>benji</c> is on its path.</summary>
    public Task<ProgramResult> ShellAsync(string script) => ShellAsync(script, Limit);

    /// <summary>Runs a script as <see cref="ShellAsync(string)"/> does, and gives it more or less time.</summary>
    public Task<ProgramResult> ShellAsync(string script, TimeSpan limit) => RunAsync("bash", ["-c", script], limit);

    /// <summary>Runs a program to its end.</summary>
    public Task<ProgramResult> RunAsync(string program, string[] arguments) => RunAsync(program, arguments, Limit);

    /// <summary>Starts a program; the caller reads its streams, waits for its end and disposes it.</summary>
    public Process Start(string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            StandardOutputEncoding = Encoding.UTF8,
            StandardErrorEncoding = Encoding.UTF8,
            WorkingDirectory = Directory,
        };
        foreach (var name in start.Environment.Keys.Where(IsForeign).ToList())
        {
            start.Environment.Remove(name);
        }

        start.Environment["PATH"] = $"{Path.GetDirectoryName(Executable)}:{start.Environment["PATH"]}";
        start.Environment["BENJI_HOME"] = Home;
        start.Environment["HOME"] = Directory;
        foreach (var (name, value) in Variables)
        {
            start.Environment[name] = value;
        }

        var process = Process.Start(start) ?? throw new InvalidOperationException($"{program} did not start.");
        process.StandardInput.Close();
        return process;
    }

    /// <inheritdoc/>
    public void Dispose() => _directory.Dispose();

    private async Task<ProgramResult> RunAsync(string program, string[] arguments, TimeSpan most)
    {
        using var process = Start(program, arguments);
        using var limit = new CancellationTokenSource(most);
        var output = process.StandardOutput.ReadToEndAsync(limit.Token);
        var error = process.StandardError.ReadToEndAsync(limit.Token);
        try
        {
            await process.WaitForExitAsync(limit.Token);
            return new ProgramResult(process.ExitCode, await output, await error);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw new TimeoutException($"{program} {string.Join(' ', arguments)} did not end within {most}.");
        }
    }

    private static bool IsForeign(string name) =>
        name.StartsWith("BENJI_", StringComparison.Ordinal) || name is "NO_COLOR" or "XDG_DATA_HOME";
}
