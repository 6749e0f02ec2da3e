using System.Diagnostics;
using System.Globalization;
using Xunit;

namespace Benji.Interop.Cli;

/// <summary>What a backup that is still under way does to others, and what a signal does to it.</summary>
public sealed class InterruptTests : IDisposable
{
    private const int ImageSize = 64 * 1024 * 1024;

    private readonly BenjiProgram _benji = new();

    public InterruptTests()
    {
        // So slow that it is still under way whenever the test does something to it.
        File.WriteAllText(
            _benji["benji.yaml"],
            $"""
            configurationVersion: 1
            databaseEngine: litedb:///{_benji["catalog.db"]}
            defaultStorage: main
            storages:
              - name: main
                module: file
                configuration:
                  path: {_benji["storage"]}
                  bandwidthWrite: 1048576
            """);
        _benji.Variables["BENJI_CONFIG"] = _benji["benji.yaml"];
        _benji.WriteImage("disk.img", ImageSize, seed: 40);
        _benji.WriteImage("small.img", 1000, seed: 41);
    }

    [Fact]
    public async Task ASecondBackupOfAVolumeIsRefusedAndOthersAreNot()
    {
        using var first = await StartBackupAsync();
        try
        {
            var second = await _benji.RunAsync("backup", _benji["small.img"], "vm");
            Assert.True(second.ExitCode == 75, $"{second.ExitCode}: {second.Error}");
            Assert.StartsWith("benji: ", second.ErrorLine, StringComparison.Ordinal);
            Assert.Equal(0, (await _benji.RunAsync("backup", _benji["small.img"], "other")).ExitCode);
        }
        finally
        {
            first.Kill();
            await first.WaitForExitAsync();
        }

        // A process that was killed blocks nobody.
        Assert.Equal(0, (await _benji.RunAsync("backup", _benji["small.img"], "vm")).ExitCode);
    }

    [Theory]
    [InlineData("INT")]
    [InlineData("TERM")]
    public async Task ASignalEndsABackupAndLeavesNoVersion(string signal)
    {
        using var backup = await StartBackupAsync();
        var output = backup.StandardOutput.ReadToEndAsync();
        var error = backup.StandardError.ReadToEndAsync();
        await SignalAsync(backup, signal);
        await WaitAsync(backup);
        Assert.Equal(130, backup.ExitCode);
        Assert.Equal("", await output);
        Assert.Contains("benji: Interrupted.", await error, StringComparison.Ordinal);
        Assert.Empty((await _benji.RunAsync("ls", "-m")).Json.GetProperty("versions").EnumerateArray());
        Assert.Equal(0, (await _benji.RunAsync("backup", _benji["small.img"], "vm", "-u", "a")).ExitCode);
        Assert.Equal(0, (await _benji.RunAsync("deep-scrub", "vm/a", "-s", _benji["small.img"])).ExitCode);
    }

    [Fact]
    public async Task TheSecondSignalEndsAtOnce()
    {
        using var backup = await StartBackupAsync();
        var error = backup.StandardError.ReadToEndAsync();
        _ = backup.StandardOutput.ReadToEndAsync();
        await _benji.ShellAsync(string.Create(
            CultureInfo.InvariantCulture, $"kill -INT {backup.Id}; kill -TERM {backup.Id} 2>/dev/null || true"));
        await WaitAsync(backup);
        Assert.Equal(130, backup.ExitCode);
        await error;
    }

    public void Dispose() => _benji.Dispose();

    // The first line on standard error says that it reads: it holds its lease by then.
    private async Task<Process> StartBackupAsync()
    {
        var backup = _benji.Start(BenjiProgram.Executable, "backup", _benji["disk.img"], "vm");
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(1));
        var line = await backup.StandardError.ReadLineAsync(limit.Token);
        while (line is not null && !line.Contains("reading", StringComparison.Ordinal))
        {
            line = await backup.StandardError.ReadLineAsync(limit.Token);
        }

        Assert.NotNull(line);
        return backup;
    }

    private async Task SignalAsync(Process process, string signal)
    {
        var sent = await _benji.RunAsync(
            "kill", [$"-{signal}", process.Id.ToString(CultureInfo.InvariantCulture)]);
        Assert.True(sent.ExitCode == 0, sent.Error);
    }

    private static async Task WaitAsync(Process process)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(1));
        await process.WaitForExitAsync(limit.Token);
    }
}
