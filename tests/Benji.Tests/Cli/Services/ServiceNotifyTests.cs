using System.Net.Sockets;
using System.Text;
using Benji.Cli.Services;
using Benji.Testing;
using Xunit;

namespace Benji.Tests.Cli.Services;

public sealed class ServiceNotifyTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();
    private readonly Socket _manager = new(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);

    [Fact]
    public void ReadinessIsOneDatagram()
    {
        _manager.Bind(new UnixDomainSocketEndPoint(_directory["socket"]));
        var notify = new ServiceNotify(_directory["socket"]);
        notify.Ready("serving");
        notify.Stopping();
        Assert.Equal("READY=1\nSTATUS=serving", Receive());
        Assert.Equal("STOPPING=1", Receive());
    }

    [Fact]
    public void AnAbstractSocketIsReached()
    {
        var name = $"benji-test-{Guid.NewGuid():N}";
        _manager.Bind(new UnixDomainSocketEndPoint($"\0{name}"));
        new ServiceNotify($"@{name}").Stopping();
        Assert.Equal("STOPPING=1", Receive());
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("vsock:2:9999")]
    public void WithoutASocketNothingIsSent(string? socket)
    {
        var notify = new ServiceNotify(socket);
        Assert.False(notify.IsListening);
        notify.Ready("serving");
    }

    [Fact]
    public void ASocketThatIsGoneIsAnError()
    {
        var notify = new ServiceNotify(_directory["nowhere"]);
        var failure = Assert.Throws<IOException>(notify.Stopping);
        Assert.Contains("NOTIFY_SOCKET", failure.Message, StringComparison.Ordinal);
    }

    public void Dispose()
    {
        _manager.Dispose();
        _directory.Dispose();
    }

    private string Receive()
    {
        _manager.ReceiveTimeout = 10_000;
        var datagram = new byte[4096];
        return Encoding.UTF8.GetString(datagram, 0, _manager.Receive(datagram));
    }
}
