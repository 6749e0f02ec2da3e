using Xunit;

namespace Benji.Interop.Cli;

/// <summary>The completion scripts in the shells they are for.</summary>
public sealed class ShellCompletionTests : IDisposable
{
    private readonly BenjiProgram _benji = new();

    [Theory]
    [InlineData("bash")]
    [InlineData("zsh")]
    [InlineData("fish")]
    public async Task TheShellTakesTheScript(string shell)
    {
        var result = await _benji.ShellAsync($"benji completion {shell} >script && {shell} -n script");
        Assert.Equal((0, ""), (result.ExitCode, result.Error));
    }

    [Theory]
    [InlineData("benji ''", "backup restore version-info --json")]
    [InlineData("benji re", "restore rebuild")]
    [InlineData("benji backup --ba", "--base-version")]
    [InlineData("benji -m backup --", "--rbd-hints --log-level")]
    [InlineData("benji --log-level ''", "TRACE ERROR")]
    [InlineData("benji completion z", "zsh")]
    [InlineData("benji key ''", "new")]
    public async Task BashCompletesWords(string line, string expected)
    {
        var result = await BashAsync(line);
        Assert.All(expected.Split(' '), word => Assert.Contains(word, result));
    }

    [Fact]
    public async Task BashCompletesOnlyWhatFits() => Assert.Equal(["rebuild", "restore"], await BashAsync("benji re"));

    [Theory]
    [InlineData("benji backup --ba", "--base-version")]
    [InlineData("benji restor", "restore")]
    [InlineData("benji --log-level TR", "TRACE")]
    [InlineData("benji completion z", "zsh")]
    public async Task FishCompletesWords(string line, string expected)
    {
        var result = await _benji.ShellAsync(
            $"benji completion fish >script && fish -c 'source script; complete -C \"{line}\"'");
        Assert.True(result.ExitCode == 0, result.Error);
        Assert.Equal([expected], result.Output.TrimEnd('\n').Split('\n').Select(word => word.Split('\t')[0]));
    }

    [Fact]
    public async Task ZshLoadsTheScriptForBenji()
    {
        var result = await _benji.ShellAsync(
            "zsh -f -c 'autoload -U compinit && compinit -D && source <(benji completion zsh) && print $_comps[benji]'");
        Assert.Equal((0, "_benji\n"), (result.ExitCode, result.Output));
    }

    [Fact]
    public async Task VersionsAndVolumesAreCompleted()
    {
        _benji.WriteImage("disk.img", 1000, seed: 60);
        Assert.Equal(0, (await _benji.RunAsync("backup", "disk.img", "vm/web", "-u", "first")).ExitCode);
        Assert.Equal(0, (await _benji.RunAsync("backup", "disk.img", "vm/web", "-u", "second")).ExitCode);
        Assert.Equal(["vm/web/first", "vm/web/second"], await BashAsync("benji restore ''"));
        Assert.Equal(["vm/web"], await BashAsync("benji ls v"));
        Assert.Equal(["vm/web/second"], await BashAsync("benji backup disk.img vm -f vm/web/s"));
    }

    public void Dispose() => _benji.Dispose();

    private async Task<IReadOnlyList<string>> BashAsync(string line)
    {
        var result = await _benji.ShellAsync(
            $"""
            source <(benji completion bash)
            COMP_WORDS=({line})
            COMP_CWORD=$((${"{#COMP_WORDS[@]}"} - 1))
            _benji
            printf '%s\n' "${"{COMPREPLY[@]}"}"
            """);
        Assert.Equal((0, ""), (result.ExitCode, result.Error));
        return [.. result.Output.TrimEnd('\n').Split('\n').Order(StringComparer.Ordinal)];
    }
}
