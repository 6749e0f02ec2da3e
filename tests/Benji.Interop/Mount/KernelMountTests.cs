using System.Diagnostics;
using Benji.Mount;
using Benji.Mount.Kernel.Mounting;
using Benji.Mount.Session;
using Benji.Mount.Tree;
using Benji.Store.Model;
using Xunit;
using static Benji.Interop.Mount.MountedImages;

namespace Benji.Interop.Mount;

/// <summary>Where and how images are mounted, refused, and gone on with.</summary>
public sealed class KernelMountTests : IAsyncLifetime
{
    private const int Size = 1024 * 1024;

    private readonly MountedImages _mounted = new();
    private readonly byte[] _content = Content(Size, seed: 7);

    public async Task InitializeAsync()
    {
        _mounted.Images.Add("vm/one", _content);
        await File.WriteAllBytesAsync(_mounted.Beside["one"], _content);
    }

    public async Task DisposeAsync() => await _mounted.DisposeAsync();

    [Fact]
    public async Task AMountPointInUseOrMissingIsRefusedInOneLine()
    {
        await _mounted.InitializeAsync();
        var error = await Assert.ThrowsAsync<UsageException>(() => StartAnother(_mounted.Options));
        Assert.Contains("is in use: benji serves it already", error.Message, StringComparison.Ordinal);
        error = await Assert.ThrowsAsync<UsageException>(
            () => StartAnother(_mounted.Options with { MountPoint = _mounted.Beside["none"] }));
        Assert.Contains("is no directory: create it first", error.Message, StringComparison.Ordinal);
        error = await Assert.ThrowsAsync<UsageException>(() => StartAnother(_mounted.Options with { MountPoint = "relative" }));
        Assert.Contains("is not an absolute path", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ALinkToTheMountPointIsFollowed()
    {
        var link = _mounted.Beside["link"];
        File.CreateSymbolicLink(link, _mounted[""].TrimEnd('/'));
        await _mounted.StartAsync(_mounted.Options with { MountPoint = link + "/" });
        await ShellAsync($"cmp {link}/vm/one.img {_mounted.Beside["one"]}");
        await _mounted.Mount.StopAsync();
        Assert.DoesNotContain(_mounted[""].TrimEnd('/'), await File.ReadAllTextAsync("/proc/mounts"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task ReadOnlyMeansThatNothingCanBeChanged()
    {
        await _mounted.StartAsync(_mounted.Options with { IsReadOnly = true });
        Assert.Contains(
            "Read-only", (await RunAsync("touch", _mounted["vm/one@x.img"])).Output, StringComparison.Ordinal);
        Assert.Contains(" ro,", await ShellAsync($"grep {_mounted[""].TrimEnd('/')} /proc/mounts"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task OthersLookInsideWhenTheyMayAndModesLetThem()
    {
        var umask = Convert.ToUInt32("022", 8);
        await ShellAsync($"chmod 755 {_mounted[""]}");
        await _mounted.StartAsync(_mounted.Options with { AllowOther = true, Umask = umask, Uid = 1, Gid = 65534 });
        Assert.Equal("444 1 65534", await ShellAsync(
            $"setpriv --reuid=65534 --clear-groups stat -c '%a %u %g' {_mounted["vm/one.img"]}"));
    }

    [Fact]
    public async Task AConnectionWhoseServerDiedIsGoneOnWith()
    {
        await _mounted.InitializeAsync();
        var reading = new TaskCompletionSource();
        _mounted.Images.Faults.Reading = async (offset, token) =>
        {
            if (offset >= Size / 2)
            {
                reading.TrySetResult();
                await Task.Delay(Timeout.Infinite, token);
            }
        };

        // A process is killed in the middle of answering; the descriptor is kept by the tests in its place.
        using var client = Process.Start(new ProcessStartInfo("dd", [$"if={_mounted["vm/one.img"]}", "bs=64K", "status=none"])
        {
            RedirectStandardOutput = true,
        })!;
        var bytes = new MemoryStream();
        var copied = client.StandardOutput.BaseStream.CopyToAsync(bytes);
        await reading.Task.WaitAsync(TimeSpan.FromSeconds(10));
        var held = await _mounted.AbandonAsync();
        _mounted.Images.Faults.Reading = null;
        await _mounted.ResumeAsync(held);
        await copied.WaitAsync(TimeSpan.FromSeconds(20));
        await client.WaitForExitAsync();
        Assert.True(bytes.ToArray().AsSpan().SequenceEqual(_content));
        await ShellAsync($"cmp {_mounted["vm/one.img"]} {_mounted.Beside["one"]}; touch {_mounted["vm/one@x.img"]}");
    }

    [Fact]
    public async Task WhatAServerThatDiedLeftMountedIsTakenAway()
    {
        await _mounted.InitializeAsync();
        (await _mounted.AbandonAsync()).Device.Dispose();
        Assert.NotEqual(0, (await RunAsync("stat", _mounted["vm/one.img"])).Code);
        await _mounted.InitializeAsync();
        await ShellAsync($"cmp {_mounted["vm/one.img"]} {_mounted.Beside["one"]}");
        Assert.Equal("1", await ShellAsync($"grep -c {_mounted[""].TrimEnd('/')} /proc/mounts"));
    }

    [Fact]
    public async Task TheKernelReadsAheadWhatItIsToldTo()
    {
        await _mounted.InitializeAsync();
        Assert.Equal(
            "1024",
            await ShellAsync($"cat /sys/class/bdi/$(mountpoint -d {_mounted[""]})/read_ahead_kb"));
    }

    [Fact]
    public async Task TheHelperMountsAndUnmountsWithoutOurCalls()
    {
        await _mounted.InitializeAsync();
        var mountPoint = Directory.CreateDirectory(_mounted.Beside["helper"]).FullName;
        using var device = HelperMount.Mount(new MountRequest(mountPoint, "benji", IsReadOnly: true, AllowOther: false));
        var tree = new ImageTree(_mounted.Images);
        await tree.RefreshAsync(CancellationToken.None);
        var options = new SessionOptions(new NodeAccess(0, 0, 0x3F), IsReadOnly: true, Readers: 2, TimeSpan.FromSeconds(1));
        using var session = new MountSession(
            device, _mounted.Images, tree, options, _mounted.Log, TimeProvider.System);
        await session.StartAsync(CancellationToken.None);
        await ShellAsync($"cmp {mountPoint}/vm/one.img {_mounted.Beside["one"]}; findmnt -t fuse.benji {mountPoint}");
        HelperMount.Detach(mountPoint);
        await session.WhenEnded.WaitAsync(TimeSpan.FromSeconds(5));
        await session.EndAsync(wake: null, TimeSpan.FromSeconds(5));
        await session.CloseFilesAsync();
        Assert.Throws<MountFailedException>(
            () => HelperMount.Mount(new MountRequest(_mounted.Beside["none"], "benji", IsReadOnly: true, AllowOther: false)));
    }

    [Fact]
    public async Task TenThousandVersionsAreListedInTime()
    {
        for (var i = 0; i < 10_000; i++)
        {
            _mounted.Images.Add($"many/version-{i:d5}", []);
        }

        await _mounted.InitializeAsync();
        var cold = await TimeAsync($"ls -lR {_mounted[""]} | wc -l");
        var warm = await TimeAsync($"ls -lR {_mounted[""]} > /dev/null");
        Assert.True(cold < TimeSpan.FromSeconds(4) && warm < TimeSpan.FromSeconds(2), $"cold {cold}, warm {warm}");
    }

    private static async Task<TimeSpan> TimeAsync(string line)
    {
        var start = Stopwatch.GetTimestamp();
        await ShellAsync(line);
        return Stopwatch.GetElapsedTime(start);
    }

    private Task<FuseMount> StartAnother(FuseMountOptions options) =>
        FuseMount.StartAsync(_mounted.Images, options, _mounted.Log, TimeProvider.System);
}
