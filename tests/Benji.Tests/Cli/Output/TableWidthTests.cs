using System.Text;
using Benji.Cli.Output;
using Benji.Cli.Streams;
using Benji.Store.Model;
using Xunit;

namespace Benji.Tests.Cli.Output;

/// <summary>What a table shows at which width: a screen of 80 columns, one of 40, and where nobody watches.</summary>
public class TableWidthTests
{
    private static readonly VersionRecord[] Versions = [SampleVersions.Bare, SampleVersions.Full];

    [Fact]
    public void EightyColumnsShowTheNamesDatesAndStates() => Assert.Equal(
        """
        date                       uid                           size  status   protected
        2026-01-03T01:04:05+02:00  db/first                        0B  valid    no
        2026-11-23T04:45:01+02:00  vm/web-1/20261123T024501Z  10.0GiB  invalid  yes

        """,
        Written(82, hasStatistics: false, hasLabels: false));

    [Fact]
    public void FewerColumnsShowATableOfLess() => Assert.Equal(
        """
        ╭───────────────────────────┬─────────┬─────────┬───────────╮
        │ uid                       │    size │ status  │ protected │
        ├───────────────────────────┼─────────┼─────────┼───────────┤
        │ db/first                  │      0B │ valid   │ no        │
        │ vm/web-1/20261123T024501Z │ 10.0GiB │ invalid │ yes       │
        ╰───────────────────────────┴─────────┴─────────┴───────────╯

        """,
        Written(80, hasStatistics: false, hasLabels: false));

    [Fact]
    public void FortyColumnsShowTheNamesAndStates() => Assert.Equal(
        """
        ╭───────────────────────────┬─────────╮
        │ uid                       │ status  │
        ├───────────────────────────┼─────────┤
        │ db/first                  │ valid   │
        │ vm/web-1/20261123T024501Z │ invalid │
        ╰───────────────────────────┴─────────╯

        """,
        Written(40, hasStatistics: false, hasLabels: false));

    [Fact]
    public void NoNameIsBrokenWhereNothingFits() => Assert.Equal(
        """
        uid                        status
        db/first                   valid
        vm/web-1/20261123T024501Z  invalid

        """,
        Written(10, hasStatistics: false, hasLabels: false));

    [Fact]
    public void StatisticsAndLabelsComeFirstWhenTheyAreAskedFor() => Assert.Equal(
        """
        uid                        status   stored  labels
        db/first                   valid         -  -
        vm/web-1/20261123T024501Z  invalid  4.9KiB  keep,site=b"n

        """,
        Written(60, hasStatistics: true, hasLabels: true));

    [Theory]
    [InlineData(40, false)]
    [InlineData(60, false)]
    [InlineData(60, true)]
    [InlineData(80, false)]
    [InlineData(80, true)]
    [InlineData(132, true)]
    [InlineData(300, true)]
    public void NoLineIsWiderThanTheTerminal(int width, bool hasStatistics) => Assert.All(
        Written(width, hasStatistics, hasLabels: false).Split('\n'), line => Assert.InRange(line.Length, 0, width));

    [Fact]
    public void AWiderTerminalNeverShowsLess()
    {
        var before = 0;
        for (var width = 30; width < 250; width++)
        {
            var shown = Written(width, hasStatistics: true, hasLabels: false)
                .Split('\n').First(line => line.Contains("uid", StringComparison.Ordinal))
                .Split([' ', '│'], StringSplitOptions.RemoveEmptyEntries).Length;
            Assert.True(shown >= before, $"{width} columns show {shown} words, {width - 1} show {before}.");
            before = shown;
        }
    }

    [Fact]
    public void WithoutUtf8LinesAreDrawnInAscii()
    {
        var written = Written(80, hasStatistics: false, hasLabels: false, hasUnicode: false);
        Assert.True(Ascii.IsValid(written), written);
        Assert.Contains("| vm/web-1/20261123T024501Z |", written, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("C.UTF-8", null, null, true)]
    [InlineData("C", null, "en_US.UTF-8", false)]
    [InlineData("", "de_DE.utf8", "C", true)]
    [InlineData(null, null, "en_US.UTF-8", true)]
    [InlineData(null, null, "POSIX", false)]
    [InlineData(null, null, null, false)]
    public void TheFirstVariableThatSaysAnythingDecidesOnTheCharacters(string? all, string? type, string? lang, bool isUtf8) =>
        Assert.Equal(isUtf8, Locale.IsUtf8(name => name switch { "LC_ALL" => all, "LC_CTYPE" => type, _ => lang }));

    private static string Written(int width, bool hasStatistics, bool hasLabels, bool hasUnicode = true)
    {
        using var stream = new MemoryStream();
        var output = new StandardOutput(stream, isTerminal: true, hasUnicode, () => width);
        VersionTable.Of(Versions, new SteppedClock().LocalTimeZone, hasStatistics, hasLabels).Write(output, hasColor: false);
        output.Flush();
        return string.Join('\n', Encoding.UTF8.GetString(stream.ToArray()).Split('\n').Select(line => line.TrimEnd()));
    }
}
