using System.Text;
using System.Text.Json;
using Benji.Store.Operations;

namespace Benji.Cli.Output;

/// <summary>Tells what a backup did, for people and for programs.</summary>
internal static class BackupReport
{
    /// <summary>Returns the summary in one line: read, unchanged, new, deduplicated, holes, stored, time.</summary>
    public static string Summary(BackupResult result, bool isVerbose)
    {
        var version = result.Version;
        var statistics = version.Statistics;
        var text = new StringBuilder();
        text.Append(version.Name).Append(": ").Append(Quantities.Bytes(version.Size));
        if (result.BaseVersion is { } baseVersion)
        {
            text.Append(" compared with ").Append(baseVersion);
        }

        if (statistics is not null)
        {
            text.Append("; read ").Append(Quantities.Bytes(statistics.BytesRead));
        }

        text.Append(", unchanged ").Append(Quantities.Bytes(result.BytesUnchanged));
        if (statistics is not null)
        {
            var duration = TimeSpan.FromSeconds(statistics.Duration);

            // Every block is one of the four; the counted deduplicated bytes include unchanged ones, as the original's do.
            var deduplicated = version.Size - result.BytesUnchanged - statistics.BytesWritten - statistics.BytesSparse;
            text.Append(", new ").Append(Quantities.Bytes(statistics.BytesWritten));
            text.Append(", deduplicated ").Append(Quantities.Bytes(deduplicated));
            text.Append(", holes ").Append(Quantities.Bytes(statistics.BytesSparse));
            text.Append(", stored ").Append(Quantities.Bytes(statistics.BytesStored));
            text.Append(", in ").Append(Quantities.Duration(duration));
            text.Append(" (").Append(Quantities.Rate(version.Size, duration)).Append(')');
        }

        if (isVerbose)
        {
            text.Append("; blocks: ").Append(result.BlocksUnchanged).Append(" unchanged, ");
            text.Append(result.BlocksNew).Append(" new (").Append(result.BlocksDelta).Append(" as deltas), ");
            text.Append(result.BlocksDeduplicated).Append(" deduplicated, ").Append(result.BlocksHole).Append(" holes");
            text.Append("; buffers of at most ").Append(Quantities.Bytes(result.MemoryBound));
        }

        return text.ToString();
    }

    /// <summary>Returns what is wrong with the new version in one sentence, or null when all is right.</summary>
    public static string? Failure(BackupResult result) => result.UsesNewDamage
        ? $"{result.Version.Name} is invalid: blocks that it uses were found damaged while it was made. "
            + "The next backup of the same content stores them again."
        : null;

    /// <summary>Writes the fields of machine output.</summary>
    public static void WriteJson(Utf8JsonWriter writer, BackupResult result)
    {
        MachineJson.WriteVersions(writer, "versions", [result.Version]);
        writer.WriteStartObject("backup"u8);
        writer.WriteString("base_version"u8, result.BaseVersion?.ToString());
        writer.WriteNumber("bytes_unchanged"u8, result.BytesUnchanged);
        writer.WriteNumber("blocks_unchanged"u8, result.BlocksUnchanged);
        writer.WriteNumber("blocks_new"u8, result.BlocksNew);
        writer.WriteNumber("blocks_delta"u8, result.BlocksDelta);
        writer.WriteNumber("blocks_deduplicated"u8, result.BlocksDeduplicated);
        writer.WriteNumber("blocks_sparse"u8, result.BlocksHole);
        writer.WriteNumber("memory_bound"u8, result.MemoryBound);
        writer.WriteEndObject();
    }
}
