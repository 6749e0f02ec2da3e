using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace Benji.Cli.Configuration;

/// <summary>Runs a command that prints a secret.</summary>
/// <remarks>Neither the command's output nor the command itself is ever logged. Its errors go where ours go; its input is
/// empty. It counts as running while anything holds its output open.</remarks>
internal static class ShellCommand
{
    private const int LineLengthMax = 64 * 1024;

    /// <summary>How long a command may take.</summary>
    public static readonly TimeSpan TimeLimit = TimeSpan.FromSeconds(30);

    /// <summary>Returns the first line that a command prints, without its end.</summary>
    /// <exception cref="CommandFailedException">It cannot be started, fails, prints no line or takes too long.</exception>
    public static string FirstLine(string command, TimeSpan timeLimit) =>
        // The configuration is read before anything runs that a blocked thread could hold up.
        FirstLineAsync(command, timeLimit).GetAwaiter().GetResult();

    private static async Task<string> FirstLineAsync(string command, TimeSpan timeLimit)
    {
        using var process = Start(command);
        using var limit = new CancellationTokenSource(timeLimit);
        try
        {
            process.StandardInput.Close();
            var line = await ReadAsync(process.StandardOutput.BaseStream, limit.Token).WaitAsync(limit.Token);
            await process.WaitForExitAsync(limit.Token);
            if (process.ExitCode != 0)
            {
                throw new CommandFailedException($"it ended with exit code {process.ExitCode}");
            }

            return line.Length > 0 ? line : throw new CommandFailedException("its first line of output is empty");
        }
        catch (OperationCanceledException cause)
        {
            throw new CommandFailedException(
                $"it took longer than {timeLimit.TotalSeconds.ToString(CultureInfo.InvariantCulture)} s", cause);
        }
        finally
        {
            if (!process.HasExited)
            {
                process.Kill(entireProcessTree: true);
            }
        }
    }

    private static Process Start(string command)
    {
        try
        {
            return Process.Start(new ProcessStartInfo("/bin/sh", ["-c", command])
            {
                RedirectStandardInput = true,
                RedirectStandardOutput = true,
            })!;
        }
        catch (Win32Exception cause)
        {
            throw new CommandFailedException("/bin/sh cannot be started", cause);
        }
    }

    // Reads to the end, so that the command never waits for us, and keeps the first line.
    private static async Task<string> ReadAsync(Stream output, CancellationToken cancellationToken)
    {
        var buffer = new byte[4096];
        using var line = new MemoryStream();
        var isInLine = true;
        for (int count; (count = await output.ReadAsync(buffer, cancellationToken)) > 0;)
        {
            if (isInLine)
            {
                var end = buffer.AsSpan(0, count).IndexOf((byte)'\n');
                await line.WriteAsync(buffer.AsMemory(0, end < 0 ? count : end), cancellationToken);
                isInLine = end < 0;
            }

            if (line.Length > LineLengthMax)
            {
                throw new CommandFailedException($"its first line of output is longer than {LineLengthMax} bytes");
            }
        }

        return Encoding.UTF8.GetString(line.GetBuffer(), 0, (int)line.Length).TrimEnd('\r');
    }
}

/// <summary>Says why a command gave no secret; the message has neither the command nor its output.</summary>
internal sealed class CommandFailedException(string message, Exception? inner = null) : Exception(message, inner);
