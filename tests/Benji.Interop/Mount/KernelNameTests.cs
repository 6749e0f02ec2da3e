using Benji.Store.Model;
using Xunit;
using static Benji.Interop.Mount.MountedImages;

namespace Benji.Interop.Mount;

/// <summary>What ls, stat and getfattr show, and how soon.</summary>
public sealed class KernelNameTests : IAsyncLifetime
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(30);

    private readonly MountedImages _mounted = new();

    public async Task InitializeAsync()
    {
        _mounted.Images.Add("vm/one", new byte[8192]);
        _mounted.Images.Add("vm/two", Content(300_001, seed: 2), version => version with
        {
            Snapshot = "daily",
            Labels = new SortedList<string, string> { ["host"] = "alpha" },
            AllocatedBytes = 65536,
        });
        _mounted.Images.Add("vm/bad", new byte[4096], version => version with { Status = VersionStatus.Invalid });
        _mounted.Images.Add("pool/a/disk", new byte[512]);
        await _mounted.InitializeAsync();
    }

    public Task DisposeAsync() => _mounted.DisposeAsync();

    [Fact]
    public async Task NamesSizesModesAndLinksAreShown()
    {
        Assert.Equal("pool\nvm", await ShellAsync($"ls {_mounted[""]}"));
        Assert.Equal("bad.img\nlatest.img\none.img\ntwo.img", await ShellAsync($"ls {_mounted["vm"]}"));
        Assert.Equal("disk.img\nlatest.img", await ShellAsync($"ls {_mounted["pool/a"]}"));
        Assert.Equal("two.img", await ShellAsync($"readlink {_mounted["vm/latest.img"]}"));
        Assert.Equal("300001 128 400", await ShellAsync($"stat -L -c '%s %b %a' {_mounted["vm/latest.img"]}"));
        Assert.Equal(
            "2100-01-01 00:00:02.000000000 +0000", await ShellAsync($"TZ=UTC stat -c %y {_mounted["vm/two.img"]}"));
        Assert.Equal("700 directory", await ShellAsync($"stat -c '%a %F' {_mounted["vm"]}"));
        Assert.Equal("4", await ShellAsync($"find {_mounted[""]} -type f | wc -l"));
        Assert.Equal(
            "fuse.benji", await ShellAsync($"findmnt -n -o FSTYPE {_mounted[""].TrimEnd('/')}"));
    }

    [Fact]
    public async Task WhatIsKnownOfAVersionIsInItsExtendedAttributes()
    {
        const string script = """
            import os, sys
            path = sys.argv[1]
            for name in sorted(os.listxattr(path)):
                print(name, os.getxattr(path, name).decode())
            try:
                os.getxattr(path, "system.posix_acl_access")
            except OSError as error:
                print(error.errno)
            """;
        var (code, output) = await RunAsync("python3", "-c", script, _mounted["vm/two.img"]);
        Assert.Equal(0, code);
        Assert.Contains("user.benji.name vm/two\n", output, StringComparison.Ordinal);
        Assert.Contains("user.benji.labels host=alpha\n", output, StringComparison.Ordinal);
        Assert.Contains("user.benji.snapshot daily\n", output, StringComparison.Ordinal);
        Assert.Contains("user.benji.status valid\n", output, StringComparison.Ordinal);
        Assert.Contains("user.benji.date 2100-01-01T00:00:02.000000Z\n", output, StringComparison.Ordinal);
        Assert.EndsWith("61\n", output, StringComparison.Ordinal);
        Assert.Contains(
            "user.benji.status invalid\n",
            (await RunAsync("python3", "-c", script, _mounted["vm/bad.img"])).Output,
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task AVersionAppearsAndGoesAgainWithinASecond()
    {
        // The kernel remembers that there is no such name, and what the directory holds.
        var path = _mounted["vm/new.img"];
        Assert.Equal(1, (await RunAsync("stat", path)).Code);
        await ShellAsync($"ls -l {_mounted["vm"]}; ls {_mounted["vm"]}");

        var added = _mounted.Images.Add("vm/new", Content(100_000, seed: 3));
        await UntilAsync(async () => (await RunAsync("stat", path)).Code == 0, Soon, "the new version is there");
        Assert.Contains("new.img", await ShellAsync($"ls {_mounted["vm"]}"), StringComparison.Ordinal);
        Assert.Equal("new.img", await ShellAsync($"readlink {_mounted["vm/latest.img"]}"));

        // A version that goes while it is open stays readable.
        var held = File.OpenRead(path);
        await using (held)
        {
            _mounted.Images.Remove(added);
            await UntilAsync(async () => (await RunAsync("stat", path)).Code == 1, Soon, "the removed version is gone");
            Assert.DoesNotContain("new.img", await ShellAsync($"ls {_mounted["vm"]}"), StringComparison.Ordinal);
            Assert.Equal("two.img", await ShellAsync($"readlink {_mounted["vm/latest.img"]}"));
            var bytes = new byte[100_000];
            await held.ReadExactlyAsync(bytes);
            Assert.Equal(Content(100_000, seed: 3), bytes);
        }

        await UntilAsync(() => Task.FromResult(_mounted.Images.OpenCount == 0), Soon, "it is closed");
    }

    [Fact]
    public async Task AVolumeAppearsAndGoesAgain()
    {
        Assert.Equal(1, (await RunAsync("stat", _mounted["other/deep/x.img"])).Code);
        var added = _mounted.Images.Add("other/deep/x", new byte[512]);
        await UntilAsync(
            async () => (await RunAsync("stat", _mounted["other/deep/x.img"])).Code == 0, Soon, "the volume is there");
        Assert.Equal("other\npool\nvm", await ShellAsync($"ls {_mounted[""]}"));
        _mounted.Images.Remove(added);
        await UntilAsync(async () => (await RunAsync("stat", _mounted["other"])).Code == 1, Soon, "the volume is gone");
        Assert.Equal("pool\nvm", await ShellAsync($"ls {_mounted[""]}"));
    }

    [Fact]
    public async Task WhatCannotBeIsRefusedWithTheRightError()
    {
        Assert.Contains("Read-only", (await RunAsync("bash", "-c", $"echo x >> {_mounted["vm/one.img"]}")).Output, StringComparison.Ordinal);
        Assert.Contains("Read-only", (await RunAsync("rm", "-f", _mounted["vm/one.img"])).Output, StringComparison.Ordinal);
        Assert.Contains("Read-only", (await RunAsync("truncate", "-s", "1", _mounted["vm/one.img"])).Output, StringComparison.Ordinal);
        Assert.Contains("not permitted", (await RunAsync("mkdir", _mounted["vm/x"])).Output, StringComparison.Ordinal);
        Assert.Contains("not permitted", (await RunAsync("touch", _mounted["vm/x"])).Output, StringComparison.Ordinal);
        Assert.Contains("No such file", (await RunAsync("touch", _mounted["vm/gone@x.img"])).Output, StringComparison.Ordinal);
        Assert.Contains("too long", (await RunAsync("stat", _mounted["vm/" + new string('a', 256)])).Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task OthersCannotLookInside()
    {
        var (code, output) = await RunAsync("setpriv", "--reuid=65534", "--clear-groups", "ls", _mounted[""]);
        Assert.NotEqual(0, code);
        Assert.Contains("denied", output, StringComparison.Ordinal);
    }
}
