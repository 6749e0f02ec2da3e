using System.Diagnostics;
using Benji.Testing;

namespace Benji.Interop.Sources;

/// <summary>A block device over a file of its own, detached and removed when it is disposed. Needs root.</summary>
public sealed class LoopDevice : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    /// <summary>Attaches a device that holds <paramref name="content"/>, a multiple of 512 bytes.</summary>
    public LoopDevice(byte[] content)
    {
        using (var file = File.Create(_directory["backing"]))
        {
            file.Write(content);
        }

        Path = Run("losetup", "--find", "--show", _directory["backing"]).Trim();
    }

    /// <summary>The device's path.</summary>
    public string Path { get; }

    /// <summary>A directory that lives as long as the device.</summary>
    public TemporaryDirectory Directory => _directory;

    /// <summary>Runs a program to its end and returns what it printed.</summary>
    /// <exception cref="InvalidOperationException">It failed; the message has its errors.</exception>
    public static string Run(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        var errors = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0
            ? output
            : throw new InvalidOperationException(
                $"{program} {string.Join(' ', arguments)} failed: {errors.GetAwaiter().GetResult()}");
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Run("losetup", "--detach", Path);
        _directory.Dispose();
    }
}
