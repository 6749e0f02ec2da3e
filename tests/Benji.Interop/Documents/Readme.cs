using System.Text.RegularExpressions;
using Benji.Testing;
using Xunit;

namespace Benji.Interop.Documents;

/// <summary>The commands in README.md.</summary>
internal static partial class Readme
{
    /// <summary>Returns the blocks of commands under a heading.</summary>
    public static IReadOnlyList<string> BlocksOf(string heading) =>
        [.. Fences().Matches(Section(heading)).Select(fence => fence.Groups[1].Value)];

    private static string Section(string heading)
    {
        var text = File.ReadAllText(Repository.PathOf("README.md"));
        var start = text.IndexOf($"\n## {heading}\n", StringComparison.Ordinal);
        Assert.True(start >= 0, $"README.md has no section {heading}.");
        var end = text.IndexOf("\n## ", start + 4, StringComparison.Ordinal);
        return text[start..(end < 0 ? text.Length : end)];
    }

    [GeneratedRegex("```sh\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex Fences();
}
