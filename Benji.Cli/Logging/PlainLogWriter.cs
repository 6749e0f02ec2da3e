using Benji.Cli.Output;
using Benji.Cli.Streams;
using Microsoft.Extensions.Logging;

namespace Benji.Cli.Logging;

/// <summary>Writes log lines for people to standard error, <c>LEVEL: message</c>.</summary>
/// <param name="output">Standard error.</param>
/// <param name="hasTraces">True to write the stack traces of causes.</param>
internal sealed class PlainLogWriter(ErrorOutput output, bool hasTraces) : ILogWriter
{
    private const string Yellow = "\u001b[33m";
    private const string Red = "\u001b[31m";
    private const string Plain = "\u001b[0m";

    /// <inheritdoc/>
    public void Write(in LogLine line)
    {
        if (line.ExitCode is not null)
        {
            // What ended the program, in the one form that scripts and people look for.
            output.WriteLine($"benji: {OneLine.Of(line.Message)}{Trace(line)}");
            return;
        }

        var name = LogLevels.NameOf(line.Level).PadLeft(7);
        var color = line.Level switch
        {
            LogLevel.Warning => Yellow,
            LogLevel.Error or LogLevel.Critical => Red,
            _ => "",
        };
        var shown = output.HasColor && color.Length > 0 ? $"{color}{name}{Plain}" : name;
        output.WriteLine($"{shown}: {OneLine.Of(line.Message)}{Cause(line.Exception)}");
    }

    private static string Trace(in LogLine line) => line.Exception is null ? "" : $"\n{line.Exception}";

    private string Cause(Exception? exception) => exception switch
    {
        null => "",
        _ when hasTraces => $"\n{exception}",
        _ => $": {OneLine.Of(exception.Message)}",
    };
}
