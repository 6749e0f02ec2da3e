using Benji.Interop.Cli;
using Benji.Interop.Sources;
using Xunit;

namespace Benji.Interop.Storages;

/// <summary>A disk without a byte left under the whole store, or a part of it: what reads works, and so does what makes room.
/// Needs root.</summary>
public sealed class FullStoreTests : IDisposable
{
    private readonly BenjiProgram _benji = new();

    public void Dispose()
    {
        LoopDevice.Run("umount", _benji["small"]);
        _benji.Dispose();
    }

    [Theory]
    [InlineData("small/catalog.db", "small/storage", "size=48m")]
    [InlineData("small/catalog.db", "storage", "size=16m")]
    [InlineData("catalog/catalog.db", "small/storage", "size=48m")]
    [InlineData("small/catalog.db", "small/storage", "size=48m,nr_inodes=200")]
    public async Task WhatReadsWorksAndSoDoesWhatMakesRoom(string catalog, string storage, string options)
    {
        await MakeAsync(catalog, storage, options);
        var isFullOfFiles = options.Contains("inodes", StringComparison.Ordinal);
        await FillAsync(isFullOfFiles);
        var image = await File.ReadAllBytesAsync(_benji["a.img"]);

        await SucceedAsync("ls");
        foreach (var command in new[] { "scrub", "deep-scrub" })
        {
            await SucceedAsync(command, "vm/a1");
        }

        await SucceedAsync("restore", "vm/a1", _benji["restored.img"]);
        Assert.Equal(image, await File.ReadAllBytesAsync(_benji["restored.img"]));
        await ServeAsync();
        foreach (var version in new[] { "vm/a1", "vm/a2", "b/large" })
        {
            await SucceedAsync("rm", "--force", version);
        }

        await SucceedAsync("cleanup", "--older-than", "0s");
        await SucceedAsync("ls");
        Assert.Equal(0, (await _benji.ShellAsync("rm -f small/fill*")).ExitCode);
        await SucceedAsync("backup", _benji["b.img"], "b", "-u", "again");
        await SucceedAsync("deep-scrub", "-s", _benji["b.img"], "b/again");
        await SucceedAsync("deep-scrub", "-s", _benji["a.img"], "vm/a3");
        if (catalog.StartsWith("small", StringComparison.Ordinal))
        {
            Assert.Equal(ReserveSize(options), AllocatedReserve());
        }
    }

    [Fact]
    public async Task ABackupGetsNothingOfTheReserve()
    {
        await MakeAsync("small/catalog.db", "small/storage", "size=48m");
        await FillAsync(isFullOfFiles: false);
        var before = AllocatedReserve();
        for (var i = 0; i < 3; i++)
        {
            var result = await _benji.RunAsync("backup", _benji["c.img"], "c");
            Assert.Equal(74, result.ExitCode);
            Assert.Equal(before, AllocatedReserve());
        }

        await SucceedAsync("rm", "--force", "b/large");
    }

    /// <summary>A removal may end between its intent and its end, wherever the room ends.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task WithAnyRoomTheStoreCanBeReadAfterARemoval(bool hasReserve)
    {
        await MakeAsync("small/catalog.db", "small/storage", "size=48m");
        for (var free = 0; free <= 120; free += 8)
        {
            Assert.Equal(0, (await _benji.ShellAsync(
                $"rm -f small/fill {(hasReserve ? "" : "small/catalog.reserve")}; " +
                $"dd if=/dev/zero of=small/fill bs=1k count=$(( $(df -k --output=avail small | tail -1) - {free} ))")).ExitCode);
            var removed = await _benji.RunAsync("rm", "--force", "vm/a3");
            Assert.True(removed.ExitCode is 0 or 74, removed.Error);
            Assert.True(!hasReserve || removed.ExitCode == 0, removed.Error);
            await SucceedAsync("ls");
            if (removed.ExitCode == 0)
            {
                break;
            }
        }

        Assert.Equal(0, (await _benji.ShellAsync("rm -f small/fill")).ExitCode);
        await SucceedAsync("cleanup", "--older-than", "0s");
        await SucceedAsync("deep-scrub", "-s", _benji["a.img"], "vm/a2");
    }

    private async Task MakeAsync(string catalog, string storage, string options)
    {
        Directory.CreateDirectory(_benji["small"]);
        LoopDevice.Run("mount", "-t", "tmpfs", "-o", options, "tmpfs", _benji["small"]);
        await File.WriteAllTextAsync(
            _benji["benji.yaml"],
            $"""
            configurationVersion: 1
            databaseEngine: litedb:///{_benji[catalog]}
            storages:
              - name: main
                module: file
                configuration:
                  path: {_benji[storage]}
            """);
        _benji.Variables["BENJI_CONFIG"] = _benji["benji.yaml"];
        _benji.WriteImage("a.img", 4 << 20, seed: 60);
        _benji.WriteImage("b.img", 8 << 20, seed: 61);
        _benji.WriteImage("c.img", 8 << 20, seed: 62);
        foreach (var version in new[] { "a1", "a2", "a3" })
        {
            await SucceedAsync("backup", _benji["a.img"], "vm", "-u", version);
        }

        await SucceedAsync("backup", _benji["b.img"], "b", "-u", "large");
    }

    private async Task FillAsync(bool isFullOfFiles)
    {
        var script = isFullOfFiles
            ? "i=0; while : > small/fill$i; do i=$((i + 1)); done 2>/dev/null"
            : "cat /dev/zero > small/fill 2>/dev/null; [ $(df -k --output=avail small | tail -1) = 0 ]";
        Assert.Equal(0, (await _benji.ShellAsync(script)).ExitCode);
    }

    private async Task ServeAsync()
    {
        var result = await _benji.ShellAsync(
            """
            set -e; mkdir -p mounted; benji mount -o ro mounted; cmp mounted/vm/a1.img a.img; benji umount mounted
            benji nbd --read-only --socket $PWD/socket --machine-output > ready & server=$!
            until test -s ready; do kill -0 $server; sleep 0.02; done
            nbdcopy "nbd+unix:///vm/a1?socket=$PWD/socket" served.img; cmp served.img a.img; kill $server; wait $server
            """);
        Assert.True(result.ExitCode == 0, result.Error);
    }

    private long AllocatedReserve() => new FileInfo(_benji["small/catalog.reserve"]).Length;

    private static long ReserveSize(string options) =>
        options.StartsWith("size=16m", StringComparison.Ordinal) ? 1 << 20 : 3 << 20;

    private async Task SucceedAsync(params string[] arguments)
    {
        var result = await _benji.RunAsync(arguments);
        Assert.True(result.ExitCode == 0, $"{string.Join(' ', arguments)}: {result.ExitCode}: {result.Error}");
    }
}
