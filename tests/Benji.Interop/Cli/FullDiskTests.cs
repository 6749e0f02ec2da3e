using Benji.Interop.Sources;
using Xunit;

namespace Benji.Interop.Cli;

/// <summary>A disk that is full under the storage, the catalog or the target of a restore. Needs root.</summary>
public sealed class FullDiskTests : IDisposable
{
    private readonly BenjiProgram _benji = new();
    private readonly List<string> _mounted = [];

    [Fact]
    public async Task AFullStorageEndsABackupAndTheVersionsBeforeItStay()
    {
        Mount("home", "24m");
        var small = _benji.WriteImage("small.img", 1_000_000, seed: 50);
        await SucceedAsync("backup", small, "vm", "-u", "before");
        await FailFullAsync("backup", _benji.WriteImage("large.img", 40_000_000, seed: 51), "vm");
        await SucceedAsync("deep-scrub", "vm/before", "-s", small);
        Assert.Single((await _benji.RunAsync("ls", "-m")).Json.GetProperty("versions").EnumerateArray());

        // What the failed run left is an orphan; room is made by removing it, and then the next run goes on.
        await SucceedAsync("cleanup", "--older-than", "0s");
        await SucceedAsync("backup", small, "vm", "-u", "after");
        await SucceedAsync("deep-scrub", "vm/after", "-s", small);
    }

    [Fact]
    public async Task AFullDiskUnderTheCatalogEndsABackupAndNothingIsLost()
    {
        Mount("catalog", "2m");
        await File.WriteAllTextAsync(
            _benji["benji.yaml"],
            $"""
            configurationVersion: 1
            databaseEngine: litedb:///{_benji["catalog"]}/catalog.db
            storages:
              - name: main
                module: file
                configuration:
                  path: {_benji["storage"]}
            """);
        _benji.Variables["BENJI_CONFIG"] = _benji["benji.yaml"];
        var small = _benji.WriteImage("small.img", 1_000_000, seed: 52);
        await SucceedAsync("backup", small, "vm", "-u", "before");
        await FillAsync(Path.Combine(_benji["catalog"], "filling"));
        await FailFullAsync("backup", _benji.WriteImage("large.img", 40_000_000, seed: 53), "vm", "-b", "65536");
        File.Delete(Path.Combine(_benji["catalog"], "filling"));
        await SucceedAsync("deep-scrub", "vm/before", "-s", small);
        await SucceedAsync("backup", small, "vm", "-u", "after");
        await SucceedAsync("deep-scrub", "vm/after", "-s", small);
    }

    [Fact]
    public async Task AFullTargetEndsARestore()
    {
        Mount("target", "1m");
        await SucceedAsync("backup", _benji.WriteImage("large.img", 8_000_000, seed: 54), "vm");
        await FailFullAsync("restore", "vm/latest", Path.Combine(_benji["target"], "restored.img"));
        await SucceedAsync("restore", "vm/latest", _benji["restored.img"]);
    }

    public void Dispose()
    {
        _mounted.ForEach(directory => LoopDevice.Run("umount", directory));
        _benji.Dispose();
    }

    private void Mount(string name, string size)
    {
        Directory.CreateDirectory(_benji[name]);
        LoopDevice.Run("mount", "-t", "tmpfs", "-o", $"size={size}", "tmpfs", _benji[name]);
        _mounted.Add(_benji[name]);
    }

    private async Task FillAsync(string path) =>
        Assert.NotEqual(0, (await _benji.ShellAsync($"cat /dev/zero > {path}")).ExitCode);

    private async Task SucceedAsync(params string[] arguments)
    {
        var result = await _benji.RunAsync(arguments);
        Assert.True(result.ExitCode == 0, $"{result.ExitCode}: {result.Error}");
    }

    // The catalog names the file that is in the way; the other messages give the system's words.
    private async Task FailFullAsync(params string[] arguments)
    {
        var result = await _benji.RunAsync(arguments);
        Assert.True(result.ExitCode == 74, $"{result.ExitCode}: {result.Error}");
        Assert.StartsWith("benji: ", result.ErrorLine, StringComparison.Ordinal);
        Assert.True(
            result.ErrorLine.Contains("no space left on device", StringComparison.Ordinal)
            || result.ErrorLine.Contains("catalog.wal is full", StringComparison.Ordinal),
            result.ErrorLine);
    }
}
