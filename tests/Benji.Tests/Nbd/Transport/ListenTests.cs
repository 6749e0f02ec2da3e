using System.Net;
using System.Net.Sockets;
using Benji.Nbd;
using Benji.Nbd.Protocol;
using Benji.Store.Model;
using Benji.Testing;
using Benji.Testing.Serving;
using Benji.Tests.Nbd.Session;
using Xunit;

namespace Benji.Tests.Nbd.Transport;

/// <summary>Where a server listens, and where it refuses to; how it ends.</summary>
public sealed class ListenTests
{
    [Fact]
    public async Task TheUnixSocketIsForItsUserAloneAndGoesWithTheServer()
    {
        string path;
        await using (var served = await ServedImages.StartAsync())
        {
            path = served.SocketPath;
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(path));
        }

        Assert.False(File.Exists(path));
    }

    [Fact]
    public async Task TheUnixSocketHasTheModeThatWasAskedFor()
    {
        using var directory = new TemporaryDirectory();
        File.SetUnixFileMode(directory.Path, (UnixFileMode)0x1ED); // 0755
        const UnixFileMode mode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.GroupWrite;
        await using var server = Make(new NbdServerOptions
        {
            SocketPath = directory["s"],
            SocketAccess = new SocketAccess { Mode = mode },
        });
        await server.StartAsync();
        Assert.Equal(mode, File.GetUnixFileMode(directory["s"]));
    }

    [Theory]
    [InlineData(0x1F8, false)] // 0770
    [InlineData(0x1FF, false)] // 0777
    [InlineData(0x1EF, false)] // 0757
    [InlineData(0x3FF, true)] // 01777
    [InlineData(0x1ED, true)] // 0755
    public async Task ASharedSocketIsNotMadeWhereOthersCouldReplaceIt(int directoryMode, bool isFine)
    {
        using var directory = new TemporaryDirectory();
        File.SetUnixFileMode(directory.Path, (UnixFileMode)directoryMode);
        await using var server = Make(new NbdServerOptions
        {
            SocketPath = directory["s"],
            SocketAccess = new SocketAccess { Mode = (UnixFileMode)0x1B0 }, // 0660
        });
        await using var own = Make(new NbdServerOptions { SocketPath = directory["own"] });
        await own.StartAsync();
        if (isFine)
        {
            await server.StartAsync();
        }
        else
        {
            await Assert.ThrowsAsync<NotAllowedException>(() => server.StartAsync());
            Assert.False(File.Exists(directory["s"]));
        }
    }

    [Fact]
    public async Task TcpIsServedToo()
    {
        await using var served = await ServedImages.StartAsync();
        await using var probe = await served.ConnectTcpAsync();
        await probe.OpenAsync("vm1/v1");
        var whole = await probe.CallAsync(Command.Read, 0, ServedImages.Size);
        Assert.Equal(served.Content, whole.Data);
    }

    [Fact]
    public async Task IPv6IsServedToo()
    {
        await using var served = await ServedImages.StartAsync(
            options => options with { Endpoints = [new IPEndPoint(IPAddress.IPv6Loopback, 0)] });
        await using var probe = await served.ConnectTcpAsync();
        await probe.OpenAsync("vm1/v1");
        Assert.Equal(served.Content[..9], (await probe.CallAsync(Command.Read, 0, 9)).Data);
    }

    [Fact]
    public async Task ASocketThatAKilledServerLeftIsReplaced()
    {
        using var directory = new TemporaryDirectory();
        var path = directory["left.sock"];
        using (var left = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified))
        {
            left.Bind(new UnixDomainSocketEndPoint(path));
            await using var server = Make(new NbdServerOptions { SocketPath = path });
            await server.StartAsync();
            Assert.True(File.Exists(path));
        }
    }

    [Fact]
    public async Task ASocketInUseAndAFileAreLeftAlone()
    {
        using var directory = new TemporaryDirectory();
        var file = directory["file"];
        await File.WriteAllTextAsync(file, "");
        await using var overFile = Make(new NbdServerOptions { SocketPath = file });
        await Assert.ThrowsAsync<InUseException>(() => overFile.StartAsync());
        Assert.True(File.Exists(file));
        await using var first = Make(new NbdServerOptions { SocketPath = directory["s"] });
        await first.StartAsync();
        await using var second = Make(new NbdServerOptions { SocketPath = directory["s"] });
        await Assert.ThrowsAsync<InUseException>(() => second.StartAsync());
    }

    [Fact]
    public async Task AnAddressInUseIsRefused()
    {
        await using var first = Make(new NbdServerOptions { Endpoints = [new IPEndPoint(IPAddress.Loopback, 0)] });
        await first.StartAsync();
        await using var second = Make(new NbdServerOptions { Endpoints = [(IPEndPoint)first.Endpoints[0]] });
        await Assert.ThrowsAsync<InUseException>(() => second.StartAsync());
    }

    [Fact]
    public async Task AnAddressThatIsNotLoopbackNeedsTlsOrInsecure()
    {
        var open = new NbdServerOptions { Endpoints = [new IPEndPoint(IPAddress.Any, 0)] };
        await using var refused = Make(open);
        await Assert.ThrowsAsync<UsageException>(() => refused.StartAsync());
        await using var insecure = Make(open with { Insecure = true });
        await insecure.StartAsync();
        Assert.Single(insecure.Endpoints);
    }

    [Fact]
    public async Task NowhereToListenIsRefused()
    {
        await using var server = Make(new NbdServerOptions { TakesActivatedSockets = false });
        await Assert.ThrowsAsync<UsageException>(() => server.StartAsync());
    }

    [Fact]
    public async Task TheEndFinishesWhatIsInFlightAndFlushes()
    {
        await using var served = await ServedImages.StartAsync();
        await using var probe = await served.OpenAsync("vm1/v1@work");
        await probe.WriteAsync(0, [1, 2, 3]);
        var gate = new TaskCompletionSource();
        var reading = 0;
        served.Images.Faults.Reading = (_, _) =>
        {
            Interlocked.Increment(ref reading);
            return new ValueTask(gate.Task);
        };
        await probe.RequestAsync(Command.Read, 0, 3, cookie: 8);
        await probe.RequestAsync(Command.Read, 0, 3, cookie: 9);
        await ServedImages.UntilAsync(() => Volatile.Read(ref reading) == 2, "both reads to begin");
        var stopping = served.StopAsync();
        served.Images.Faults.Reading = null;
        gate.SetResult();
        var replies = new[] { await probe.ReceiveReplyAsync(3, 0), await probe.ReceiveReplyAsync(3, 0) };
        Assert.All(replies, reply => Assert.Equal([1, 2, 3], reply.Data));
        Assert.Equal([8ul, 9ul], replies.Select(reply => reply.Cookie).Order());
        await stopping;
        Assert.Equal(0, served.Images.OpenCount);
    }

    [Fact]
    public async Task TheEndDoesNotWaitForClientsThatSayNothing()
    {
        await using var served = await ServedImages.StartAsync();
        await using var silent = await served.ConnectAsync();
        await using var idle = await served.OpenAsync("vm1/v1");
        await served.StopAsync();
        Assert.True(await idle.IsClosedAsync());
    }

    private static NbdServer Make(NbdServerOptions options) => new(new ByteImages(), options, new LogLines());
}
