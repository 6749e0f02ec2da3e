using System.Diagnostics;
using Xunit;
using static Benji.Interop.Mount.MountedImages;

namespace Benji.Interop.Mount;

/// <summary>What clients hear when something fails, and that the mount goes on.</summary>
public sealed class KernelFaultTests : IAsyncLifetime
{
    private const int Size = 1024 * 1024;

    private readonly MountedImages _mounted = new();
    private readonly byte[] _content = Content(Size, seed: 5);

    public async Task InitializeAsync()
    {
        _mounted.Images.Add("vm/one", _content);
        await File.WriteAllBytesAsync(_mounted.Beside["one"], _content);
        await _mounted.InitializeAsync();
    }

    public Task DisposeAsync() => _mounted.DisposeAsync();

    [Fact]
    public async Task DamageIsAnErrorOfItsRangeAloneAndLoggedOnce()
    {
        _mounted.Images.Faults.Damaged = (65536, 4096);
        var file = _mounted["vm/one.img"];
        for (var i = 0; i < 3; i++)
        {
            var (code, output) = await RunAsync("dd", $"if={file}", "iflag=direct", "bs=4096", "skip=16", "count=1", "of=/dev/null");
            Assert.NotEqual(0, code);
            Assert.Contains("Input/output error", output, StringComparison.Ordinal);
        }

        await ShellAsync($"cmp -n 65536 {file} {_mounted.Beside["one"]}");
        await ShellAsync($"cmp -i 69632 {file} {_mounted.Beside["one"]}");
        Assert.Single(_mounted.Log.Lines, line => line.Contains("Cannot read bytes of block 0 of vm/one", StringComparison.Ordinal));
    }

    [Fact]
    public async Task AFullDiskIsNoSpaceAndNothingElse()
    {
        var overlay = _mounted["vm/one@full.img"];
        await ShellAsync($"touch {overlay}");
        _mounted.Images.Faults.IsFull = true;
        var (code, output) = await RunAsync(
            "dd", "if=/dev/zero", $"of={overlay}", "bs=64K", "count=1", "conv=notrunc", "oflag=direct");
        Assert.NotEqual(0, code);
        Assert.Contains("No space left", output, StringComparison.Ordinal);
        _mounted.Images.Faults.IsFull = false;
        await ShellAsync($"cmp {overlay} {_mounted.Beside["one"]}");
    }

    [Fact]
    public async Task ADefectIsAnErrorOfItsRequestAlone()
    {
        _mounted.Images.Faults.Reading = (_, _) => throw new InvalidOperationException("a defect, as told");
        var (code, output) = await RunAsync("cat", _mounted["vm/one.img"]);
        Assert.NotEqual(0, code);
        Assert.Contains("Input/output error", output, StringComparison.Ordinal);
        _mounted.Images.Faults.Reading = null;
        await ShellAsync($"cmp {_mounted["vm/one.img"]} {_mounted.Beside["one"]}");
    }

    [Fact]
    public async Task AStorageThatHangsHoldsUpNobodyElseAndItsReadersCanBeKilled()
    {
        _mounted.Images.Add("vm/two", _content);
        await UntilAsync(
            async () => (await RunAsync("stat", _mounted["vm/two.img"])).Code == 0, TimeSpan.FromSeconds(1), "two is there");
        var hanging = new TaskCompletionSource();
        var reading = new TaskCompletionSource();
        _mounted.Images.Faults.Reading = async (offset, token) =>
        {
            if (offset < Size / 2)
            {
                reading.TrySetResult();
                await hanging.Task.WaitAsync(token);
            }
        };
        var start = Stopwatch.GetTimestamp();
        using var stuck = Process.Start("cat", [_mounted["vm/one.img"]]);
        await reading.Task.WaitAsync(TimeSpan.FromSeconds(10));
        await ShellAsync($"dd if={_mounted["vm/two.img"]} iflag=direct bs=64K skip=8 status=none | cmp - <(tail -c {Size / 2} {_mounted.Beside["one"]})");
        stuck.Kill();
        await stuck.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(5));
        Assert.Equal(137, stuck.ExitCode);
        Assert.True(Stopwatch.GetElapsedTime(start) < TimeSpan.FromSeconds(15));
        hanging.SetResult();
        _mounted.Images.Faults.Reading = null;
    }

    [Theory]
    [InlineData("O_RDONLY")]
    [InlineData("O_DIRECT")]
    public async Task ASignalThatIsHandledEndsNoReadAndOneThatKillsDoesAfterIt(string flag)
    {
        // Perl's sysread shows an interrupted call, which other programs try again by themselves.
        const string script = """
            $SIG{USR1} = sub {}; $| = 1; sysopen my $file, $ARGV[0], Fcntl->can($ARGV[1])->() or die $!; print "open\n";
            for (1, 2) { my $count = sysread $file, my $bytes, 4096; print defined $count ? "$count\n" : "$!\n"; }
            """;
        var hanging = new TaskCompletionSource();
        var reading = new SemaphoreSlim(0);
        _mounted.Images.Faults.Reading = async (_, token) =>
        {
            reading.Release();
            await hanging.Task.WaitAsync(token);
        };
        using var reader = Process.Start(
            new ProcessStartInfo("perl", ["-MFcntl", "-e", script, _mounted["vm/one.img"], flag]) { RedirectStandardOutput = true })!;
        Assert.Equal("open", await reader.StandardOutput.ReadLineAsync());
        Assert.True(await reading.WaitAsync(TimeSpan.FromSeconds(10)));
        await ShellAsync($"kill -USR1 {reader.Id}");
        var count = reader.StandardOutput.ReadLineAsync();
        await Task.WhenAny(count, Task.Delay(TimeSpan.FromMilliseconds(500)));
        Assert.False(count.IsCompleted);
        hanging.SetResult();
        Assert.Equal("4096", await count);
        Assert.Equal("4096", await reader.StandardOutput.ReadLineAsync());
        await reader.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(5));

        _mounted.Images.Add("vm/two", _content);
        await UntilAsync(
            async () => (await RunAsync("stat", _mounted["vm/two.img"])).Code == 0, TimeSpan.FromSeconds(1), "two is there");
        hanging = new TaskCompletionSource();
        while (reading.Wait(0))
        {
            // What the first reader had read.
        }

        using var stuck = Process.Start("perl", ["-MFcntl", "-e", script, _mounted["vm/two.img"], flag]);
        Assert.True(await reading.WaitAsync(TimeSpan.FromSeconds(10)));
        await ShellAsync($"kill -USR1 {stuck.Id}");
        stuck.Kill();
        await stuck.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(5));
        Assert.Equal(137, stuck.ExitCode);
        hanging.SetResult();
        _mounted.Images.Faults.Reading = null;
    }

    [Fact]
    public async Task StoppingEndsWithinFiveSecondsWhateverIsOpen()
    {
        using var held = File.OpenRead(_mounted["vm/one.img"]);
        _mounted.Images.Faults.Reading = (_, token) => new ValueTask(Task.Delay(Timeout.Infinite, token));
        using var stuck = Process.Start("dd", [$"if={_mounted["vm/one.img"]}", "iflag=direct", "bs=4096", "count=1", "status=none"]);
        var start = Stopwatch.GetTimestamp();
        await _mounted.Mount.StopAsync();
        Assert.True(Stopwatch.GetElapsedTime(start) < TimeSpan.FromSeconds(5));
        Assert.True(_mounted.Mount.Ended.IsCompletedSuccessfully);
        Assert.DoesNotContain(_mounted[""].TrimEnd('/'), await File.ReadAllTextAsync("/proc/mounts"), StringComparison.Ordinal);
        await stuck.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(5));
        Assert.NotEqual(0, stuck.ExitCode);
        Assert.Equal(0, _mounted.Images.OpenCount);
    }

    [Fact]
    public async Task StoppingWritesWhatWasChangedThroughAMap()
    {
        const string script = """
            import mmap, os, sys
            fd = os.open(sys.argv[1], os.O_RDWR)
            memory = mmap.mmap(fd, 0)
            memory[100:106] = b"mapped"
            print("changed", flush=True)
            sys.stdin.read()
            os._exit(0)
            """;
        await ShellAsync($"touch {_mounted["vm/one@map.img"]}");
        using var client = Process.Start(new ProcessStartInfo("python3", ["-c", script, _mounted["vm/one@map.img"]])
        {
            RedirectStandardOutput = true,
            RedirectStandardInput = true,
        })!;
        Assert.Equal("changed", await client.StandardOutput.ReadLineAsync());
        await _mounted.Mount.StopAsync();
        Assert.Equal("mapped"u8.ToArray(), _mounted.Images.ContentOf("vm/one@map")[100..106]);
        client.StandardInput.Close();
        await client.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(10));
    }

    [Fact]
    public async Task AnUnmountByHandEndsTheMount()
    {
        await ShellAsync($"umount {_mounted[""]}");
        await _mounted.Mount.Ended.WaitAsync(TimeSpan.FromSeconds(5));
    }
}
