using Benji.Cli.Commands;
using Benji.Cli.Configuration;
using Benji.Cli.Logging;
using Benji.Cli.Services;
using Benji.Cli.Streams;
using Benji.Nbd;
using Benji.Store;
using Microsoft.Extensions.Logging;

namespace Benji.Cli;

/// <summary>Creates the objects of a run, top to bottom; the only place that does.</summary>
internal static class Composition
{
    /// <summary>Runs the program on the console of this process and returns its exit code.</summary>
    public static async Task<int> RunAsync(string[] arguments)
    {
        if (Background.IsHere)
        {
            Background.LeaveTerminal();
        }

        using var descriptors = new StandardDescriptors();
        await using var output = new DescriptorStream(StandardDescriptors.Output);
        await using var error = new DescriptorStream(StandardDescriptors.Error);
        var environment = new RunEnvironment
        {
            Output = output,
            IsOutputTerminal = output.IsTerminal,
            OutputWidth = static () => TerminalSize.Columns(StandardDescriptors.Output),
            Error = error,
            IsErrorTerminal = error.IsTerminal,
            ErrorWidth = static () => TerminalSize.Columns(StandardDescriptors.Error),
            Variable = Environment.GetEnvironmentVariable,
            Time = TimeProvider.System,
        };
        using var interruption = new Interruption();
        return await Application.RunAsync(arguments, environment, interruption);
    }

    /// <summary>Creates what a command runs with.</summary>
    public static CommandRun CreateRun(
        GlobalSettings settings, RunEnvironment environment, Interruption interruption)
    {
        var mayColor = !settings.HasNoColor
            && string.IsNullOrEmpty(environment.Variable("NO_COLOR"))
            && environment.Variable("TERM") != "dumb";
        var errors = new ErrorOutput(
            environment.Error, environment.IsErrorTerminal, environment.ErrorWidth, mayColor && environment.IsErrorTerminal);
        var level = settings.LogLevel ?? DefaultLevel(settings, environment);
        ILogWriter console = settings.IsMachineOutput
            ? new JsonLogWriter(errors)
            : new PlainLogWriter(errors, hasTraces: level < LogLevel.Information);
        var logging = new LogOutput(level, console, environment.Time);
        return new CommandRun
        {
            Settings = settings,
            Output = new StandardOutput(environment.Output, environment.IsOutputTerminal, environment.OutputWidth),
            HasColor = mayColor && environment.IsOutputTerminal,
            Errors = errors,
            Logging = logging,
            Time = environment.Time,
            Variable = environment.Variable,
            ReadOptions = () => ReadOptions(settings, environment, logging),
            ReadPlaces = () => ConfigurationReader.Read(
                settings.ConfigFile, Surroundings.OfProcess(environment.Variable) with { ReadsSecrets = false }).Store.Places,
            Stop = interruption.Token,
        };
    }

    // At a terminal the progress and the summary say what the lines of level INFO would.
    private static LogLevel DefaultLevel(GlobalSettings settings, RunEnvironment environment) =>
        settings.IsQuiet || (environment.IsErrorTerminal && !settings.IsMachineOutput && !settings.IsVerbose)
            ? LogLevel.Warning
            : LogLevel.Information;

    private static StoreOptions ReadOptions(GlobalSettings settings, RunEnvironment environment, LogOutput logging)
    {
        var configuration = ConfigurationReader.Read(settings.ConfigFile, environment.Variable);
        if (configuration.LogFile is { } path)
        {
            configuration.Store.Places.RequireOutside(path, "The log file");
            logging.AddFile(path);
        }

        var logger = logging.CreateLogger("Benji.Cli");
        foreach (var warning in configuration.Warnings)
        {
            Log.ConfigurationWarning(logger, warning);
        }

        var sources = new NbdSourceOpener(configuration.Store.Sources, environment.Time);
        return configuration.Store with { Sources = sources };
    }
}
