using Xunit;
using static Benji.Interop.Mount.MountedImages;

namespace Benji.Interop.Mount;

/// <summary>Programs that copy, unpack and convert to the file of an overlay: what they say they wrote is there, with every zero
/// that they left out.</summary>
public sealed class KernelCutTests : IAsyncLifetime
{
    private const int Size = 4 * 1024 * 1024;

    private readonly MountedImages _mounted = new();

    public async Task InitializeAsync()
    {
        var content = new byte[Size];
        new Random(9).NextBytes(content);
        _mounted.Images.Add("vm/one", content);
        await _mounted.InitializeAsync();
        await ShellAsync(
            $"cd {_mounted.Beside.Path}; truncate -s {Size} sparse.img; printf X | dd of=sparse.img bs=1 seek=3000001 conv=notrunc status=none");
    }

    public Task DisposeAsync() => _mounted.DisposeAsync();

    [Theory]
    [InlineData("cp sparse.img $f", true)]
    [InlineData("cp --sparse=always sparse.img $f", true)]
    [InlineData("cp --sparse=never sparse.img $f", true)]
    [InlineData("cp -p sparse.img $f", null)]
    [InlineData("cat sparse.img > $f", true)]
    [InlineData("dd if=sparse.img of=$f bs=64k conv=sparse status=none", true)]
    [InlineData("tar -cSf s.tar --transform 's/.*/one@new.img/' sparse.img; tar --no-same-owner --no-same-permissions -xSf s.tar -C $d", true)]
    [InlineData("tar -cSf s.tar --mode 600 --transform 's/.*/one@new.img/' sparse.img; tar -xpSf s.tar -C $d", true)]
    [InlineData("install -m 600 sparse.img $f", true)]
    [InlineData("qemu-img convert -f raw -O raw sparse.img $f", null)]
    [InlineData("touch $f; qemu-img convert -n -f raw -O raw sparse.img $f", true)]
    [InlineData("python3 -c 'import sys; f = open(sys.argv[1], \"wb\"); f.seek(3000001); f.write(b\"X\")' $f", true)]
    [InlineData("python3 -c 'import sys; f = open(sys.argv[1], \"xb\"); f.seek(3000001); f.write(b\"X\")' $f", true, false)]
    public async Task WhatIsSaidToBeWrittenIsThere(string command, bool? succeeds, bool mayExist = true)
    {
        foreach (var exists in mayExist ? new[] { false, true } : [false])
        {
            var name = _mounted["vm/one@new.img"];
            if (exists)
            {
                await ShellAsync($"touch {name}; printf old | dd of={name} bs=1 seek=1000 conv=notrunc status=none");
            }

            var (code, output) = await RunAsync(
                "bash", "-c", $"set -e; cd {_mounted.Beside.Path}; d={_mounted["vm"]}; f={name}; {command}");
            if (code == 0)
            {
                await ShellAsync($"cmp {name} {_mounted.Beside["sparse.img"]}");
            }

            Assert.True(succeeds is null || succeeds == (code == 0), output);
            await ShellAsync($"rm -f {name}");
        }
    }

    [Fact]
    public async Task TouchShowsTheBaseAndTarArchivesIt()
    {
        var overlay = _mounted["vm/one@touched.img"];
        await ShellAsync(
            $"cd {_mounted.Beside.Path}; touch {overlay}; cmp {overlay} {_mounted["vm/one.img"]}; tar -C {_mounted["vm"]} -cSf o.tar one@touched.img; "
            + $"tar -xf o.tar; cmp one@touched.img {overlay}");
    }

    [Fact]
    public async Task TheTimesAreThoseOfTheContent()
    {
        var overlay = _mounted["vm/one@times.img"];
        await ShellAsync($"touch {overlay}");
        var made = await TimesAsync(overlay);
        await ShellAsync($"cat {overlay} > /dev/null; chmod 600 {overlay}; touch -d 2001-01-01 {overlay}");
        Assert.Equal(made, await TimesAsync(overlay));
        await ShellAsync($"printf abc | dd of={overlay} conv=notrunc,fsync status=none");
        var written = await TimesAsync(overlay);
        Assert.NotEqual(made, written);
        await ShellAsync($"cat {overlay} > /dev/null");
        Assert.Equal(written, await TimesAsync(overlay));
        await ShellAsync($": > {overlay}");
        Assert.NotEqual(written, await TimesAsync(overlay));
        Assert.Equal($"{Size} 0", await ShellAsync($"stat -c '%s %b' {overlay}"));
    }

    private static Task<string> TimesAsync(string path) => ShellAsync($"stat -c '%.9Y %.9Z' {path}");
}
