using System.Buffers;
using System.Text.Json;
using Benji.Store.Blocks.Sealing;
using Benji.Store.Model;

namespace Benji.Store.Blocks.Documents;

/// <summary>The plaintext of a manifest: one JSON object with everything that is to know of a version.</summary>
/// <remarks>Pure. Format: docs/format.md, "Manifest".</remarks>
internal static class ManifestFile
{
    private const int Layout = 1;
    private const string Valid = "valid";
    private const string Invalid = "invalid";

    /// <summary>Returns the plaintext.</summary>
    /// <exception cref="UsageException">Its labels make it longer than a manifest may be.</exception>
    public static byte[] Format(VersionRecord version)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer, JsonFields.WriterOptions))
        {
            writer.WriteStartObject();
            writer.WriteNumber("manifest", Layout);
            writer.WriteString("id", version.Id.ToString("N"));
            writer.WriteString("volume", version.Name.Volume);
            writer.WriteString("version", version.Name.Version);
            writer.WriteString("date", Timestamps.Format(version.Date));
            writer.WriteString("snapshot", version.Snapshot);
            writer.WriteNumber("size", version.Size);
            writer.WriteNumber("block_size", version.BlockSize);
            writer.WriteString("status", version.Status == VersionStatus.Valid ? Valid : Invalid);
            writer.WriteBoolean("protected", version.IsProtected);
            writer.WriteStartObject("labels");
            foreach (var (name, value) in version.Labels)
            {
                writer.WriteString(name, value);
            }

            writer.WriteEndObject();
            FormatStatistics(writer, version.Statistics);
            writer.WriteString("root", version.Root.ToString());
            writer.WriteNumber("allocated", version.AllocatedBytes);
            writer.WriteNumber("revision", version.Revision);
            writer.WriteEndObject();
        }

        return buffer.WrittenCount <= SealedHeader.ManifestLengthMax
            ? buffer.WrittenSpan.ToArray()
            : throw new UsageException(
                $"The manifest of {version.Name} would have {buffer.WrittenCount} bytes; "
                + $"{SealedHeader.ManifestLengthMax} fit. Use fewer or shorter labels.");
    }

    /// <summary>Parses the plaintext and compares it with the name it was read by.</summary>
    /// <param name="bytes">The plaintext.</param>
    /// <param name="name">The version that was asked for.</param>
    /// <param name="storage">The configured name of the storage it comes from.</param>
    /// <exception cref="ConfigurationException">It is of a newer format.</exception>
    /// <exception cref="CorruptDataException">It is not the manifest of that version.</exception>
    public static VersionRecord Parse(ReadOnlyMemory<byte> bytes, VersionName name, string storage)
    {
        var version = JsonFields.Parse(bytes, $"The manifest of {name}", fields => Read(fields, name, storage));
        try
        {
            _ = version.Geometry;
        }
        catch (UsageException exception)
        {
            throw new CorruptDataException($"The manifest of {name}: {exception.Message}", exception);
        }

        return version;
    }

    private static VersionRecord Read(JsonFields fields, VersionName name, string storage)
    {
        if (fields.Number("manifest", 0, long.MaxValue) is var layout and not Layout)
        {
            throw new ConfigurationException(
                $"The manifest of {name} is of layout {layout}; this program reads {Layout}.");
        }

        if (fields.Text("volume") != name.Volume || fields.Text("version") != name.Version)
        {
            throw fields.Wrong("volume", $"and version say {Names.Show(fields.Text("volume"))} and "
                + $"{Names.Show(fields.Text("version"))}: the object was renamed");
        }

        var size = fields.Number("size", 0, BlockGeometry.SizeMax);
        return new VersionRecord
        {
            Id = fields.Id("id"),
            Name = name,
            Date = fields.Date("date"),
            Snapshot = fields.Text("snapshot"),
            Size = size,
            BlockSize = (int)fields.Number("block_size", BlockGeometry.BlockSizeMin, BlockGeometry.BlockSizeMax),
            Storage = storage,
            Status = fields.Text("status") switch
            {
                Valid => VersionStatus.Valid,
                Invalid => VersionStatus.Invalid,
                _ => throw fields.Wrong("status", "is neither valid nor invalid"),
            },
            IsProtected = fields.Flag("protected"),
            Labels = ReadLabels(fields.Object("labels")),
            Statistics = fields.IsNull("statistics") ? null : ReadStatistics(fields.Object("statistics")),
            Root = new PageId(fields.Hash("root")),
            AllocatedBytes = fields.Number("allocated", 0, size),
            Revision = fields.Number("revision", 1, long.MaxValue),
        };
    }

    private static SortedList<string, string> ReadLabels(JsonFields fields)
    {
        var labels = new SortedList<string, string>(StringComparer.Ordinal);
        foreach (var name in fields.Names())
        {
            labels.Add(name, fields.Text(name));
        }

        return labels;
    }

    private static void FormatStatistics(Utf8JsonWriter writer, VersionStatistics? statistics)
    {
        if (statistics is null)
        {
            writer.WriteNull("statistics");
            return;
        }

        writer.WriteStartObject("statistics");
        writer.WriteNumber("bytes_read", statistics.BytesRead);
        writer.WriteNumber("bytes_written", statistics.BytesWritten);
        writer.WriteNumber("bytes_deduplicated", statistics.BytesDeduplicated);
        writer.WriteNumber("bytes_sparse", statistics.BytesSparse);
        writer.WriteNumber("bytes_stored", statistics.BytesStored);
        writer.WriteNumber("duration", statistics.Duration);
        writer.WriteEndObject();
    }

    private static VersionStatistics ReadStatistics(JsonFields fields) => new(
        fields.Number("bytes_read", 0, long.MaxValue),
        fields.Number("bytes_written", 0, long.MaxValue),
        fields.Number("bytes_deduplicated", 0, long.MaxValue),
        fields.Number("bytes_sparse", 0, long.MaxValue),
        fields.Number("bytes_stored", 0, long.MaxValue),
        fields.Fraction("duration"));
}
