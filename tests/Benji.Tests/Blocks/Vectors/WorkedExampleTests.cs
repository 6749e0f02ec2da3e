using System.Globalization;
using System.Text.RegularExpressions;
using Benji.Testing;
using Xunit;

namespace Benji.Tests.Blocks.Vectors;

/// <summary>The worked example in docs/format.md is the golden vector that it names.</summary>
public partial class WorkedExampleTests
{
    private const string Set = "tests/vectors/v1-aes";

    [GeneratedRegex(@"^([0-9a-f]{4})  ((?:[0-9a-f]{2} ?)+)", RegexOptions.Multiline)]
    private static partial Regex Row();

    [GeneratedRegex(@"`(blocks/[0-9a-f/]+\.d)`")]
    private static partial Regex BlockName();

    [Fact]
    public void TheBytesOnThePageAreTheVectors()
    {
        var section = Section();
        var block = File.ReadAllBytes(Repository.PathOf(Set, BlockName().Match(section).Groups[1].Value));
        var next = 0;
        foreach (Match row in Row().Matches(section))
        {
            var bytes = Convert.FromHexString(row.Groups[2].Value.Replace(" ", "", StringComparison.Ordinal));
            Assert.Equal(next, int.Parse(row.Groups[1].Value, NumberStyles.HexNumber, CultureInfo.InvariantCulture));
            Assert.Equal(block[next..(next + bytes.Length)], bytes);
            next += bytes.Length;
        }

        Assert.Equal(272, next);
    }

    [Fact]
    public void TheStoreFileOnThePageIsTheVectors() => Assert.Contains(
        $"```json\n{File.ReadAllText(Repository.PathOf(Set, "store.json"))}```", Section(), StringComparison.Ordinal);

    private static string Section()
    {
        var page = File.ReadAllText(Repository.PathOf("docs/format.md"));
        var start = page.IndexOf("## Worked example", StringComparison.Ordinal);
        return page[start..page.IndexOf("## Change list", StringComparison.Ordinal)];
    }
}
