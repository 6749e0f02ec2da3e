using Xunit;

namespace Benji.Interop.Cli.Starting;

/// <summary>Where a command is started, with which limits, and in which words its arguments come.</summary>
public sealed class SurroundingsTests : IDisposable
{
    private readonly BenjiProgram _benji = new();

    public SurroundingsTests() => _benji.WriteImage("disk.img", 5 * 1024 * 1024, seed: 7);

    public void Dispose() => _benji.Dispose();

    [Fact]
    public async Task ACommandRunsInAWorkingDirectoryThatWasRemoved()
    {
        await ExpectAsync(0, "benji backup disk.img vm -u a");
        await ExpectAsync(0, "mkdir gone; cd gone; rmdir ../gone; benji ls");
        await ExpectAsync(0, "mkdir gone; cd gone; rmdir ../gone; benji restore vm/a $HOME/copy.img; cmp $HOME/copy.img $HOME/disk.img");
        var refused = await ExpectAsync(74, "mkdir gone; cd gone; rmdir ../gone; benji restore vm/a copy.img");
        Assert.Contains("working directory was removed", refused.ErrorLine, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("benji backup $'caf\\xe9' vm")]
    [InlineData("BENJI_HOME=$'caf\\xe9' benji ls")]
    [InlineData("BENJI_HOME= benji ls")]
    [InlineData("BENJI_CONFIG= benji ls")]
    [InlineData("benji backup - vm")]
    [InlineData("touch -- -; benji backup - vm")]
    public async Task WhatCouldMeanAnotherPlaceIsRefused(string command) => await ExpectAsync(64, command);

    [Theory]
    [InlineData(66, "benji backup missing.img vm")]
    [InlineData(64, "benji backup disk.img 'v m'")]
    [InlineData(66, "benji backup disk.img vm -f vm/a")]
    [InlineData(78, "BENJI_KEY_FILE= benji backup disk.img vm")]
    [InlineData(74, "benji backup /proc/cpuinfo vm")]
    public async Task AFirstBackupThatIsRefusedLeavesNothing(int exitCode, string command)
    {
        await ExpectAsync(exitCode, command);
        Assert.False(Directory.Exists(_benji.Home));
    }

    [Fact]
    public async Task ALimitOfTheSizeOfFilesIsAFullDisk()
    {
        var refused = await ExpectAsync(74, "ulimit -f 1000; benji backup disk.img vm");
        Assert.DoesNotContain("   at ", refused.Error, StringComparison.Ordinal);
        Assert.Empty((await _benji.RunAsync("ls", "-m")).Json.GetProperty("versions").EnumerateArray());
    }

    [Fact]
    public async Task AQuietCommandThatGoesWellPrintsNothing()
    {
        var result = await ExpectAsync(0, "benji --quiet backup disk.img vm -u a");
        Assert.Equal(("", ""), (result.Output, result.Error));
        result = await ExpectAsync(0, "benji -q cleanup; benji -q deep-scrub vm/a; benji -q rm -f vm/a");
        Assert.Equal("", result.Error);
    }

    [Theory]
    [InlineData(66, "benji ls other")]
    [InlineData(64, "benji ls 'volume == \"vm\"'")]
    [InlineData(66, "benji rm 'vm/*'")]
    [InlineData(66, "benji overlay ls other")]
    public async Task NothingIsAnsweredWithSilence(int exitCode, string command)
    {
        await ExpectAsync(0, "benji backup disk.img vm -u a");
        await ExpectAsync(exitCode, command);
    }

    private async Task<ProgramResult> ExpectAsync(int exitCode, string script)
    {
        var result = await _benji.ShellAsync(script);
        Assert.True(result.ExitCode == exitCode, $"{script} ended with {result.ExitCode}: {result.Error}");
        return result;
    }
}
