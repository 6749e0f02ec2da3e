using System.Buffers;
using System.Text;
using System.Text.Json;
using Benji.Cli.Output;
using Benji.Cli.Streams;

namespace Benji.Cli.Logging;

/// <summary>Writes log lines for programs to standard error, one JSON object a line.</summary>
/// <remarks>The fields <c>event</c>, <c>level</c>, <c>timestamp</c>, <c>process</c>, <c>thread_id</c> and
/// <c>exception</c> are the original's.</remarks>
internal sealed class JsonLogWriter(ErrorOutput output) : ILogWriter
{
    /// <inheritdoc/>
    public void Write(in LogLine line)
    {
        var buffer = new ArrayBufferWriter<byte>(512);
        using (var writer = new Utf8JsonWriter(buffer, new JsonWriterOptions { Encoder = MachineJson.Encoder }))
        {
            writer.WriteStartObject();
            writer.WriteString("event"u8, line.Message);
            writer.WriteString("level"u8, LogLevels.NameOf(line.Level).ToLowerInvariant());
            writer.WriteNumber("timestamp"u8, line.Time.ToUnixTimeMilliseconds() / 1000m);
            writer.WriteString("logger"u8, line.Category);
            writer.WriteNumber("event_id"u8, line.EventId);
            writer.WriteNumber("process"u8, Environment.ProcessId);
            writer.WriteNumber("thread_id"u8, Environment.CurrentManagedThreadId);
            if (line.ExitCode is { } code)
            {
                writer.WriteNumber("exit_code"u8, code);
            }

            if (line.Exception is { } exception)
            {
                writer.WriteString("exception"u8, exception.ToString());
            }

            writer.WriteEndObject();
        }

        output.WriteLine(Encoding.UTF8.GetString(buffer.WrittenSpan));
    }
}
