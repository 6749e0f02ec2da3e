using System.Text.Json;
using Benji.Store.Operations;

namespace Benji.Cli.Output;

/// <summary>Tells what a restore did, for people and for programs.</summary>
internal static class RestoreReport
{
    /// <summary>Returns the summary in one line.</summary>
    public static string Summary(RestoreResult result) =>
        $"{result.Version.Name}: {Quantities.Bytes(result.Version.Size)}; written "
        + $"{Quantities.Bytes(result.BytesWritten)}, holes {Quantities.Bytes(result.BytesHole)}, in "
        + $"{Quantities.Duration(result.Duration)} ({Quantities.Rate(result.Version.Size, result.Duration)})";

    /// <summary>Writes the fields of machine output; <c>errors</c> holds the version when it is damaged.</summary>
    public static void WriteJson(Utf8JsonWriter writer, RestoreResult result)
    {
        MachineJson.WriteVersions(writer, "versions", [result.Version]);
        MachineJson.WriteVersions(writer, "errors", result.Damage.Count == 0 ? [] : [result.Version]);
        MachineJson.WriteDamage(writer, result.Damage);
        writer.WriteStartObject("restore"u8);
        writer.WriteNumber("bytes_written"u8, result.BytesWritten);
        writer.WriteNumber("bytes_sparse"u8, result.BytesHole);
        writer.WriteNumber("duration"u8, MachineJson.Seconds(result.Duration));
        writer.WriteEndObject();
    }
}
