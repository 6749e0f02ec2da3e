using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Benji.Nbd.Protocol;
using Benji.Store.Model;
using Benji.Testing;
using Benji.Tests.Nbd.Session;
using Xunit;

namespace Benji.Tests.Nbd.Transport;

/// <summary>TLS with certificates made for the test: who gets in, and what holds before and after.</summary>
public sealed class TlsTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();
    private readonly X509Certificate2 _authority = TestCertificates.Authority("CN=Benji test CA");
    private readonly X509Certificate2 _foreign = TestCertificates.Authority("CN=Somebody else");

    public TlsTests()
    {
        using var server = TestCertificates.Issue(_authority, "CN=localhost", TestCertificates.ForServers);
        File.WriteAllText(_directory["server-cert.pem"], server.ExportCertificatePem());
        File.WriteAllText(_directory["server-key.pem"], server.GetRSAPrivateKey()!.ExportPkcs8PrivateKeyPem());
        File.WriteAllText(_directory["ca-cert.pem"], _authority.ExportCertificatePem());
    }

    public void Dispose()
    {
        _directory.Dispose();
        _authority.Dispose();
        _foreign.Dispose();
    }

    [Fact]
    public async Task NothingIsToldBeforeTls()
    {
        await using var served = await StartAsync();
        await using var probe = await served.ConnectTcpAsync();
        await probe.GreetAsync();
        OptionCode[] options =
        [
            OptionCode.List, OptionCode.Info, OptionCode.Go, OptionCode.StructuredReply, OptionCode.ListMetaContext,
            OptionCode.SetMetaContext, (OptionCode)99,
        ];
        foreach (var option in options)
        {
            Assert.Equal(OptionReply.ErrTlsRequired, Assert.Single(await probe.AskAsync(option, 1, 2)).Reply);
        }

        Assert.Equal(OptionReply.ErrInvalid, Assert.Single(await probe.AskAsync(OptionCode.StartTls, 1)).Reply);
        await probe.SendOptionAsync(OptionCode.ExportName, "vm1/v1"u8.ToArray());
        Assert.True(await probe.IsClosedAsync());
    }

    [Fact]
    public async Task AClientOfTheAuthorityReadsAndWrites()
    {
        await using var served = await StartAsync();
        using var certificate = TestCertificates.Issue(_authority, "CN=backup1", TestCertificates.ForClients);
        await using var probe = await ConnectAsync(served, certificate);
        Assert.Equal(OptionReply.ErrInvalid, Assert.Single(await probe.AskAsync(OptionCode.StartTls)).Reply);
        await probe.StructureAsync();
        await probe.AskForAsync(OptionCode.Go, "vm1/v1@tls");
        Assert.Equal(served.Content, (await probe.CallAsync(Command.Read, 0, ServedImages.Size)).Data);
        var data = new byte[700_000];
        new Random(3).NextBytes(data);
        Assert.Equal(NbdError.None, (await probe.WriteAsync(1000, data)).Error);
        Assert.Equal(data, (await probe.CallAsync(Command.Read, 1000, (uint)data.Length)).Data);
        var gate = new TaskCompletionSource();
        served.Images.Faults.Reading = (_, _) => new ValueTask(gate.Task);
        await probe.RequestAsync(Command.Read, 1000, 512);
        gate.SetResult();
        Assert.Equal(data[..512], (await probe.ReceiveReplyAsync(512, 1000)).Data);
        served.Images.Faults.Reading = null;
        await probe.RequestAsync(Command.Disconnect, 0, 0);
        Assert.True(await probe.IsClosedAsync());
    }

    [Fact]
    public async Task WhatWasAgreedInTheClearDoesNotHoldUnderTls()
    {
        await using var served = await StartAsync();
        await using var probe = await served.ConnectAsync();
        await probe.GreetAsync();
        await probe.StructureAsync();
        await probe.AskContextsAsync(OptionCode.SetMetaContext, "vm1/v1", "base:allocation");
        using var certificate = TestCertificates.Issue(_authority, "CN=backup1", TestCertificates.ForClients);
        await BeginTlsAsync(probe, certificate);
        await probe.AskForAsync(OptionCode.Go, "vm1/v1");
        await probe.RequestAsync(Command.Read, 0, 64);
        Assert.Equal(SimpleReply.Magic, ReadMagic(await probe.ReceiveAsync(SimpleReply.Size)));
        await probe.ReceiveAsync(64);
        Assert.Equal(NbdError.Invalid, (await probe.CallAsync(Command.BlockStatus, 0, 4096)).Error);
    }

    [Fact]
    public async Task TheUnixSocketMayDoWithoutTls()
    {
        await using var served = await StartAsync();
        await using var probe = await served.OpenAsync("vm1/v1");
        Assert.Equal(served.Content[..5], (await probe.CallAsync(Command.Read, 0, 5)).Data);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task AClientWithoutACertificateOfTheAuthorityIsRefused(bool isForeign)
    {
        await using var served = await StartAsync();
        using var certificate = isForeign ? TestCertificates.Issue(_foreign, "CN=backup1", TestCertificates.ForClients) : null;
        await AssertRefusedAsync(served, certificate);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("a text without a certificate")]
    public async Task WithoutAnAuthorityForClientsTheServerDoesNotStart(string? authorities)
    {
        Replace("ca-cert.pem", authorities);
        var refused = await Assert.ThrowsAsync<ConfigurationException>(() => StartAsync());
        Assert.Contains(_directory["ca-cert.pem"], refused.Message, StringComparison.Ordinal);
        refused = await Assert.ThrowsAsync<ConfigurationException>(() => StartAsync(isInsecure: true, "CN=backup1"));
        Assert.Contains("--tls-allow", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task WithoutAnAuthorityEverybodyGetsInWhereThatIsAskedFor()
    {
        Replace("ca-cert.pem", null);
        await using var served = await StartAsync(isInsecure: true);
        await using var probe = await ConnectAsync(served, certificate: null);
        Assert.Equal(OptionReply.Ack, (await probe.AskForAsync(OptionCode.Go, "vm1/v1"))[^1].Reply);
    }

    [Fact]
    public async Task InsecureDoesNotTakeAwayTheCheckOfAnAuthority()
    {
        await using var served = await StartAsync(isInsecure: true);
        await AssertRefusedAsync(served, certificate: null);
    }

    [Theory]
    [InlineData("none", "It was refused: it has no certificate.")]
    [InlineData("foreign", "It was refused: certificate 'CN=backup1' is not of an authority in ca-cert.pem.")]
    [InlineData("old", "It was refused: certificate 'CN=backup1' has expired, or is not valid yet.")]
    [InlineData("server", "It was refused: certificate 'CN=backup1' is not one for clients.")]
    [InlineData("other", "is not among those of --tls-allow.")]
    public async Task ARefusedClientIsLoggedWithTheCause(string kind, string cause)
    {
        using var certificate = kind switch
        {
            "none" => null,
            "foreign" => TestCertificates.Issue(_foreign, "CN=backup1", TestCertificates.ForClients),
            "old" => TestCertificates.Issue(_authority, "CN=backup1", TestCertificates.ForClients, years: 1),
            "server" => TestCertificates.Issue(_authority, "CN=backup1", TestCertificates.ForServers),
            _ => TestCertificates.Issue(_authority, "CN=backup2", TestCertificates.ForClients),
        };
        await using var served = await StartAsync("CN=backup1");
        await AssertRefusedAsync(served, certificate);
        var warning = Assert.Single(served.Log.Lines, line => line.StartsWith("Warning", StringComparison.Ordinal));
        Assert.EndsWith(cause, warning.TrimEnd(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task AClientThatAsksForAnExportInTheClearIsLogged()
    {
        await using var served = await StartAsync();
        await using var probe = await served.ConnectTcpAsync();
        await probe.GreetAsync();
        Assert.Equal(OptionReply.ErrTlsRequired, (await probe.AskForAsync(OptionCode.Go, "vm1/v1"))[^1].Reply);
        Assert.Contains(served.Log.Lines, line => line.Contains("This server requires TLS", StringComparison.Ordinal));
    }

    [Fact]
    public async Task TheListOfClientsDecidesBySubjectOrFingerprint()
    {
        using var first = TestCertificates.Issue(_authority, "CN=backup1", TestCertificates.ForClients);
        using var second = TestCertificates.Issue(_authority, "CN=backup2", TestCertificates.ForClients);
        using var third = TestCertificates.Issue(_authority, "CN=backup3", TestCertificates.ForClients);
        await using var served = await StartAsync("CN=backup1", second.GetCertHashString(HashAlgorithmName.SHA256));
        foreach (var certificate in new[] { first, second })
        {
            await using var probe = await ConnectAsync(served, certificate);
            Assert.Equal(OptionReply.Ack, (await probe.AskForAsync(OptionCode.Go, "vm1/v1"))[^1].Reply);
        }

        await AssertRefusedAsync(served, third);
    }

    [Fact]
    public async Task TlsOlderThanTwelveIsRefused()
    {
        await using var served = await StartAsync();
        await using var probe = await served.ConnectTcpAsync();
        await probe.GreetAsync();
        await probe.AskAsync(OptionCode.StartTls);
        var tls = new SslStream(probe.Stream, leaveInnerStreamOpen: false);
#pragma warning disable SYSLIB0039, CA5397 // That the old version is refused is what is tested.
        var options = new SslClientAuthenticationOptions { TargetHost = "localhost", EnabledSslProtocols = SslProtocols.Tls11 };
#pragma warning restore SYSLIB0039, CA5397 // The reason ends here.
        await Assert.ThrowsAnyAsync<Exception>(() => tls.AuthenticateAsClientAsync(options));
        await tls.DisposeAsync();
    }

    [Fact]
    public async Task MissingCertificatesAreNamed()
    {
        File.Delete(_directory["server-key.pem"]);
        var refused = await Assert.ThrowsAsync<ConfigurationException>(() => StartAsync());
        Assert.Contains("server-key.pem", refused.Message, StringComparison.Ordinal);
    }

    private static uint ReadMagic(byte[] bytes) => System.Buffers.Binary.BinaryPrimitives.ReadUInt32BigEndian(bytes);

    private Task<ServedImages> StartAsync(params string[] allowed) => StartAsync(isInsecure: false, allowed);

    private Task<ServedImages> StartAsync(bool isInsecure, params string[] allowed) => ServedImages.StartAsync(
        options => options with
        {
            TlsCertificates = _directory.Path,
            AllowedClients = allowed,
            Insecure = isInsecure,
        });

    private void Replace(string file, string? content)
    {
        File.Delete(_directory[file]);
        if (content is not null)
        {
            File.WriteAllText(_directory[file], content);
        }
    }

    // Under TLS 1.3 a client learns that it is refused only when it reads.
    private async Task AssertRefusedAsync(ServedImages served, X509Certificate2? certificate)
    {
        await using var probe = await served.ConnectTcpAsync();
        await probe.GreetAsync();
        await Assert.ThrowsAnyAsync<Exception>(async () =>
        {
            await BeginTlsAsync(probe, certificate);
            await probe.AskAsync(OptionCode.List);
        });
        await ServedImages.UntilAsync(() => served.Server.Counters.Open == 0, "the end of the connection");
    }

    private async Task<NbdProbe> ConnectAsync(ServedImages served, X509Certificate2? certificate)
    {
        var probe = await served.ConnectTcpAsync();
        await probe.GreetAsync();
        await BeginTlsAsync(probe, certificate);
        return probe;
    }

    private async Task BeginTlsAsync(NbdProbe probe, X509Certificate2? certificate)
    {
        Assert.Equal(OptionReply.Ack, Assert.Single(await probe.AskAsync(OptionCode.StartTls)).Reply);
        var tls = new SslStream(probe.Stream, leaveInnerStreamOpen: false);
        var policy = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            RevocationMode = X509RevocationMode.NoCheck,
        };
        policy.CustomTrustStore.Add(_authority);
        await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
        {
            TargetHost = "localhost",
            CertificateChainPolicy = policy,
            ClientCertificates = certificate is null ? [] : [certificate],
        });
        probe.Continue(tls);
    }
}
