using System.Text.RegularExpressions;
using Benji.Interop.Cli;
using Benji.Testing;
using Xunit;

namespace Benji.Interop.Documents;

/// <summary>The commands that README.md shows under "Quick start" work as they stand there.</summary>
public sealed partial class QuickStartTests : IDisposable
{
    private readonly BenjiProgram _benji = new();

    [Fact]
    public async Task TheCommandsOfTheReadmeWork()
    {
        var image = _benji.WriteImage("disk.img", 5_000_001, seed: 11);
        var blocks = Fences().Matches(Section("Quick start")).Select(fence => fence.Groups[1].Value).ToList();
        Assert.Equal(2, blocks.Count);
        var result = await _benji.ShellAsync("set -eux\n" + string.Concat(blocks));
        Assert.True(result.ExitCode == 0, result.Error);
        var expected = await File.ReadAllBytesAsync(image);
        var restored = await File.ReadAllBytesAsync(_benji["copy.img"]);
        Assert.True(restored.AsSpan().SequenceEqual(expected), "The restored image differs.");
        Assert.True(File.Exists(_benji["benji.key"]));
    }

    public void Dispose() => _benji.Dispose();

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
