using Microsoft.Extensions.Logging;

namespace Benji.Tests.Operations.Age;

/// <summary>Keeps the warnings that a process logs.</summary>
internal sealed class WarningLog : ILoggerFactory, ILogger
{
    private readonly Lock _warningsLock = new();
    private readonly List<string> _warnings = [];

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
                _warnings.Add($"{formatter(state, exception)} {exception?.Message}");
            }
        }
    }

    public void Dispose()
    {
    }
}
