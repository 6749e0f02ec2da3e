using Xunit;

namespace Benji.Interop.Cli;

/// <summary>Where standard output can go: a reader that leaves, a full disk, a terminal.</summary>
public sealed class OutputTests : IDisposable
{
    private readonly BenjiProgram _benji = new();

    [Fact]
    public async Task AReaderThatLeavesIsNoFailure()
    {
        var result = await _benji.ShellAsync("set -o pipefail; benji completion bash | head -n 1");
        Assert.Equal((0, ""), (result.ExitCode, result.Error));
        Assert.Single(result.Output.TrimEnd('\n').Split('\n'));
    }

    [Fact]
    public async Task AFullDiskUnderStandardOutputIsAnError()
    {
        var result = await _benji.ShellAsync("benji version-info > /dev/full");
        Assert.Equal(74, result.ExitCode);
        Assert.Contains("No space left", result.ErrorLine, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AClosedStandardErrorDoesNotChangeTheExitCode()
    {
        var result = await _benji.ShellAsync("benji ls -c missing.yaml 2>&-");
        Assert.Equal((78, "", ""), (result.ExitCode, result.Output, result.Error));
    }

    [Fact]
    public async Task AClosedStandardOutputIsAnError()
    {
        var result = await _benji.ShellAsync("benji version-info >&-");
        Assert.Equal(74, result.ExitCode);
    }

    [Fact]
    public async Task MessagesNeverGoIntoAFileOfTheStore()
    {
        _benji.WriteImage("disk.img", 1000, seed: 51);
        Assert.Equal(0, (await _benji.ShellAsync("benji -m --log-level TRACE backup disk.img vm -u a <&- >&- 2>&-; test $? = 0 -o $? = 74")).ExitCode);
        Assert.Equal(0, (await _benji.ShellAsync("benji -m --log-level TRACE backup disk.img vm -u b <&- 2>&-")).ExitCode);
        Assert.Equal(0, (await _benji.RunAsync("deep-scrub", "vm/a", "-s", "disk.img")).ExitCode);
        Assert.Equal(0, (await _benji.RunAsync("deep-scrub", "vm/b", "-s", "disk.img")).ExitCode);
    }

    [Fact]
    public async Task ATerminalGetsALiveLineAndASummary()
    {
        _benji.WriteImage("disk.img", 20 * 1024 * 1024, seed: 50);
        var result = await _benji.ShellAsync("script -qec 'benji backup disk.img vm -u a' /dev/null");
        Assert.Equal(0, result.ExitCode);
        Assert.Contains("\r\u001b[K", result.Output, StringComparison.Ordinal);
        Assert.Contains("vm/a: 20.0 MiB; read 20.0 MiB", result.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("INFO:", result.Output, StringComparison.Ordinal);

        var wide = await _benji.ShellAsync("script -qec 'stty cols 200; benji ls' /dev/null");
        Assert.StartsWith("╭─", wide.Output, StringComparison.Ordinal);
        var narrow = await _benji.ShellAsync("script -qec 'stty cols 60; benji ls' /dev/null");
        Assert.StartsWith("date ", narrow.Output, StringComparison.Ordinal);
    }

    public void Dispose() => _benji.Dispose();
}
