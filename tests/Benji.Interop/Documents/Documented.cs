using System.Text.RegularExpressions;
using Benji.Testing;
using Xunit;

namespace Benji.Interop.Documents;

/// <summary>The commands that a page shows.</summary>
internal static partial class Documented
{
    /// <summary>Returns the blocks of commands of a page, or of what stands under one of its headings.</summary>
    public static IReadOnlyList<string> Blocks(string page, string? heading = null) =>
        [.. Fences().Matches(Text(page, heading)).Select(fence => fence.Groups[1].Value)];

    private static string Text(string page, string? heading)
    {
        var text = File.ReadAllText(Repository.PathOf(page.Split('/')));
        if (heading is null)
        {
            return text;
        }

        var start = text.IndexOf($"\n## {heading}\n", StringComparison.Ordinal);
        Assert.True(start >= 0, $"{page} has no section {heading}.");
        var end = text.IndexOf("\n## ", start + 4, StringComparison.Ordinal);
        return text[start..(end < 0 ? text.Length : end)];
    }

    [GeneratedRegex("```sh\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex Fences();
}
