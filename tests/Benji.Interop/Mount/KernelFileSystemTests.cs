using Xunit;
using static Benji.Interop.Mount.MountedImages;

namespace Benji.Interop.Mount;

/// <summary>A file system inside an image: mounted from it, and repaired in an overlay of it.</summary>
public sealed class KernelFileSystemTests : IAsyncLifetime
{
    private readonly MountedImages _mounted = new();

    public async Task InitializeAsync()
    {
        var image = _mounted.Beside["image"];
        Directory.CreateDirectory(_mounted.Beside["tree"]);
        for (var i = 0; i < 40; i++)
        {
            await File.WriteAllBytesAsync(_mounted.Beside[$"tree/file-{i}"], Content(10_000 * i, seed: i));
        }

        await ShellAsync($"truncate -s 16M {image}; mkfs.ext4 -q -d {_mounted.Beside["tree"]} {image}");
        _mounted.Images.Add("vm/one", await File.ReadAllBytesAsync(image));
        await _mounted.InitializeAsync();
    }

    public Task DisposeAsync() => _mounted.DisposeAsync();

    [Fact]
    public async Task AVersionIsMountedThroughALoopDevice()
    {
        var inside = Directory.CreateDirectory(_mounted.Beside["inside"]).FullName;
        await ShellAsync($"mount -o loop,ro,noload {_mounted["vm/one.img"]} {inside}");
        try
        {
            await ShellAsync($"diff -r -x lost+found {_mounted.Beside["tree"]} {inside}");
        }
        finally
        {
            await ShellAsync($"umount {inside}");
        }
    }

    [Theory]
    [InlineData("off")]
    [InlineData("on")]
    public async Task AnOverlayIsMountedWrittenTrimmedAndSound(string direct)
    {
        var overlay = _mounted["vm/one@fix.img"];
        var inside = Directory.CreateDirectory(_mounted.Beside["inside"]).FullName;
        await ShellAsync($"touch {overlay} && e2fsck -fy {overlay}; e2fsck -fn {overlay}");
        var device = await ShellAsync($"losetup --direct-io={direct} --find --show {overlay}");
        try
        {
            await ShellAsync($"mount {device} {inside}");
            try
            {
                await ShellAsync($"cp {_mounted.Beside["tree"]}/file-39 {inside}/new && rm {inside}/file-3* && sync -f {inside} && fstrim {inside}");
            }
            finally
            {
                await ShellAsync($"umount {inside}");
            }
        }
        finally
        {
            await ShellAsync($"losetup --detach {device}");
        }

        await ShellAsync($"e2fsck -fn {overlay}");
        await ShellAsync($"cmp {_mounted["vm/one.img"]} {_mounted.Beside["image"]}");
        await UntilAsync(async () => (await RunAsync("rm", overlay)).Code == 0, TimeSpan.FromSeconds(60), "the overlay is removed");
    }
}
