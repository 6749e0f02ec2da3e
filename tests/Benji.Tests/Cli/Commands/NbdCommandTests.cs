using System.Net;
using Benji.Cli.Commands;
using Benji.Nbd;
using Benji.Store.Model;
using Xunit;

namespace Benji.Tests.Cli.Commands;

public class NbdCommandTests
{
    [Fact]
    public void ItListensOnLoopbackByDefault()
    {
        var options = Read();
        Assert.Equal([new IPEndPoint(IPAddress.Loopback, 10809)], options.Endpoints);
        Assert.Null(options.SocketPath);
        Assert.Equal((false, false, WritableVersions.None), (options.ReadOnly, options.Insecure, options.Writable));
        Assert.Null(options.TlsCertificates);
        Assert.Null(options.DefaultExport);
    }

    [Fact]
    public void ASocketOrAServiceManagerTakesThePlaceOfTcp()
    {
        Assert.Equal(("/run/s", 0), (Read("--socket", "/run/s").SocketPath, Read("--socket", "/run/s").Endpoints.Count));
        Assert.Empty(Read(isActivated: true).Endpoints);
    }

    [Theory]
    [InlineData("127.0.0.1:0", "--socket", "/run/s", "-p", "0")]
    [InlineData("[::1]:10809", "--socket", "/run/s", "-a", "::1")]
    [InlineData("0.0.0.0:65535", "--bind-address", "0.0.0.0", "--bind-port", "65535")]
    [InlineData("127.0.0.1:7 [::1]:7", "-a", "127.0.0.1", "-a", "[::1]", "-p", "7")]
    public void TcpIsThereWhereItIsAskedFor(string expected, params string[] arguments) =>
        Assert.Equal(expected, string.Join(' ', Read(arguments).Endpoints));

    [Theory]
    [InlineData(WritableVersions.Discard, "-d")]
    [InlineData(WritableVersions.Discard, "--discard-changes")]
    [InlineData(WritableVersions.Discard, "--writable", "discard")]
    [InlineData(WritableVersions.Discard, "-d", "--writable", "discard")]
    [InlineData(WritableVersions.Promote, "--writable", "promote")]
    public void VersionsAreWritableWhenAsked(WritableVersions expected, params string[] arguments) =>
        Assert.Equal(expected, Read(arguments).Writable);

    [Fact]
    public void TheRestOfTheOptionsIsPassedOn()
    {
        var options = Read(
            "-r", "--insecure", "--tls-certificates", "pki", "--tls-allow", "CN=a", "--tls-allow", "CN=b",
            "--default-export", "vm/latest");
        Assert.True(options.ReadOnly && options.Insecure);
        Assert.Equal(("pki", "vm/latest"), (options.TlsCertificates, options.DefaultExport));
        Assert.Equal(["CN=a", "CN=b"], options.AllowedClients);
    }

    [Theory]
    [InlineData(0x180, null, "--socket", "s")]
    [InlineData(0x1B0, null, "--socket", "s", "--socket-mode", "660")]
    [InlineData(0x1A0, null, "--socket", "s", "--socket-mode", "0640")]
    [InlineData(0x1B0, 0u, "--socket", "s", "--socket-group", "root")]
    [InlineData(0x180, 12345u, "--socket", "s", "--socket-group", "12345", "--socket-mode", "600")]
    [InlineData(0x1B6, null, "--socket", "s", "--socket-mode", "666", "--insecure")]
    public void WhoMayConnectToTheSocketIsSaid(int mode, uint? group, params string[] arguments) =>
        Assert.Equal(new SocketAccess { Mode = (UnixFileMode)mode, Group = group }, Read(arguments).SocketAccess);

    [Theory]
    [InlineData("--socket-mode", "660")]
    [InlineData("--socket-group", "root")]
    [InlineData("--socket", "s", "--socket-mode", "")]
    [InlineData("--socket", "s", "--socket-mode", "rw")]
    [InlineData("--socket", "s", "--socket-mode", "700")]
    [InlineData("--socket", "s", "--socket-mode", "060")]
    [InlineData("--socket", "s", "--socket-mode", "1660")]
    [InlineData("--socket", "s", "--socket-mode", "77777777777777777777660")]
    [InlineData("--socket", "s", "--socket-mode", "666")]
    [InlineData("--socket", "s", "--socket-mode", "668")]
    [InlineData("--socket", "s", "--socket-group", "no such group")]
    [InlineData("--socket", "s", "--socket-group", "")]
    [InlineData("-p", "65536")]
    [InlineData("-p", "-1")]
    [InlineData("-p", "nbd")]
    [InlineData("-a", "localhost")]
    [InlineData("-a", "")]
    [InlineData("--writable", "always")]
    [InlineData("--writable", "promote", "-d")]
    public void ValuesThatMeanNothingAreRefused(params string[] arguments) =>
        Assert.Throws<UsageException>(() => Read(arguments));

    private static NbdServerOptions Read(params string[] arguments) => Read(false, arguments);

    private static NbdServerOptions Read(bool isActivated, params string[] arguments)
    {
        var line = new CommandLine(["nbd", .. arguments]);
        line.Check();
        return Assert.IsType<NbdCommand>(line.Command).Read(line.Parsed, isActivated);
    }
}
