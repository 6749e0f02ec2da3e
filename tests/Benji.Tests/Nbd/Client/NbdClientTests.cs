using Benji.Nbd.Client;
using Benji.Nbd.Protocol;
using Benji.Store.Model;
using Benji.Testing;
using Xunit;
using static Benji.Tests.Nbd.Client.ServerWords;

namespace Benji.Tests.Nbd.Client;

public sealed class NbdClientTests
{
    private static readonly NbdAddress Address = NbdAddress.Parse("nbd://server/disk");

    [Fact]
    public async Task ChunksOfOneReadLandWhereTheyBelongInAnyOrder()
    {
        var second = Enumerable.Repeat((byte)2, 100).ToArray();
        await using var client = Open(
            [.. Data(cookie: 1, 100, second, ChunkFlags.None), .. Hole(cookie: 1, 0, 100, ChunkFlags.Done)]);
        var read = new byte[200];
        await client.ReadAsync(0, read, CancellationToken.None);
        Assert.Equal(new byte[100], read[..100]);
        Assert.Equal(second, read[100..]);
    }

    [Fact]
    public async Task AReplyThatLacksBytesEndsTheConnection()
    {
        await using var client = Open(Data(cookie: 1, 0, new byte[100], ChunkFlags.Done));
        await Assert.ThrowsAsync<StorageException>(() =>
            client.ReadAsync(0, new byte[200], CancellationToken.None).AsTask());
        await Assert.ThrowsAsync<StorageException>(() =>
            client.ReadAsync(0, new byte[100], CancellationToken.None).AsTask());
    }

    [Fact]
    public async Task DataBesideWhatWasAskedEndsTheConnection()
    {
        await using var client = Open(Data(cookie: 1, 4096, new byte[100], ChunkFlags.Done));
        await Assert.ThrowsAsync<StorageException>(() =>
            client.ReadAsync(0, new byte[100], CancellationToken.None).AsTask());
    }

    [Fact]
    public async Task TheTextOfAnErrorIsInTheMessage()
    {
        await using var client = Open(Error(cookie: 1, new ErrorChunk(NbdError.InputOutput, "block 7 is damaged", 42)));
        var failure = await Assert.ThrowsAsync<StorageException>(() =>
            client.ReadAsync(0, new byte[100], CancellationToken.None).AsTask());
        Assert.Contains("block 7 is damaged", failure.Message, StringComparison.Ordinal);
        Assert.Contains("offset 42", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public Task AnyServerIsUnderstoodOrRefused() => Seeded.RunAsync(async random =>
    {
        byte[][] good =
        [
            Handshake(),
            Data(cookie: 1, 0, new byte[500], ChunkFlags.None),
            Hole(cookie: 1, 500, 500, ChunkFlags.Done),
            Status(cookie: 2),
            Error(cookie: 3, new ErrorChunk(NbdError.NoSpace, "full", 0)),
        ];
        for (var i = 0; i < 2000; i++)
        {
            var script = good.Select(part => part.ToArray()).ToArray();
            for (var changes = random.Next(4); changes > 0; changes--)
            {
                var part = script[random.Next(script.Length)];
                part[random.Next(part.Length)] = (byte)(random.Next(3) == 0 ? random.Next(256) : random.Next(4));
            }

            var cut = random.Next(2 * script.Length);
            if (cut < script.Length)
            {
                script[cut] = script[cut][..random.Next(script[cut].Length)];
            }

            try
            {
                await TalkAsync(script);
            }
            catch (BenjiException)
            {
                // One line for a person; anything else fails the test.
            }
        }
    });

    [Theory]
    [InlineData("nbd://host", "host", 10809, null, "", false)]
    [InlineData("nbd://host:7/a%2fb/c", "host", 7, null, "a/b/c", false)]
    [InlineData("nbds://[::1]:7/", "::1", 7, null, "", true)]
    [InlineData("nbd+unix:///vm/one@fix?socket=/run/benji.sock", null, 10809, "/run/benji.sock", "vm/one@fix", false)]
    public void AddressesAreRead(string text, string? host, int port, string? socket, string export, bool isTls)
    {
        var address = NbdAddress.Parse(text);
        Assert.Equal(
            (host, port, socket, export, isTls), (address.Host, address.Port, address.Socket, address.Export, address.IsTls));
    }

    [Fact]
    public void AnAddressNamesTheContextOfChanges() => Assert.Equal(
        "qemu:dirty-bitmap:a b", NbdAddress.Parse("nbd://host/disk?changes=qemu:dirty-bitmap:a%20b").Changes);

    [Theory]
    [InlineData("nbd:host")]
    [InlineData("nbd:///disk")]
    [InlineData("nbd://user@host/")]
    [InlineData("nbd://host:0/")]
    [InlineData("nbd://host:65536/")]
    [InlineData("nbd://host/?socket=/s")]
    [InlineData("nbd://host/?what=ever")]
    [InlineData("nbd+unix:///disk")]
    [InlineData("nbd+unix://host/disk?socket=/s")]
    public void OtherAddressesAreRefused(string text) => Assert.Throws<UsageException>(() => NbdAddress.Parse(text));

    private static NbdClient Open(params byte[][] replies) =>
        NbdClient.Open(Address, new ScriptedStream(Handshake(), replies), [DataMap.Context], TimeProvider.System);

    // All three requests are under way before the first reply, so that nothing waits for a request that never comes.
    private static async Task TalkAsync(byte[][] script)
    {
        byte[] replies = [.. script[1..].SelectMany(part => part)];
        await using var client = NbdClient.Open(
            Address, new ScriptedStream(script[0], [], [], replies), [DataMap.Context], TimeProvider.System);
        var size = (int)Math.Min(Size, client.Size);
        var reading = client.ReadAsync(0, new byte[Math.Min(1000, size)], CancellationToken.None).AsTask();
        var asking = size > 0 ? client.ReadStatusAsync(0, (uint)size, CancellationToken.None) : Task.CompletedTask;
        var writing = client.WriteAsync(0, new byte[Math.Min(10, size)], CancellationToken.None).AsTask();
        await Task.WhenAll(reading, asking, writing);
    }
}
