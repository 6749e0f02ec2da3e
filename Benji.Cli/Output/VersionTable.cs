using System.Globalization;
using Benji.Store.Model;

namespace Benji.Cli.Output;

/// <summary>The rows and columns of <c>ls</c>, as texts.</summary>
internal static class VersionTable
{
    // Stands for an empty cell, so that the columns can be taken apart at blanks.
    private const string Empty = "-";

    // What is left out, one after the other, where a terminal is too narrow: what is the same in most rows first.
    private static readonly string[] LeftOut = ["block_size", "storage", "snapshot", "protected"];

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

    /// <summary>Leaves columns out until a table fits.</summary>
    /// <param name="headings">The headings.</param>
    /// <param name="rows">The cells of each row.</param>
    /// <param name="fits">True for a table that fits.</param>
    /// <returns>The table, or null where even the columns that always stay do not fit.</returns>
    public static (string[] Headings, IReadOnlyList<string[]> Rows)? Fit(
        string[] headings, IReadOnlyList<string[]> rows, Func<string[], IReadOnlyList<string[]>, bool> fits)
    {
        for (var left = 0; left <= LeftOut.Length; left++)
        {
            var kept = Enumerable.Range(0, headings.Length)
                .Where(column => !LeftOut.AsSpan(0, left).Contains(headings[column]))
                .ToArray();
            var table = (Headings: Keep(headings), Rows: (IReadOnlyList<string[]>)[.. rows.Select(Keep)]);
            if (fits(table.Headings, table.Rows))
            {
                return table;
            }

            string[] Keep(string[] cells) => Array.ConvertAll(kept, column => cells[column]);
        }

        return null;
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
        var date = TimeZoneInfo.ConvertTime(version.Date, zone);
        cells[0] = date.ToString("yyyy-MM-ddTHH:mm:ss", CultureInfo.InvariantCulture);
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
