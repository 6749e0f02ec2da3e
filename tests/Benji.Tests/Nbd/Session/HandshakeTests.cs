using System.Text;
using Benji.Nbd;
using Benji.Nbd.Protocol;
using Benji.Nbd.Session.Exports;
using Benji.Nbd.Session.Haggling;
using Benji.Testing.Serving;
using Xunit;

namespace Benji.Tests.Nbd.Session;

/// <summary>What the specification demands of a server before the transmission.</summary>
public sealed class HandshakeTests
{
    [Fact]
    public async Task TheGreetingIsFixedNewstyleWithoutZeroes()
    {
        await using var served = await ServedImages.StartAsync();
        await using var probe = await served.ConnectAsync();
        Assert.Equal(HandshakeFlags.FixedNewstyle | HandshakeFlags.NoZeroes, await probe.GreetAsync());
    }

    [Fact]
    public async Task AnUnknownClientFlagEndsTheConnection()
    {
        await using var served = await ServedImages.StartAsync();
        await using var probe = await served.ConnectAsync();
        await probe.GreetAsync(flags: 7);
        Assert.True(await probe.IsClosedAsync());
        Assert.Single(served.Log.Lines, line => line.Contains("client flags 0x7", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(0u, 134)]
    [InlineData(1u, 134)]
    [InlineData(2u, 10)]
    [InlineData(3u, 10)]
    public async Task ExportNameAnswersWithZerosUnlessTheClientDoesWithout(uint flags, int length)
    {
        await using var served = await ServedImages.StartAsync();
        await using var probe = await served.ConnectAsync();
        await probe.GreetAsync(flags);
        await probe.SendOptionAsync(OptionCode.ExportName, Encoding.UTF8.GetBytes("vm1/v1"));
        var reply = await probe.ReceiveAsync(length);
        Assert.Equal(ServedImages.Size, ExportInfo.ParseNameReply(reply).ExportSize);
        Assert.All(reply.Skip(ExportInfo.NameReplySize), zero => Assert.Equal(0, zero));
        Assert.Equal(served.Content[..512], (await probe.CallAsync(Command.Read, 0, 512)).Data);
    }

    [Fact]
    public async Task ExportNameOfNoExportEndsTheConnection()
    {
        await using var served = await ServedImages.StartAsync();
        await using var probe = await served.ConnectAsync();
        await probe.GreetAsync();
        await probe.SendOptionAsync(OptionCode.ExportName, Encoding.UTF8.GetBytes("vm1/v2"));
        Assert.True(await probe.IsClosedAsync());
    }

    [Fact]
    public async Task InfoAndGoSayTheSame()
    {
        await using var served = await ServedImages.StartAsync();
        await using var probe = await served.ConnectAsync();
        await probe.GreetAsync();
        InfoType[] infos = [InfoType.BlockSize, InfoType.Name, InfoType.Description, (InfoType)77];
        var info = await probe.AskForAsync(OptionCode.Info, "vm1/latest", infos);
        var go = await probe.AskForAsync(OptionCode.Go, "vm1/latest", infos);
        Assert.Equal(info.Select(answer => answer.Data), go.Select(answer => answer.Data));
        Assert.Equal(OptionReply.Ack, go[^1].Reply);
        var facts = go.SkipLast(1).ToDictionary(answer => TextInfo.ParseType(answer.Data), answer => answer.Data);
        Assert.Equal(ServedImages.Size, ExportInfo.ParseInfo(facts[InfoType.Export]).ExportSize);
        Assert.Equal("vm1/v1", TextInfo.Parse(facts[InfoType.Name]));
        Assert.Contains("2100-01-01", TextInfo.Parse(facts[InfoType.Description]), StringComparison.Ordinal);
        Assert.Equal(
            new BlockSizeInfo(1, 4 * 1024 * 1024, 32 * 1024 * 1024), BlockSizeInfo.Parse(facts[InfoType.BlockSize]));
    }

    [Theory]
    [InlineData("vm1/v2")]
    [InlineData("")]
    [InlineData("vm1/v1@new")]
    public async Task InfoOfNoExportIsRefusedWithATextAndCreatesNothing(string name)
    {
        await using var served = await ServedImages.StartAsync();
        await using var probe = await served.ConnectAsync();
        await probe.GreetAsync();
        var refused = Assert.Single(await probe.AskForAsync(OptionCode.Info, name));
        Assert.Equal(OptionReply.ErrUnknown, refused.Reply);
        Assert.NotEmpty(refused.Data);
        Assert.Null(await served.Images.FindAsync("vm1/v1@new", CancellationToken.None));
        Assert.Equal(OptionReply.Ack, (await probe.AskForAsync(OptionCode.Go, "vm1/v1"))[^1].Reply);
    }

    [Fact]
    public async Task DataThatIsNotValidIsRefusedAndTheConversationGoesOn()
    {
        await using var served = await ServedImages.StartAsync();
        await using var probe = await served.ConnectAsync();
        await probe.GreetAsync();
        OptionCode[] withoutData = [OptionCode.List, OptionCode.StructuredReply, OptionCode.StartTls];
        foreach (var option in withoutData)
        {
            Assert.Equal(OptionReply.ErrInvalid, Assert.Single(await probe.AskAsync(option, 1, 2, 3)).Reply);
        }

        await probe.StructureAsync();
        OptionCode[] withData = [OptionCode.Info, OptionCode.Go, OptionCode.ListMetaContext, OptionCode.SetMetaContext];
        foreach (var option in withData)
        {
            byte[][] bad = [[], [0, 0], [0, 0, 0, 9, 65, 0, 0], [255, 255, 255, 255, 0, 0, 0, 0]];
            foreach (var data in bad)
            {
                Assert.Equal(OptionReply.ErrInvalid, Assert.Single(await probe.AskAsync(option, data)).Reply);
            }
        }

        Assert.Equal(OptionReply.Ack, (await probe.AskForAsync(OptionCode.Go, "vm1/v1"))[^1].Reply);
    }

    [Fact]
    public async Task UnknownOptionsAreRefusedAndTheConversationGoesOn()
    {
        await using var served = await ServedImages.StartAsync();
        await using var probe = await served.ConnectAsync();
        await probe.GreetAsync();
        OptionCode[] unknown = [OptionCode.PeekExport, OptionCode.ExtendedHeaders, (OptionCode)0, (OptionCode)0xffffffff];
        foreach (var option in unknown)
        {
            var refused = Assert.Single(await probe.AskAsync(option, new byte[1000]));
            Assert.Equal(OptionReply.ErrUnsupported, refused.Reply);
        }

        Assert.Equal(OptionReply.ErrPolicy, Assert.Single(await probe.AskAsync(OptionCode.StartTls)).Reply);
        Assert.Equal(OptionReply.Ack, (await probe.AskForAsync(OptionCode.Go, "vm1/v1"))[^1].Reply);
    }

    [Fact]
    public async Task AbortIsAcknowledgedAlsoWithDataAndEndsTheConnection()
    {
        await using var served = await ServedImages.StartAsync();
        await using var probe = await served.ConnectAsync();
        await probe.GreetAsync();
        Assert.Equal(OptionReply.Ack, Assert.Single(await probe.AskAsync(OptionCode.Abort, 1, 2)).Reply);
        Assert.True(await probe.IsClosedAsync());
    }

    [Fact]
    public async Task TheListHasLatestVersionsAndOverlays()
    {
        await using var served = await ServedImages.StartAsync();
        var second = served.Images.Add("vm1/v2", new byte[4096]);
        await served.Images.CreateOverlayAsync(second, "work", CancellationToken.None);
        served.Images.Add("other/a/v1", new byte[4096]);
        await using var probe = await served.ConnectAsync();
        await probe.GreetAsync();
        var answers = await probe.AskAsync(OptionCode.List);
        var listed = answers.SkipLast(1).Select(answer => ListedExport.Parse(answer.Data)).ToList();
        Assert.Equal(
            ["other/a/latest", "other/a/v1", "vm1/latest", "vm1/v2", "vm1/v2@work", "vm1/v1"],
            listed.Select(export => export.Name));
        Assert.All(listed, export => Assert.Contains("bytes as of", export.Description, StringComparison.Ordinal));
    }

    [Fact]
    public async Task OneOptionTooManyEndsTheConnection()
    {
        await using var served = await ServedImages.StartAsync();
        await using var probe = await served.ConnectAsync();
        await probe.GreetAsync();
        for (var i = 0; i < Handshake.OptionsMax; i++)
        {
            Assert.Equal(OptionReply.ErrUnsupported, (await probe.AskAsync((OptionCode)1000))[0].Reply);
        }

        Assert.True(await probe.IsClosedAsync());
        Assert.Single(served.Log.Lines, line => line.Contains($"{Handshake.OptionsMax} options", StringComparison.Ordinal));
    }

    [Fact]
    public async Task ATextThatIsTooLongIsRefused()
    {
        await using var served = await ServedImages.StartAsync();
        await using var probe = await served.ConnectAsync();
        await probe.GreetAsync();
        var refused = await probe.AskForAsync(OptionCode.Go, new string('a', NbdLimits.StringMax + 1));
        Assert.Equal(OptionReply.ErrInvalid, Assert.Single(refused).Reply);
        var unknown = await probe.AskForAsync(OptionCode.Go, new string('a', NbdLimits.StringMax));
        Assert.Equal(OptionReply.ErrUnknown, Assert.Single(unknown).Reply);
    }

    [Theory]
    [InlineData((uint)OptionCode.ExportName)]
    [InlineData((uint)OptionCode.Go)]
    public async Task AnExportIsClosedWhenItsClientCannotBeTold(uint code)
    {
        var images = new ByteImages();
        images.Add("vm1/v1", new byte[4096]);
        var log = new LogLines();
        var request = new ExportRequest("vm1/v1", []);
        var data = code == (uint)OptionCode.Go ? new byte[request.Size] : Encoding.UTF8.GetBytes("vm1/v1");
        if (code == (uint)OptionCode.Go)
        {
            request.Write(data);
        }

        var header = new byte[OptionHeader.Size];
        new OptionHeader((OptionCode)code, (uint)data.Length).Write(header);
        await using var stream = new LeavingClient([0, 0, 0, 3, .. header, .. data]);
        var exports = new ExportDirectory(images, new NbdServerOptions(), log);
        var handshake = new Handshake(exports, stream, tls: null, "test", () => stream.HasLeft = true);

        await Assert.ThrowsAsync<IOException>(() => handshake.RunAsync(CancellationToken.None));

        Assert.True(stream.HasLeft);
        Assert.Equal(0, images.OpenCount);
    }

    /// <summary>Sends what it has to say, and takes no byte once it has left.</summary>
    private sealed class LeavingClient(byte[] words) : MemoryStream(words, writable: false)
    {
        public bool HasLeft { get; set; }

        public override bool CanWrite => true;

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) =>
            HasLeft ? throw new IOException("The client has left, as told.") : default;

        public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
