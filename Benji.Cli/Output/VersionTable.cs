using Benji.Store.Model;

namespace Benji.Cli.Output;

/// <summary>The rows and columns of <c>ls</c>, as texts.</summary>
internal static class VersionTable
{
    // Stands for an empty cell, so that the columns can be taken apart at blanks.
    private const string Empty = "-";

    // A default name says the date, and a storage's block size is that of most versions.
    private static readonly string[] LeavesOut =
    [
        "block_size", "storage", "snapshot", "date", "sparse", "deduplicated", "protected", "written", "read", "duration", "size",
    ];

    /// <summary>Returns versions as a table.</summary>
    /// <param name="versions">The versions.</param>
    /// <param name="zone">The time zone to show dates in.</param>
    /// <param name="hasStatistics">True for the columns of counts.</param>
    /// <param name="hasLabels">True for the column of labels.</param>
    public static Table Of(
        IReadOnlyList<VersionRecord> versions, TimeZoneInfo zone, bool hasStatistics, bool hasLabels) => new(
        Headings(hasStatistics, hasLabels),
        [.. versions.Select(version => Cells(version, zone, hasStatistics, hasLabels))],
        LeavesOut);

    /// <summary>Returns the headings.</summary>
    public static string[] Headings(bool hasStatistics, bool hasLabels)
    {
        List<string> headings =
            ["date", "uid", "snapshot", "size", "block_size", "status", "protected", "storage"];
        if (hasStatistics)
        {
            headings.AddRange(["read", "written", "deduplicated", "sparse", "stored", "duration"]);
        }

        if (hasLabels)
        {
            headings.Add("labels");
        }

        return [.. headings];
    }

    /// <summary>True for a column of numbers, which is aligned to the right.</summary>
    public static bool IsRightAligned(string heading) => heading is "size" or "block_size" or "read" or "written"
        or "deduplicated" or "sparse" or "stored" or "duration";

    /// <summary>Returns the cells of one version, in the order of the headings; none is empty.</summary>
    /// <param name="version">The version.</param>
    /// <param name="zone">The time zone to show its date in.</param>
    /// <param name="hasStatistics">True for the columns of counts.</param>
    /// <param name="hasLabels">True for the column of labels.</param>
    public static string[] Cells(VersionRecord version, TimeZoneInfo zone, bool hasStatistics, bool hasLabels)
    {
        var cells = new string[Width(hasStatistics, hasLabels)];
        cells[0] = Quantities.Time(version.Date, zone);
        cells[1] = version.Name.ToString();
        cells[2] = version.Snapshot.Length == 0 ? Empty : OneLine.Of(version.Snapshot);
        cells[3] = Amount(version.Size);
        cells[4] = Amount(version.BlockSize);
        cells[5] = MachineJson.StatusName(version.Status);
        cells[6] = version.IsProtected ? "yes" : "no";
        cells[7] = version.Storage;
        if (hasStatistics)
        {
            FillStatistics(cells.AsSpan(8), version.Statistics);
        }

        if (hasLabels)
        {
            cells[^1] = Labels(version.Labels);
        }

        return cells;
    }

    private static int Width(bool hasStatistics, bool hasLabels) => 8 + (hasStatistics ? 6 : 0) + (hasLabels ? 1 : 0);

    private static void FillStatistics(Span<string> cells, VersionStatistics? statistics)
    {
        if (statistics is null)
        {
            cells[..6].Fill(Empty);
            return;
        }

        cells[0] = Amount(statistics.BytesRead);
        cells[1] = Amount(statistics.BytesWritten);
        cells[2] = Amount(statistics.BytesDeduplicated);
        cells[3] = Amount(statistics.BytesSparse);
        cells[4] = Amount(statistics.BytesStored);
        cells[5] = Quantities.Duration(TimeSpan.FromSeconds(statistics.Duration)).Replace(" ", "", StringComparison.Ordinal);
    }

    // Without a blank inside: 4.0MiB.
    private static string Amount(long bytes) =>
        Quantities.Bytes(bytes).Replace(" ", "", StringComparison.Ordinal);

    /// <summary>Returns labels as <c>a=1,b</c>, a dash for none.</summary>
    public static string Labels(SortedList<string, string> labels)
    {
        if (labels.Count == 0)
        {
            return Empty;
        }

        var texts = new List<string>(labels.Count);
        foreach (var (name, value) in labels)
        {
            texts.Add(value.Length == 0 ? name : $"{name}={value}");
        }

        return OneLine.Of(string.Join(',', texts));
    }
}
