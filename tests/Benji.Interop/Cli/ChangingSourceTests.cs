using System.Globalization;
using Xunit;

namespace Benji.Interop.Cli;

/// <summary>Sources and clocks that do what they should not while backups are made.</summary>
public sealed class ChangingSourceTests : IDisposable
{
    private readonly BenjiProgram _benji = new();

    [Fact]
    public async Task ASourceThatShrinksWhileItIsReadEndsTheBackup()
    {
        // So slow that most of the source is unread when it shrinks.
        await File.WriteAllTextAsync(
            _benji["benji.yaml"],
            $"""
            configurationVersion: 1
            databaseEngine: litedb:///{_benji["catalog.db"]}
            storages:
              - name: main
                module: file
                configuration:
                  path: {_benji["storage"]}
                  bandwidthWrite: 8388608
            """);
        _benji.Variables["BENJI_CONFIG"] = _benji["benji.yaml"];
        var image = _benji.WriteImage("disk.img", 64 * 1024 * 1024, seed: 60);
        using var backup = _benji.Start(BenjiProgram.Executable, "backup", image, "vm");
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(1));
        var output = backup.StandardOutput.ReadToEndAsync(limit.Token);
        var line = await backup.StandardError.ReadLineAsync(limit.Token);
        while (line is not null && !line.Contains("reading", StringComparison.Ordinal))
        {
            line = await backup.StandardError.ReadLineAsync(limit.Token);
        }

        Assert.NotNull(line);
        using (var file = File.OpenWrite(image))
        {
            file.SetLength(1_000_000);
        }

        var error = await backup.StandardError.ReadToEndAsync(limit.Token);
        await backup.WaitForExitAsync(limit.Token);
        Assert.True(backup.ExitCode == 74, $"{backup.ExitCode}: {error}");
        Assert.Contains("benji: ", error, StringComparison.Ordinal);
        Assert.Contains("disk.img", error, StringComparison.Ordinal);
        Assert.Equal("", await output);
        Assert.Empty((await _benji.RunAsync("ls", "-m")).Json.GetProperty("versions").EnumerateArray());

        // What is left of it is a source like any other.
        var again = await _benji.RunAsync("backup", image, "vm", "-u", "short");
        Assert.True(again.ExitCode == 0, again.Error);
        Assert.Equal(0, (await _benji.RunAsync("deep-scrub", "vm/short", "-s", image)).ExitCode);
    }

    [Fact]
    public async Task AClockThatStepsBackNeitherCollidesNorReorders()
    {
        var image = _benji.WriteImage("disk.img", 100_000, seed: 61);
        await SucceedAsync("faketime", "2031-05-01 12:00:00", "benji", "backup", image, "vm");
        await SucceedAsync("faketime", "2031-04-30 12:00:00", "benji", "backup", image, "vm");
        await SucceedAsync("faketime", "2031-05-01 12:00:00", "benji", "backup", image, "vm");
        var versions = (await _benji.RunAsync("ls", "-m")).Json.GetProperty("versions").EnumerateArray().ToList();
        var names = versions.Select(version => version.GetProperty("uid").GetString()!).ToList();
        Assert.Equal(3, names.Distinct().Count());
        Assert.Equal(names.Order(StringComparer.Ordinal), names);

        // The second run had a clock of the day before.
        Assert.All(names, name => Assert.StartsWith("vm/20310501T12", name, StringComparison.Ordinal));

        // Also what a cleanup finds must not be taken for old because the clock jumped.
        await SucceedAsync("benji", "cleanup");
        await SucceedAsync("benji", "deep-scrub", "vm/latest", "-s", image);
    }

    public void Dispose() => _benji.Dispose();

    private async Task SucceedAsync(string program, params string[] arguments)
    {
        _benji.Variables["TZ"] = "UTC";
        var result = await _benji.RunAsync(program, arguments);
        Assert.True(
            result.ExitCode == 0,
            string.Create(CultureInfo.InvariantCulture, $"{program} ended with {result.ExitCode}: {result.Error}"));
    }
}
