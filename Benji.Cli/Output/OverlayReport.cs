using System.Text.Json;
using Benji.Cli.Streams;
using Benji.Store.Images;

namespace Benji.Cli.Output;

/// <summary>Shows overlays, for people and for programs.</summary>
internal static class OverlayReport
{
    private static readonly string[] Headings = ["date", "uid", "base", "age", "dirty", "open"];

    /// <summary>Writes a table of overlays; the last column says who has one open.</summary>
    public static void WriteTable(
        StandardOutput output, IReadOnlyList<ImageEntry> overlays, TimeProvider time, bool hasColor)
    {
        // The name of an overlay begins with that of its base.
        var rows = overlays.Select(overlay => Cells(overlay, time)).ToList();
        new Table(Headings, rows, ["date", "base", "open", "age"]).Write(output, hasColor);
    }

    /// <summary>Writes the property <c>overlays</c> of machine output.</summary>
    public static void WriteJson(Utf8JsonWriter writer, IEnumerable<ImageEntry> overlays)
    {
        writer.WriteStartArray("overlays"u8);
        foreach (var entry in overlays)
        {
            var overlay = entry.Overlay!;
            writer.WriteStartObject();
            writer.WriteString("uid"u8, entry.Name);
            writer.WriteString("date"u8, MachineJson.Date(overlay.Created));
            writer.WriteString("base"u8, entry.Version.Name.ToString());
            writer.WriteString("volume"u8, entry.Version.Name.Volume);
            writer.WriteString("name"u8, overlay.Name);
            writer.WriteNumber("size"u8, entry.Size);
            writer.WriteNumber("bytes_dirty"u8, overlay.DirtyBytes);
            writer.WriteString("holder"u8, overlay.Holder);
            writer.WriteString("id"u8, overlay.Id);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
    }

    private static string[] Cells(ImageEntry entry, TimeProvider time)
    {
        var overlay = entry.Overlay!;
        var age = TimeSpan.FromSeconds(Math.Max(0, Math.Floor((time.GetUtcNow() - overlay.Created).TotalSeconds)));
        return
        [
            Quantities.Time(overlay.Created, time.LocalTimeZone),
            entry.Name,
            entry.Version.Name.ToString(),
            Quantities.Duration(age).Replace(" ", "", StringComparison.Ordinal),
            Quantities.Bytes(overlay.DirtyBytes).Replace(" ", "", StringComparison.Ordinal),
            overlay.Holder ?? "-",
        ];
    }
}
