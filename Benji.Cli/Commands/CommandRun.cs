using System.Text.Json;
using Benji.Cli.Logging;
using Benji.Cli.Output;
using Benji.Cli.Streams;
using Benji.Store;
using Benji.Store.Operations;
using Microsoft.Extensions.Logging;

namespace Benji.Cli.Commands;

/// <summary>What a command runs with: its settings, the store, the outputs and the token that stops it.</summary>
internal sealed class CommandRun
{
    /// <summary>The values of the global options.</summary>
    public required GlobalSettings Settings { get; init; }

    /// <summary>Standard output, buffered; whoever started the run flushes it.</summary>
    public required StandardOutput Output { get; init; }

    /// <summary>True when standard output may be coloured.</summary>
    public required bool HasColor { get; init; }

    /// <summary>Standard error.</summary>
    public required ErrorOutput Errors { get; init; }

    /// <summary>Hands out loggers.</summary>
    public required LogOutput Logging { get; init; }

    /// <summary>The clock.</summary>
    public required TimeProvider Time { get; init; }

    /// <summary>Reads the configuration; the log file it names is in use afterwards.</summary>
    public required Func<StoreOptions> ReadOptions { get; init; }

    /// <summary>Reads where the store is, without its keys.</summary>
    public required Func<StorePlaces> ReadPlaces { get; init; }

    /// <summary>Returns an environment variable, or null.</summary>
    public required Func<string, string?> Variable { get; init; }

    /// <summary>Is cancelled by SIGINT, SIGTERM and SIGHUP.</summary>
    public required CancellationToken Stop { get; init; }

    /// <summary>True for JSON on standard output.</summary>
    public bool IsMachineOutput => Settings.IsMachineOutput;

    /// <summary>Opens the store that the configuration describes; the caller disposes it.</summary>
    /// <param name="use">What for.</param>
    public Task<BenjiStore> OpenStoreAsync(StoreUse use) => OpenStoreAsync(ReadOptions(), use);

    /// <summary>Opens the store that options describe; the caller disposes it.</summary>
    public Task<BenjiStore> OpenStoreAsync(StoreOptions options, StoreUse use) =>
        BenjiStore.OpenAsync(options, use, Logging, Time, Stop);

    /// <summary>Warns of storages that hold versions when the catalog has none: it is not the one that they belong to.</summary>
    public async Task WarnOfForgottenAsync(BenjiStore store, StoreOptions options)
    {
        if ((await store.ListAsync(text: null, Stop)).Count == 0)
        {
            foreach (var storage in options.Places.FindVersions())
            {
                Log.CatalogIsEmpty(CreateLogger(), options.CatalogPath, storage);
            }
        }
    }

    /// <summary>Runs an operation while its progress is shown: live at a terminal, as lines otherwise, not at all with
    /// machine output or when only what is wrong is wanted.</summary>
    public async Task<T> WatchAsync<T>(Func<IOperationProgress, Task<T>> operation)
    {
        if (IsMachineOutput || Settings.IsQuiet)
        {
            return await operation(NoProgress.Instance);
        }

        if (!Errors.IsTerminal)
        {
            await using var lines = new LineProgress(CreateLogger(), Time);
            return await operation(lines);
        }

        await using var progress = new TerminalProgress(Errors, Time);
        return await operation(progress);
    }

    /// <summary>Tells of a version that was made: its name alone on standard output, for VERSION=$(benji backup ...), and what it
    /// took; or both as one JSON document.</summary>
    /// <returns>The exit code.</returns>
    public int ReportVersion(BackupResult result)
    {
        if (IsMachineOutput)
        {
            WriteJson(writer => BackupReport.WriteJson(writer, result));
        }
        else
        {
            WriteName(result.Version.Name.ToString());
            Summarize(BackupReport.Summary(result, Settings.IsVerbose));
        }

        if (BackupReport.Failure(result) is not { } failure)
        {
            return ExitCodes.Success;
        }

        ReportFailure(ExitCodes.Damaged, failure);
        return ExitCodes.Damaged;
    }

    /// <summary>Prints the name of what was made, alone on standard output.</summary>
    public void WriteName(string name)
    {
        if (!Settings.IsQuiet)
        {
            Output.WriteLine(name);
        }
    }

    /// <summary>Tells people what was done: a line on standard error at a terminal, a log line otherwise.</summary>
    public void Summarize(string summary)
    {
        if (IsMachineOutput || Settings.IsQuiet)
        {
            return;
        }

        if (Errors.IsTerminal)
        {
            Errors.WriteLine(OneLine.Of(summary));
        }
        else
        {
            Log.Summary(CreateLogger(), summary);
        }
    }

    /// <summary>Prints the one JSON document of machine output: an object with what <paramref name="write"/> adds.</summary>
    public void WriteJson(Action<Utf8JsonWriter> write)
    {
        using (var writer = new Utf8JsonWriter(Output.Stream, MachineJson.Options))
        {
            writer.WriteStartObject();
            write(writer);
            writer.WriteEndObject();
        }

        Output.Stream.WriteByte((byte)'\n');
    }

    /// <summary>Tells why the exit code is not 0: <c>benji: message</c>, or a log line as JSON with machine output.</summary>
    public void ReportFailure(int exitCode, string message, Exception? exception = null)
    {
        // What was found stands before what it means.
        if (exception is null)
        {
            Output.Flush();
        }

        Logging.WriteFailure(exitCode, message, exception);
    }

    private ILogger CreateLogger() => Logging.CreateLogger("Benji.Cli");
}
