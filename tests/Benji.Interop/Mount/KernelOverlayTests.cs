using Xunit;
using static Benji.Interop.Mount.MountedImages;

namespace Benji.Interop.Mount;

/// <summary>Overlays as files: made, written, punched, copied over, removed.</summary>
public sealed class KernelOverlayTests : IAsyncLifetime
{
    private const int Size = 8 * 1024 * 1024;

    private readonly MountedImages _mounted = new();
    private readonly byte[] _content = Content(Size, seed: 4);

    public async Task InitializeAsync()
    {
        _mounted.Images.Add("vm/one", _content, version => version with { AllocatedBytes = Size / 2 });
        await File.WriteAllBytesAsync(_mounted.Beside["one"], _content);
        await _mounted.InitializeAsync();
    }

    public Task DisposeAsync() => _mounted.DisposeAsync();

    [Fact]
    public async Task AnOverlayIsMadeByTouchAndRemovedByRm()
    {
        var overlay = _mounted["vm/one@fix.img"];
        await ShellAsync($"touch {overlay}");
        Assert.Equal($"{Size} 600 {Size / 2 / 512}", await ShellAsync($"stat -c '%s %a %b' {overlay}"));
        await ShellAsync($"cmp {overlay} {_mounted.Beside["one"]}");
        Assert.Equal("latest.img\none.img\none@fix.img", await ShellAsync($"ls {_mounted["vm"]}"));
        await ShellAsync($"rm {overlay}");
        Assert.Equal("latest.img\none.img", await ShellAsync($"ls {_mounted["vm"]}"));
        Assert.Equal(1, (await RunAsync("stat", overlay)).Code);

        // Closing and removing at once, and the same name again.
        await ShellAsync($"for i in 1 2 3 4 5; do echo x > {overlay} && rm {overlay} || exit 1; done");
    }

    [Fact]
    public async Task AnOverlayKeepsItsSizeAsABlockDeviceDoes()
    {
        var overlay = _mounted["vm/one@size.img"];
        await ShellAsync($"touch {overlay}; printf abc | dd of={overlay} conv=notrunc status=none; truncate -s {Size} {overlay}");
        Assert.Equal($"{Size}", await ShellAsync($"stat -c %s {overlay}"));
        Assert.Equal("abc", await ShellAsync($"head -c 3 {overlay}"));
        await ShellAsync($"cmp -i 3 {overlay} {_mounted.Beside["one"]}");
        Assert.Contains("not permitted", (await RunAsync("truncate", "-s", "5", overlay)).Output, StringComparison.Ordinal);
        Assert.Contains("not permitted", (await RunAsync("chmod", "777", overlay)).Output, StringComparison.Ordinal);
        await ShellAsync($"chmod 600 {overlay}; chown 0:0 {overlay}; touch -d 2001-01-01 {overlay}");
        Assert.Contains(
            "No space",
            (await RunAsync("bash", "-c", $"printf x | dd of={overlay} bs=1 seek={Size} conv=notrunc status=none")).Output,
            StringComparison.Ordinal);
        Assert.Equal($"{Size}", await ShellAsync($"stat -c %s {overlay}"));
    }

    [Fact]
    public async Task AnOpenOverlayIsNotRemoved()
    {
        var overlay = _mounted["vm/one@held.img"];
        await ShellAsync($"touch {overlay}");
        await ShellAsync($"exec 3<{overlay}; rm {overlay} 2>&1 | grep -q busy");
        await ShellAsync($"rm {overlay}");
    }

    [Fact]
    public async Task RangesAreZeroedAndFoundAgain()
    {
        var overlay = _mounted["vm/one@holes.img"];
        await ShellAsync($"touch {overlay}; cp {_mounted.Beside["one"]} {_mounted.Beside["model"]}");
        foreach (var change in new[] { "-p -o 4096 -l 8192", "-z -n -o 300 -l 70000", "-p -o 8380000 -l 100000" })
        {
            await ShellAsync($"fallocate {change} {overlay}");
            await ShellAsync($"fallocate {change} {_mounted.Beside["model"]}");
        }

        await ShellAsync($"truncate -s {Size} {_mounted.Beside["model"]}; cmp {overlay} {_mounted.Beside["model"]}");
        Assert.Contains(
            "not supported", (await RunAsync("fallocate", "-l", "4096", overlay)).Output, StringComparison.Ordinal);
        Assert.Contains(
            "Invalid", (await RunAsync("fallocate", "-z", "-o", $"{Size - 10}", "-l", "20", overlay)).Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task DataAndHolesAreWhereTheBytesAre()
    {
        const string script = """
            import os, sys
            fd = os.open(sys.argv[1], os.O_RDONLY)
            size = os.fstat(fd).st_size
            at = 0
            while at < size:
                try:
                    data = os.lseek(fd, at, os.SEEK_DATA)
                except OSError as error:
                    assert error.errno == 6
                    break
                at = os.lseek(fd, data, os.SEEK_HOLE)
                print(data, at)
            """;
        var (code, output) = await RunAsync("python3", "-c", script, _mounted["vm/one.img"]);
        Assert.Equal(0, code);
        var expected = Enumerable.Range(0, Size / 131072).Select(i => $"{i * 131072} {(i * 131072) + 65536}\n");
        Assert.Equal(string.Concat(expected), output);

        var copy = _mounted.Beside["copy"];
        await ShellAsync($"cp {_mounted["vm/one.img"]} {copy}; cmp {copy} {_mounted.Beside["one"]}");
        var allocated = int.Parse(await ShellAsync($"du -k {copy} | cut -f1"), System.Globalization.CultureInfo.InvariantCulture);
        Assert.InRange(allocated, 1, (Size / 2048) + 64);
    }

    [Fact]
    public async Task AVersionIsCopiedOverItsOverlayWithoutMovingBytes()
    {
        const string script = """
            import os, sys
            source = os.open(sys.argv[1], os.O_RDONLY)
            target = os.open(sys.argv[2], os.O_RDWR)
            size = os.fstat(source).st_size
            done = 0
            while done < size:
                done += os.copy_file_range(source, target, size - done, done, done)
            # Other offsets are copied byte by byte.
            assert os.copy_file_range(source, target, 5000, 100, 200) > 0
            """;
        var overlay = _mounted["vm/one@clone.img"];
        await ShellAsync($"touch {overlay}; head -c 1000000 /dev/urandom | dd of={overlay} bs=64K conv=notrunc,fsync status=none");
        Assert.NotEqual("0", await ShellAsync($"stat -c %b {overlay}"));
        var (code, output) = await RunAsync("python3", "-c", script, _mounted["vm/one.img"], overlay);
        Assert.True(code == 0, output);
        Assert.Equal($"{(Size / 2 / 512) + 16}", await ShellAsync($"stat -c %b {overlay}"));
        await ShellAsync($"cmp -i 5200 {overlay} {_mounted.Beside["one"]}");
    }

    [Fact]
    public async Task FsyncFlushesAndADirectWriteIsSeenByEverybody()
    {
        var overlay = _mounted["vm/one@sync.img"];
        await ShellAsync($"touch {overlay}; cat {overlay} > /dev/null");
        await ShellAsync($"dd if=/dev/zero of={overlay} bs=1M count=2 oflag=direct conv=notrunc,fsync status=none");
        await ShellAsync($"cmp -n 2097152 {overlay} /dev/zero; cmp -i 2097152 {overlay} {_mounted.Beside["one"]}");
        Assert.True(_mounted.Images.ContentOf("vm/one@sync").AsSpan(2 * 1024 * 1024).SequenceEqual(_content.AsSpan(2 * 1024 * 1024)));
    }

    [Theory]
    [InlineData("psync", 0)]
    [InlineData("libaio", 1)]
    public async Task WhatManyWriteAtOnceIsWhatTheyRead(string engine, int direct)
    {
        var overlay = _mounted["vm/one@fio.img"];
        await ShellAsync($"touch {overlay}");
        await ShellAsync(
            $"cd {_mounted.Beside.Path} && fio --name=v --filename={overlay} --rw=randrw --bs=4k --ioengine={engine} --direct={direct} "
            + "--iodepth=8 --numjobs=4 --offset_increment=2m --size=2m --verify=crc32c --verify_fatal=1 --fsync=64 --output=fio.log "
            + "|| { cat fio.log; false; }");
        await ShellAsync($"cmp {_mounted["vm/one.img"]} {_mounted.Beside["one"]}");
    }
}
