using System.Net.Sockets;
using System.Text;
using Benji.Cli.Logging;
using Benji.Testing;
using Microsoft.Extensions.Logging;
using Xunit;

namespace Benji.Tests.Cli.Logging;

public sealed class SystemLogTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    [Theory]
    [InlineData(LogLevel.Error, 27)]
    [InlineData(LogLevel.Warning, 28)]
    [InlineData(LogLevel.Information, 30)]
    [InlineData(LogLevel.Debug, 31)]
    public void ALineIsOneDatagramWithItsPriority(LogLevel level, int priority)
    {
        using var system = Listen();
        using var log = new SystemLog(_directory["log"]);
        log.Write(Line(level, "two\nlines"));
        var text = Receive(system);
        Assert.StartsWith($"<{priority}>benji[{Environment.ProcessId}]: two", text, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', text);
    }

    [Fact]
    public void ALogThatWasStartedAnewIsFoundAgain()
    {
        using var log = new SystemLog(_directory["log"]);
        log.Write(Line(LogLevel.Error, "nobody listens"));
        using (var first = Listen())
        {
            log.Write(Line(LogLevel.Error, "first"));
            Assert.EndsWith("first", Receive(first), StringComparison.Ordinal);
        }

        File.Delete(_directory["log"]);
        using var second = Listen();
        log.Write(Line(LogLevel.Error, "second"));
        Assert.EndsWith("second", Receive(second), StringComparison.Ordinal);
    }

    public void Dispose() => _directory.Dispose();

    private static LogLine Line(LogLevel level, string text) => new(DateTimeOffset.UnixEpoch, level, "Test", 1, text, null);

    private static string Receive(Socket socket)
    {
        socket.ReceiveTimeout = 10_000;
        var datagram = new byte[4096];
        return Encoding.UTF8.GetString(datagram, 0, socket.Receive(datagram));
    }

    private Socket Listen()
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
        socket.Bind(new UnixDomainSocketEndPoint(_directory["log"]));
        return socket;
    }
}
