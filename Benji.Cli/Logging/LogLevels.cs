using Benji.Store.Model;
using Microsoft.Extensions.Logging;

namespace Benji.Cli.Logging;

/// <summary>The names of log levels, as the original writes them.</summary>
internal static class LogLevels
{
    /// <summary>The names from the most to the least that is logged.</summary>
    public static IReadOnlyList<string> Names { get; } = ["TRACE", "DEBUG", "INFO", "WARNING", "ERROR"];

    /// <summary>Returns the level of a name in any case.</summary>
    /// <exception cref="UsageException">There is no such level.</exception>
    public static LogLevel Parse(string name) => name.ToUpperInvariant() switch
    {
        "TRACE" => LogLevel.Trace,
        "DEBUG" => LogLevel.Debug,
        "INFO" => LogLevel.Information,
        "WARNING" => LogLevel.Warning,
        "ERROR" => LogLevel.Error,
        _ => throw new UsageException(
            $"Log level {Benji.Store.Model.Names.Show(name)} is not one of {string.Join(", ", Names)}."),
    };

    /// <summary>Returns the name of a level.</summary>
    public static string NameOf(LogLevel level) => level switch
    {
        LogLevel.Trace => "TRACE",
        LogLevel.Debug => "DEBUG",
        LogLevel.Information => "INFO",
        LogLevel.Warning => "WARNING",
        _ => "ERROR",
    };
}
