using Benji.Mount;
using Benji.Store.Model;
using Benji.Testing;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;
using static Benji.Interop.Mount.MountedImages;

namespace Benji.Interop.Mount;

/// <summary>A real store behind the mount: compressed frames in files, overlays on the disk.</summary>
public sealed class KernelStoreTests : IAsyncLifetime
{
    private const int Size = 24 * 1024 * 1024;

    private readonly StoreFixture _fixture = new();
    private readonly TemporaryDirectory _mountPoint = new();
    private FuseMount _mount = null!;

    public async Task InitializeAsync()
    {
        var image = _fixture["image"];
        await ShellAsync($"truncate -s {Size} {image}; mkfs.ext4 -q {image}");
        _fixture.Images.Set("vm", await File.ReadAllBytesAsync(image));
        await _fixture.BackupAsync("vm", request => request with { Version = "one" });
        _mount = await FuseMount.StartAsync(
            (await _fixture.StoreAsync()).OpenImages(),
            new FuseMountOptions { MountPoint = _mountPoint.Path },
            NullLogger.Instance,
            TimeProvider.System);
    }

    public async Task DisposeAsync()
    {
        await _mount.DisposeAsync();
        await _fixture.DisposeAsync();
        _mountPoint.Dispose();
    }

    [Fact]
    public async Task AVersionIsRepairedInAnOverlayAndStaysAsItIs()
    {
        var version = _mountPoint["vm/one.img"];
        var overlay = _mountPoint["vm/one@fix.img"];
        await ShellAsync($"cmp {version} {_fixture["image"]}");
        await ShellAsync($"dd if={version} iflag=direct bs=1M status=none | cmp - {_fixture["image"]}");
        await ShellAsync($"touch {overlay}; dd if=/dev/urandom of={overlay} bs=4096 seek=2 count=1 conv=notrunc,fsync status=none");
        var (code, _) = await RunAsync("e2fsck", "-fy", overlay);
        Assert.InRange(code, 0, 2);
        await ShellAsync($"e2fsck -fn {overlay}; cmp {version} {_fixture["image"]}");
        Assert.NotEqual("0", await ShellAsync($"stat -c %b {overlay}"));

        var copy = _fixture["copy"];
        await ShellAsync($"cp {version} {copy}; cmp {copy} {_fixture["image"]}");
        await ShellAsync($"rm {overlay}; ! stat {overlay}");
    }

    [Fact]
    public async Task ABackupAppearsAndItsRemovalIsSeen()
    {
        Assert.Equal(1, (await RunAsync("stat", _mountPoint["vm/two.img"])).Code);
        await _fixture.BackupAsync("vm", request => request with { Version = "two" });
        await UntilAsync(
            async () => (await RunAsync("stat", _mountPoint["vm/two.img"])).Code == 0, TimeSpan.FromSeconds(2), "the backup is there");
        await ShellAsync($"cmp {_mountPoint["vm/two.img"]} {_fixture["image"]}");
        Assert.Equal("two.img", await ShellAsync($"readlink {_mountPoint["vm/latest.img"]}"));
        await _fixture.RemoveAsync(new VersionName("vm", "two"));
        await UntilAsync(
            async () => (await RunAsync("stat", _mountPoint["vm/two.img"])).Code == 1, TimeSpan.FromSeconds(2), "it is gone");
        Assert.Equal("one.img", await ShellAsync($"readlink {_mountPoint["vm/latest.img"]}"));
    }
}
