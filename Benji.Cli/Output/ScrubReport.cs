using System.Text.Json;
using Benji.Store.Operations;

namespace Benji.Cli.Output;

/// <summary>Tells what a scrub found, for people and for programs.</summary>
internal static class ScrubReport
{
    /// <summary>Returns the summary in one line.</summary>
    public static string Summary(ScrubResult result) =>
        $"{result.Version.Name}: {MachineJson.StatusName(result.Version.Status)}; checked "
        + $"{Quantities.Count(result.BlocksChecked, "block")}, {Quantities.Bytes(result.BytesChecked)}, in "
        + $"{Quantities.Duration(result.Duration)} ({Quantities.Rate(result.BytesChecked, result.Duration)})";

    /// <summary>Returns what is wrong in one sentence, or null when all is right.</summary>
    public static string? Failure(ScrubResult result)
    {
        var name = result.Version.Name;
        if (result.Damage.Count > 0)
        {
            var others = result.VersionsInvalidated.Count == 0
                ? ""
                : $", and so are {Quantities.Count(result.VersionsInvalidated.Count, "other version")} that use them: "
                    + string.Join(", ", result.VersionsInvalidated);
            return $"{Quantities.Count(result.Damage.Count, "range")} of {name} "
                + $"({Quantities.Bytes(DamageMap.Bytes(result.Damage))}) are damaged or missing; it is invalid{others}. "
                + "The next backup of the same content stores them again.";
        }

        return result.SourceDifferences.Count == 0
            ? null
            : $"The source differs from {name} in {Quantities.Count(result.SourceDifferences.Count, "range")}; "
                + "what is stored is right.";
    }

    /// <summary>Writes one line for each range that the source holds differently.</summary>
    public static void WriteDifferences(TextWriter output, ScrubResult result)
    {
        foreach (var range in result.SourceDifferences)
        {
            output.WriteLine($"differs {range.Offset} {range.Length}");
        }
    }

    /// <summary>Writes the fields of machine output; <c>errors</c> holds the version when a block is damaged.</summary>
    public static void WriteJson(Utf8JsonWriter writer, ScrubResult result)
    {
        MachineJson.WriteVersions(writer, "versions", [result.Version]);
        MachineJson.WriteVersions(writer, "errors", Failure(result) is null ? [] : [result.Version]);
        MachineJson.WriteDamage(writer, result.Damage);
        MachineJson.WriteRanges(writer, "source_differences", result.SourceDifferences);
        MachineJson.WriteTexts(
            writer, "versions_invalidated", result.VersionsInvalidated.Select(name => name.ToString()));
        writer.WriteStartObject("scrub"u8);
        writer.WriteNumber("blocks_checked"u8, result.BlocksChecked);
        writer.WriteNumber("bytes_checked"u8, result.BytesChecked);
        writer.WriteNumber("duration"u8, MachineJson.Seconds(result.Duration));
        writer.WriteEndObject();
    }
}
