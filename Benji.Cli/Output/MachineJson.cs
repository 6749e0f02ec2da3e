using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using Benji.Store.Model;
using Benji.Store.Operations;

namespace Benji.Cli.Output;

/// <summary>Writes the parts of machine output, with the original's field names; what is ours is an added field.</summary>
/// <remarks>Times are UTC in ISO form with microseconds and Z, sizes are bytes, durations are seconds.</remarks>
internal static class MachineJson
{
    /// <summary>Leaves all but quotes, backslashes and control characters as they are: the output is no web page.</summary>
    public static JavaScriptEncoder Encoder => JavaScriptEncoder.UnsafeRelaxedJsonEscaping;

    /// <summary>Two spaces a level, as the original.</summary>
    public static JsonWriterOptions Options => new() { Indented = true, Encoder = Encoder };

    /// <summary>Writes a property that is an array of versions.</summary>
    public static void WriteVersions(Utf8JsonWriter writer, string property, IEnumerable<VersionRecord> versions)
    {
        writer.WriteStartArray(property);
        foreach (var version in versions)
        {
            WriteVersion(writer, version);
        }

        writer.WriteEndArray();
    }

    /// <summary>Writes a property that is an array of damaged ranges.</summary>
    public static void WriteDamage(Utf8JsonWriter writer, IEnumerable<Damage> damage)
    {
        writer.WriteStartArray("damage"u8);
        foreach (var range in damage)
        {
            writer.WriteStartObject();
            writer.WriteNumber("offset"u8, range.Offset);
            writer.WriteNumber("length"u8, range.Length);
            writer.WriteString("block"u8, range.Block.ToString());
            writer.WriteString("reason"u8, range.Reason);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
    }

    /// <summary>Writes a property that is an array of ranges.</summary>
    public static void WriteRanges(Utf8JsonWriter writer, string property, IEnumerable<Extent> ranges)
    {
        writer.WriteStartArray(property);
        foreach (var range in ranges)
        {
            writer.WriteStartObject();
            writer.WriteNumber("offset"u8, range.Offset);
            writer.WriteNumber("length"u8, range.Length);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
    }

    /// <summary>Writes a property that is an array of texts.</summary>
    public static void WriteTexts(Utf8JsonWriter writer, string property, IEnumerable<string> texts)
    {
        writer.WriteStartArray(property);
        foreach (var text in texts)
        {
            writer.WriteStringValue(text);
        }

        writer.WriteEndArray();
    }

    /// <summary>Returns seconds to the microsecond.</summary>
    public static decimal Seconds(TimeSpan duration) => duration.Ticks / 10 / 1_000_000m;

    private static void WriteVersion(Utf8JsonWriter writer, VersionRecord version)
    {
        writer.WriteStartObject();
        writer.WriteString("uid"u8, version.Name.ToString());
        writer.WriteString("date"u8, Date(version.Date));
        writer.WriteString("volume"u8, version.Name.Volume);
        writer.WriteString("snapshot"u8, version.Snapshot);
        writer.WriteNumber("size"u8, version.Size);
        writer.WriteNumber("block_size"u8, version.BlockSize);
        writer.WriteString("status"u8, StatusName(version.Status));
        writer.WriteBoolean("protected"u8, version.IsProtected);
        writer.WriteString("storage"u8, version.Storage);
        WriteStatistics(writer, version.Statistics);
        writer.WriteStartObject("labels"u8);
        foreach (var (name, value) in version.Labels)
        {
            writer.WriteString(name, value);
        }

        writer.WriteEndObject();

        // Added to the original's fields.
        writer.WriteString("id"u8, version.Id);
        writer.WriteString("version"u8, version.Name.Version);
        writer.WriteNumber("bytes_allocated"u8, version.AllocatedBytes);
        WriteNumber(writer, "bytes_stored", version.Statistics?.BytesStored);
        writer.WriteEndObject();
    }

    private static void WriteStatistics(Utf8JsonWriter writer, VersionStatistics? statistics)
    {
        WriteNumber(writer, "bytes_read", statistics?.BytesRead);
        WriteNumber(writer, "bytes_written", statistics?.BytesWritten);
        WriteNumber(writer, "bytes_deduplicated", statistics?.BytesDeduplicated);
        WriteNumber(writer, "bytes_sparse", statistics?.BytesSparse);
        if (statistics is null)
        {
            writer.WriteNull("duration"u8);
        }
        else
        {
            writer.WriteNumber("duration"u8, Seconds(TimeSpan.FromSeconds(statistics.Duration)));
        }
    }

    private static void WriteNumber(Utf8JsonWriter writer, string property, long? value)
    {
        if (value is { } known)
        {
            writer.WriteNumber(property, known);
        }
        else
        {
            writer.WriteNull(property);
        }
    }

    /// <summary>Returns a time in UTC, in ISO form with microseconds and Z.</summary>
    public static string Date(DateTimeOffset date) =>
        date.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ss.ffffffZ", CultureInfo.InvariantCulture);

    /// <summary>Returns <c>valid</c> or <c>invalid</c>.</summary>
    public static string StatusName(VersionStatus status) => status switch
    {
        VersionStatus.Valid => "valid",
        _ => "invalid",
    };
}
