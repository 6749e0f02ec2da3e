using Microsoft.Extensions.Logging;

namespace Benji.Tests.Operations.Age;

/// <summary>Keeps the warnings that a process logs.</summary>
internal sealed class WarningLog : ILoggerFactory, ILogger
{
    private readonly Lock _warningsLock = new();
    private readonly List<string> _warnings = [];
    private readonly List<(Func<string, bool> Fits, TaskCompletionSource Came)> _awaited = [];

    /// <summary>The warnings, each with its cause.</summary>
    public IReadOnlyList<string> Warnings
    {
        get
        {
            lock (_warningsLock)
            {
                return [.. _warnings];
            }
        }
    }

    /// <summary>Ends with the next warning that fits.</summary>
    public Task WhenWarnedAsync(Func<string, bool> fits)
    {
        lock (_warningsLock)
        {
            var came = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            _awaited.Add((fits, came));
            return came.Task;
        }
    }

    public ILogger CreateLogger(string categoryName) => this;

    public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException();

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(
        LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (logLevel == LogLevel.Warning)
        {
            lock (_warningsLock)
            {
                var warning = $"{formatter(state, exception)} {exception?.Message}";
                _warnings.Add(warning);
                _awaited.Where(awaited => awaited.Fits(warning)).ToList().ForEach(awaited => awaited.Came.TrySetResult());
            }
        }
    }

    public void Dispose()
    {
    }
}
