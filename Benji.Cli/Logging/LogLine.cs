using Microsoft.Extensions.Logging;

namespace Benji.Cli.Logging;

/// <summary>One message as the writers of log lines get it.</summary>
/// <param name="Time">When it was logged, UTC.</param>
/// <param name="Level">How bad it is.</param>
/// <param name="Category">The type that logged it.</param>
/// <param name="EventId">The stable number of the message.</param>
/// <param name="Message">The text with its values.</param>
/// <param name="Exception">The cause, or null.</param>
/// <param name="ExitCode">The exit code that it ends the program with, or null.</param>
internal readonly record struct LogLine(
    DateTimeOffset Time,
    LogLevel Level,
    string Category,
    int EventId,
    string Message,
    Exception? Exception,
    int? ExitCode = null);

/// <summary>Writes log lines to one place.</summary>
internal interface ILogWriter
{
    /// <summary>Writes one line. Safe for concurrent calls; never throws for a failing place.</summary>
    void Write(in LogLine line);
}
