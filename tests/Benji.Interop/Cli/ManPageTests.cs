using Benji.Testing;
using Xunit;

namespace Benji.Interop.Cli;

/// <summary>The man pages as <c>man</c> shows them.</summary>
public sealed class ManPageTests : IDisposable
{
    private readonly BenjiProgram _benji = new();

    public static TheoryData<string> Pages =>
        [.. Directory.GetFiles(Repository.PathOf("docs", "man"), "*.1").Select(path => Path.GetFileName(path)!)];

    [Theory]
    [MemberData(nameof(Pages))]
    public async Task ManShowsThePageWithoutAWarning(string page)
    {
        var result = await _benji.RunAsync("man", ["--warnings", "-l", Repository.PathOf("docs", "man", page)]);
        Assert.Equal((0, ""), (result.ExitCode, result.Error));
        Assert.Contains("EXIT CODES", result.Output, StringComparison.Ordinal);
    }

    public void Dispose() => _benji.Dispose();
}
