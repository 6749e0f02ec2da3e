using Microsoft.Extensions.Logging;

namespace Benji.Cli.Logging;

/// <summary>Hands out loggers that write to standard error and, once it is known, to the configured file.</summary>
/// <remarks>The factory of the logging package needs its options and injection assemblies at every start; this one needs
/// only the abstractions. Safe for concurrent calls. Disposal closes the file.</remarks>
internal sealed class LogOutput : ILoggerFactory
{
    private readonly TimeProvider _time;
    private volatile ILogWriter _console;
    private volatile LogFile? _file;

    /// <summary>Logs from <paramref name="level"/> upwards to <paramref name="console"/>.</summary>
    public LogOutput(LogLevel level, ILogWriter console, TimeProvider time)
    {
        Level = level;
        _console = console;
        _time = time;
    }

    /// <summary>The least level that is written.</summary>
    public LogLevel Level { get; private set; }

    /// <summary>True when a file is written too.</summary>
    public bool HasFile => _file is not null;

    /// <summary>Writes all that follows to a file too, until it is disposed.</summary>
    /// <exception cref="Store.Model.ConfigurationException">The file cannot be opened.</exception>
    public void AddFile(string path) => _file ??= new LogFile(path);

    /// <summary>Writes all that follows to the system's log instead of standard error, from level INFO on: for a run that goes
    /// on in the background.</summary>
    /// <param name="path">Where that log listens.</param>
    public void Redirect(string path)
    {
        _console = new SystemLog(path);
        Level = Level < LogLevel.Information ? Level : LogLevel.Information;
    }

    /// <summary>Writes what ends the program, with its exit code; with a trace only for a bug or at level DEBUG.</summary>
    public void WriteFailure(int exitCode, string message, Exception? exception) =>
        Write(new LogLine(_time.GetUtcNow(), LogLevel.Error, "Benji.Cli", 9000, message, HasTrace(exitCode) ? exception : null, exitCode));

    /// <inheritdoc/>
    public ILogger CreateLogger(string categoryName) => new Logger(this, categoryName);

    /// <summary>Refuses: which places exist is known at the start.</summary>
    public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException();

    /// <inheritdoc/>
    public void Dispose()
    {
        _file?.Dispose();
        (_console as IDisposable)?.Dispose();
    }

    private bool HasTrace(int exitCode) => exitCode == ExitCodes.Internal || Level < LogLevel.Information;

    private void Write(in LogLine line)
    {
        if (line.Level >= Level)
        {
            _console.Write(line);
        }

        // A terminal shows warnings only by default; the file is for later and takes what happened.
        if (line.Level >= FileLevel)
        {
            _file?.Write(line);
        }
    }

    private LogLevel FileLevel => Level < LogLevel.Information ? Level : LogLevel.Information;

    private bool IsEnabled(LogLevel level) =>
        level != LogLevel.None && (level >= Level || (_file is not null && level >= FileLevel));

    /// <summary>Loggers of one category.</summary>
    private sealed class Logger(LogOutput output, string category) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => output.IsEnabled(logLevel);

        public void Log<TState>(
            LogLevel logLevel,
            EventId eventId,
            TState state,
            Exception? exception,
            Func<TState, Exception?, string> formatter)
        {
            if (IsEnabled(logLevel))
            {
                output.Write(new LogLine(
                    output._time.GetUtcNow(), logLevel, category, eventId.Id, formatter(state, exception), exception));
            }
        }
    }
}
