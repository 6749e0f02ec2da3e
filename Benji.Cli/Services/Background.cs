using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using Benji.Store.Model;

namespace Benji.Cli.Services;

/// <summary>Goes on in the background: the command starts the program once more and returns when that one serves.</summary>
/// <remarks>.NET cannot fork: its threads would be missing in the copy. What goes wrong before it serves is told on the
/// standard error of the command, and its exit code becomes the command's.</remarks>
internal static partial class Background
{
    private const string Variable = "BENJI_BACKGROUND";
    private const string ReadyLine = "ready";
    private const int SetFlags = 2; // F_SETFD
    private const int CloseOnExec = 1; // FD_CLOEXEC
    private const int Interrupt = 2; // SIGINT
    private const int Terminate = 15; // SIGTERM

    /// <summary>Says whether this process is the one in the background: another run of the program started it.</summary>
    public static bool IsHere { get; } = !string.IsNullOrEmpty(Environment.GetEnvironmentVariable(Variable));

    /// <summary>Starts the program with the arguments of this run, and waits until it serves or has ended.</summary>
    /// <returns>The process, or null and the exit code with which it ended.</returns>
    public static async Task<(int? Process, int ExitCode)> StartAsync(CancellationToken stop)
    {
        var arguments = Environment.GetCommandLineArgs();
        var program = Environment.ProcessPath!;
        var start = new ProcessStartInfo(program, IsHost(program) ? arguments : arguments[1..])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        };
        start.Environment[Variable] = "1";
        KeepFromChildren();
        using var process = Process.Start(start)
            ?? throw new StorageException($"Could not start {program}.", isTransient: false);
        process.StandardInput.Close();
        string? line;
        try
        {
            line = await process.StandardOutput.ReadLineAsync(stop);
        }
        catch (OperationCanceledException)
        {
            _ = SendSignal(process.Id, Terminate);
            await process.WaitForExitAsync(CancellationToken.None);
            throw;
        }

        if (line == ReadyLine)
        {
            return (process.Id, 0);
        }

        await process.WaitForExitAsync(stop);
        return (null, process.ExitCode);
    }

    /// <summary>Leaves the terminal and its signals; called first in the background, before signals are listened to.</summary>
    /// <remarks>A shell has commands that it starts with <c>&amp;</c> ignore an interrupt; who sends it to a service means
    /// it. Source: daemon(7), traditional daemons, step 2.</remarks>
    public static void LeaveTerminal()
    {
        _ = StartSession();
        _ = SetSignal(Interrupt, 0);
    }

    /// <summary>Tells the waiting command that this process serves, and lets go of what it got from there.</summary>
    /// <remarks>Whoever reads the command's output to its end would wait for the background otherwise.</remarks>
    public static void TellReady(Stream output)
    {
        output.Write("ready\n"u8);
        output.Flush();
        using var nothing = File.OpenHandle("/dev/null", FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
        for (var descriptor = 0; descriptor <= 2; descriptor++)
        {
            _ = Duplicate((int)nothing.DangerousGetHandle(), descriptor);
        }

        Environment.CurrentDirectory = "/";
    }

    /// <summary>Has no child of this process keep what whoever started it had open: a lock, a pipe, a deleted file.</summary>
    internal static void KeepFromChildren()
    {
        foreach (var entry in Directory.EnumerateFileSystemEntries("/proc/self/fd"))
        {
            // One may be closed meanwhile, as the one of this look.
            var descriptor = int.Parse(Path.GetFileName(entry), CultureInfo.InvariantCulture);
            if (descriptor > 2)
            {
                _ = Control(descriptor, SetFlags, CloseOnExec);
            }
        }
    }

    private static bool IsHost(string program) => Path.GetFileNameWithoutExtension(program) == "dotnet";

    [LibraryImport("libc", EntryPoint = "fcntl")]
    private static partial int Control(int descriptor, int command, int argument);

    [LibraryImport("libc", EntryPoint = "signal")]
    private static partial nint SetSignal(int signal, nint handler);

    [LibraryImport("libc", EntryPoint = "setsid")]
    private static partial int StartSession();

    [LibraryImport("libc", EntryPoint = "dup2")]
    private static partial int Duplicate(int from, int to);

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int SendSignal(int process, int signal);
}
