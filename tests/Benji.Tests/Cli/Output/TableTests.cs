using Benji.Cli.Output;
using Xunit;

namespace Benji.Tests.Cli.Output;

public class TableTests
{
    private readonly TimeZoneInfo _zone = new SteppedClock().LocalTimeZone;

    [Fact]
    public void PlainColumnsAreAligned()
    {
        using var output = new StringWriter();
        var rows = new[] { SampleVersions.Bare, SampleVersions.Full }
            .Select(version => VersionTable.Cells(version, _zone, false, false)).ToList();
        PlainTable.Write(output, VersionTable.Headings(false, false), rows);
        Assert.Equal(
            """
            date                 uid                        snapshot     size  block_size  status   protected  storage
            2026-01-03T01:04:05  db/first                   -              0B     64.0KiB  valid    no         main
            2026-11-23T04:45:01  vm/web-1/20261123T024501Z  b-2026    10.0GiB      4.0MiB  invalid  yes        main

            """,
            output.ToString());
    }

    [Fact]
    public void StatisticsAndLabelsAreFurtherColumns()
    {
        var headings = VersionTable.Headings(true, true);
        Assert.Equal(["read", "written", "deduplicated", "sparse", "stored", "duration", "labels"], headings[8..]);
        Assert.Equal(
            ["1000B", "2.0KiB", "2.9KiB", "4.0KiB", "4.9KiB", "1.5s", "keep,site=b\"n"],
            VersionTable.Cells(SampleVersions.Full, _zone, true, true)[8..]);
        Assert.Equal(
            ["-", "-", "-", "-", "-", "-", "-"], VersionTable.Cells(SampleVersions.Bare, _zone, true, true)[8..]);
    }

    [Fact]
    public void EveryRowHasAsManyWordsAsTheHeading()
    {
        var headings = VersionTable.Headings(true, false);
        var cells = VersionTable.Cells(SampleVersions.Full, _zone, true, false);
        Assert.Equal(headings.Length, string.Join("  ", cells).Split(' ', StringSplitOptions.RemoveEmptyEntries).Length);
    }

    [Fact]
    public void AnEscapeSequenceInASnapshotsNameDoesNotAct()
    {
        var version = SampleVersions.Full with { Snapshot = "x\u001b[2Jy" };
        Assert.Equal("x\\u001b[2Jy", VersionTable.Cells(version, _zone, false, false)[2]);
    }

    [Fact]
    public void ATableFitsOnlyWhenNoCellIsBroken()
    {
        var headings = VersionTable.Headings(false, false);
        string[][] rows = [VersionTable.Cells(SampleVersions.Full, _zone, false, false)];
        using var output = new StringWriter { NewLine = "\n" };
        TerminalTable.Write(output, headings, rows, width: 500, hasColor: false);
        var drawn = output.ToString().Split('\n')[0].TrimEnd().Length;
        Assert.True(TerminalTable.Fits(headings, rows, drawn));
        Assert.False(TerminalTable.Fits(headings, rows, drawn - 1));
    }

    [Theory]
    [InlineData(200, "date uid snapshot size block_size status protected storage")]
    [InlineData(110, "date uid snapshot size status protected storage")]
    [InlineData(95, "date uid snapshot size status protected")]
    [InlineData(85, "date uid size status protected")]
    [InlineData(80, "date uid size status")]
    [InlineData(40, null)]
    public void ANarrowTerminalShowsFewerColumns(int width, string? headings)
    {
        string[][] rows = [VersionTable.Cells(SampleVersions.Full, _zone, false, false)];
        var table = VersionTable.Fit(
            VersionTable.Headings(false, false), rows, (some, cells) => TerminalTable.Fits(some, cells, width));
        Assert.Equal(headings, table is { } found ? string.Join(' ', found.Headings) : null);
        Assert.All(table?.Rows ?? [], row => Assert.Equal(table!.Value.Headings.Length, row.Length));
    }

    [Fact]
    public void ATableOfVeryManyRowsIsNotDrawn()
    {
        var row = VersionTable.Cells(SampleVersions.Full, _zone, false, false);
        Assert.False(TerminalTable.Fits(VersionTable.Headings(false, false), [.. Enumerable.Repeat(row, 501)], 500));
    }

    [Fact]
    public void ATerminalGetsAFrame()
    {
        using var output = new StringWriter();
        TerminalTable.Write(
            output,
            VersionTable.Headings(false, false),
            [VersionTable.Cells(SampleVersions.Full, _zone, false, false)],
            width: 200,
            hasColor: false);
        Assert.Contains("─", output.ToString(), StringComparison.Ordinal);
        Assert.Contains("block size", output.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("\u001b[", output.ToString(), StringComparison.Ordinal);
    }
}
