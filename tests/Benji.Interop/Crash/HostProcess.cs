using System.Diagnostics;

namespace Benji.Interop.Crash;

/// <summary>Runs one operation on a store in a process of its own, which may be killed at a moment.</summary>
internal static class HostProcess
{
    /// <summary>Runs the crash host and waits for its end.</summary>
    /// <param name="arguments">Its arguments.</param>
    /// <param name="killAfter">The moment at which it is killed, or null to let it end.</param>
    /// <returns>Its exit code, and its output, with the errors of a run that failed.</returns>
    public static async Task<(int ExitCode, string Output)> RunAsync(string[] arguments, TimeSpan? killAfter)
    {
        var host = Path.Combine(AppContext.BaseDirectory, "Benji.CrashHost.dll");
        using var process = Process.Start(new ProcessStartInfo("dotnet", [host, .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = process.StandardError.ReadToEndAsync();
        if (killAfter is { } delay)
        {
            // The moment is the random input of the test, not a wait for something.
            await Task.WhenAny(process.WaitForExitAsync(), Task.Delay(delay));
            process.Kill();
        }

        await process.WaitForExitAsync();
        return (process.ExitCode, process.ExitCode == 0 ? await output : await output + await errors);
    }

    /// <summary>Copies a store's directory into another one.</summary>
    public static async Task CopyAsync(string from, string to)
    {
        using var copy = Process.Start(new ProcessStartInfo("cp", ["-a", $"{from}/.", to]))!;
        await copy.WaitForExitAsync();
        if (copy.ExitCode != 0)
        {
            throw new InvalidOperationException($"cp ended with {copy.ExitCode}.");
        }
    }
}
