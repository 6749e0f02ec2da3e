using System.Diagnostics;
using System.Runtime.InteropServices;
using Benji.Mount;
using Benji.Testing;
using Benji.Testing.Serving;
using Microsoft.Extensions.Logging;
using Microsoft.Win32.SafeHandles;
using Xunit;

namespace Benji.Interop.Mount;

/// <summary>Images in memory, mounted through the kernel in a directory of their own. Needs root.</summary>
public sealed partial class MountedImages : IAsyncLifetime
{
    // F_DUPFD_CLOEXEC: a program started later would keep the connection alive.
    private const int DuplicateCloseOnExec = 1030;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly TemporaryDirectory _directory = new();
    private readonly List<Task<(int Code, string Output)>> _unanswered = [];

    /// <summary>What is mounted.</summary>
    public ByteImages Images { get; } = new();

    /// <summary>What the mount logged.</summary>
    public LogLines Log { get; } = new();

    /// <summary>The mount.</summary>
    public FuseMount Mount { get; private set; } = null!;

    /// <summary>A directory beside the mount point.</summary>
    public TemporaryDirectory Beside { get; } = new();

    /// <summary>The path of a name in the mount.</summary>
    public string this[string name] => Path.Combine(_directory.Path, name);

    /// <summary>Options for this mount point.</summary>
    public FuseMountOptions Options => new() { MountPoint = _directory.Path };

    /// <summary>Mounts as usual.</summary>
    public Task InitializeAsync() => StartAsync(Options);

    /// <summary>Mounts.</summary>
    public async Task StartAsync(FuseMountOptions options) =>
        Mount = await FuseMount.StartAsync(Images, options, Log, TimeProvider.System);

    /// <summary>Has the server die as far as the kernel can see: it answers nothing any more, and takes one more request with
    /// each thread. The connection is kept, as a service manager does.</summary>
    public async Task<HeldConnection> AbandonAsync()
    {
        var held = new HeldConnection(Duplicate(Mount.Device, DuplicateCloseOnExec, 0), Mount.Negotiated);
        Mount.Connection.Dispose();
        while (!Mount.Ended.IsCompleted)
        {
            _unanswered.Add(RunAsync("stat", "-f", this[""]));
            await Task.WhenAny(Mount.Ended, Task.Delay(TimeSpan.FromMilliseconds(50)));
        }

        return held;
    }

    /// <summary>Goes on with a connection; what nobody answered is answered then.</summary>
    public async Task ResumeAsync(HeldConnection held)
    {
        Mount = await FuseMount.ResumeAsync(Images, Options, held, Log, TimeProvider.System);
        foreach (var (code, output) in await Task.WhenAll(_unanswered))
        {
            Assert.True(code == 0, output);
        }
    }

    /// <summary>Unmounts.</summary>
    public async Task DisposeAsync()
    {
        await Mount.DisposeAsync();
        _directory.Dispose();
        Beside.Dispose();
    }

    /// <summary>Runs a program to its end, apart from the threads that serve the mount.</summary>
    /// <returns>Its exit code and all it printed.</returns>
    public static async Task<(int Code, string Output)> RunAsync(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            Environment = { ["LC_ALL"] = "C" },
        })!;
        using var deadline = new CancellationTokenSource(Patience);
        try
        {
            var errors = process.StandardError.ReadToEndAsync(deadline.Token);
            var output = await process.StandardOutput.ReadToEndAsync(deadline.Token);
            await process.WaitForExitAsync(deadline.Token);
            return (process.ExitCode, output + await errors);
        }
        catch (OperationCanceledException)
        {
            process.Kill();
            throw new TimeoutException($"{program} {string.Join(' ', arguments)} did not end within {Patience}.");
        }
    }

    /// <summary>Runs a line of shell to its end and fails unless it succeeds.</summary>
    /// <returns>What it printed, without the last line's end.</returns>
    public static async Task<string> ShellAsync(string line)
    {
        var (code, output) = await RunAsync("bash", "-c", line);
        return code == 0 ? output.TrimEnd('\n') : throw new InvalidOperationException($"{line}: exit {code}: {output}");
    }

    /// <summary>Waits until something holds.</summary>
    /// <exception cref="TimeoutException">It did not within the time.</exception>
    public static async Task UntilAsync(Func<Task<bool>> holds, TimeSpan within, string what)
    {
        var start = Stopwatch.GetTimestamp();
        while (!await holds())
        {
            if (Stopwatch.GetElapsedTime(start) > within)
            {
                throw new TimeoutException($"Not within {within}: {what}");
            }

            await Task.Delay(TimeSpan.FromMilliseconds(10));
        }
    }

    /// <summary>Returns bytes that do not compress, with zeros in every second 64 KiB.</summary>
    public static byte[] Content(int length, int seed)
    {
        const int run = 64 * 1024;
        var content = new byte[length];
        new Random(seed).NextBytes(content);
        for (var offset = run; offset < length; offset += 2 * run)
        {
            content.AsSpan(offset, Math.Min(run, length - offset)).Clear();
        }

        return content;
    }

    [LibraryImport("libc", EntryPoint = "fcntl")]
    private static partial SafeFileHandle Duplicate(SafeFileHandle file, int command, nint argument);
}

/// <summary>Keeps what is logged.</summary>
public sealed class LogLines : ILogger
{
    private readonly List<string> _lines = [];

    /// <summary>The lines so far.</summary>
    public IReadOnlyList<string> Lines
    {
        get
        {
            lock (_lines)
            {
                return [.. _lines];
            }
        }
    }

    /// <inheritdoc/>
    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    /// <inheritdoc/>
    public bool IsEnabled(LogLevel logLevel) => true;

    /// <inheritdoc/>
    public void Log<TState>(
        LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        lock (_lines)
        {
            _lines.Add($"{logLevel}: {formatter(state, exception)} {exception}".TrimEnd());
        }
    }
}
