using Benji.Nbd.Client;
using Benji.Nbd.Protocol;
using Benji.Store.Model;
using Benji.Testing;
using Xunit;
using static Benji.Tests.Nbd.Client.ServerWords;

namespace Benji.Tests.Nbd.Client;

/// <summary>The chunks of a reply are disjoint, cover what was asked, and each of them brings something.</summary>
public sealed class ReplyChunkTests
{
    private static readonly NbdAddress Address = NbdAddress.Parse("nbd://server/disk");

    private static readonly byte[] Pattern = [.. Enumerable.Range(0, 200).Select(index => (byte)(index + 1))];

    public static TheoryData<string> BadReplies => new(
        "data over data", "zeros over data", "data over zeros", "the same zeros twice", "a byte more at the start",
        "a gap and an overlap of its length", "zeros without a byte", "data without a byte");

    [Theory]
    [MemberData(nameof(BadReplies))]
    public async Task AReplyWithBytesThatComeTwiceOrNotAtAllEndsTheConnection(string kind)
    {
        byte[] first = Data(1, 0, Pattern[..100], ChunkFlags.None);
        byte[] reply = kind switch
        {
            "data over data" => [.. first, .. Data(1, 0, Pattern[..100], ChunkFlags.Done)],
            "zeros over data" => [.. first, .. Hole(1, 0, 100, ChunkFlags.Done)],
            "data over zeros" => [.. Hole(1, 0, 100, ChunkFlags.None), .. Data(1, 50, Pattern[50..150], ChunkFlags.Done)],
            "the same zeros twice" => [.. Hole(1, 0, 100, ChunkFlags.None), .. Hole(1, 0, 100, ChunkFlags.Done)],
            "a byte more at the start" => [.. first, .. Data(1, 99, Pattern[99..], ChunkFlags.Done)],
            "a gap and an overlap of its length" =>
                [.. first, .. Hole(1, 150, 50, ChunkFlags.None), .. Data(1, 90, Pattern[90..140], ChunkFlags.Done)],
            "zeros without a byte" => [.. first, .. Hole(1, 100, 0, ChunkFlags.None), .. Data(1, 100, Pattern[100..], ChunkFlags.Done)],
            _ => [.. first, .. Data(1, 100, [], ChunkFlags.None), .. Data(1, 100, Pattern[100..], ChunkFlags.Done)],
        };
        await using var client = Open(reply);
        var failure = await Assert.ThrowsAsync<StorageException>(() =>
            client.ReadAsync(0, new byte[200], CancellationToken.None).AsTask());
        Assert.True(failure.IsTransient);
    }

    [Fact]
    public Task AnyCutOfTheBytesIsUnderstoodAndAnyFalseOneIsRefused() => Seeded.RunAsync(async random =>
    {
        for (var round = 0; round < 500; round++)
        {
            var content = new byte[random.Next(1, 3000)];
            random.NextBytes(content);
            content.AsSpan(content.Length / 3, content.Length / 3).Clear();
            var chunks = Cut(random, content);
            var isGood = random.Next(2) == 0 || !Spoil(random, chunks, content.Length);
            random.Shuffle(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(chunks));
            byte[] reply = [.. chunks.SelectMany(chunk => Say(chunk, content)), .. End(1)];
            await using var client = Open(reply);
            var read = Enumerable.Repeat((byte)0xee, content.Length).ToArray();
            var reading = client.ReadAsync(0, read, CancellationToken.None).AsTask();
            if (isGood)
            {
                await reading;
                Assert.Equal(content, read);
            }
            else
            {
                await Assert.ThrowsAsync<StorageException>(() => reading);
            }
        }
    });

    [Fact]
    public async Task ErrorsWithoutEndEndTheConnection()
    {
        var error = Error(1, new ErrorChunk(NbdError.InputOutput, "", 0), ChunkFlags.None);
        await using var client = Open([.. Enumerable.Repeat(error, PendingRequest.ErrorsMax + 1).SelectMany(bytes => bytes)]);
        var failure = await Assert.ThrowsAsync<StorageException>(() =>
            client.ReadAsync(0, new byte[200], CancellationToken.None).AsTask());
        Assert.True(failure.IsTransient, failure.Message);
        Assert.Contains("errors", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AStatusWithoutExtentsEndsTheConnection()
    {
        await using var client = Open(End(1));
        await Assert.ThrowsAsync<StorageException>(() => client.ReadStatusAsync(0, Size, CancellationToken.None));
    }

    [Fact]
    public void GapsAreBounded()
    {
        var received = new ReceivedRanges();
        for (var range = 0; range < ReceivedRanges.RangesMax; range++)
        {
            received.Add(2 * range, 1);
        }

        Assert.Throws<NbdProtocolException>(() => received.Add(4 * ReceivedRanges.RangesMax, 1));
        for (var range = 0; range < ReceivedRanges.RangesMax; range++)
        {
            received.Add((2 * range) + 1, 1);
        }

        Assert.Equal(2 * ReceivedRanges.RangesMax, received.Total);
        received.Add(4 * ReceivedRanges.RangesMax, 1);
    }

    [Fact]
    public void AServerThatTellsOfOneByteAtATimeIsAskedAtMostSoOften()
    {
        const int asked = 256 * 1024;
        var map = ReadMap(1L << 30, Enumerable.Repeat(Status(1, length: 1), asked));
        Assert.Equal([new Extent(asked, (1L << 30) - asked, ExtentKind.Data)], map.Runs);
    }

    [Fact]
    public void LongAnswersAreAskedForToTheEnd()
    {
        const long gib = 1L << 30;
        var map = ReadMap(4 * gib, Enumerable.Range(0, 4).Select(part => Status(1, (uint)gib, part == 2 ? 0u : 3u)));
        Assert.Equal([new Extent(2 * gib, gib, ExtentKind.Data)], map.Runs);
    }

    private static NbdClient Open(byte[] reply) =>
        NbdClient.Open(Address, new ScriptedStream(Handshake(), reply), [DataMap.Context], TimeProvider.System);

    // Whatever is asked, the next answer comes.
    private static DataMap ReadMap(long size, IEnumerable<byte[]> answers)
    {
        using var stream = new ScriptedStream([.. answers.SelectMany(answer => answer)]);
        return DataMap.Read(stream, new NegotiatedExport(
            new ExportInfo(size, TransmissionFlags.HasFlags),
            NegotiatedExport.SizesDefault,
            IsStructured: true,
            new Dictionary<uint, string> { [5] = DataMap.Context }));
    }

    private static List<(int Start, int Length)> Cut(Random random, byte[] content)
    {
        var chunks = new List<(int, int)>();
        for (var start = 0; start < content.Length;)
        {
            var length = Math.Min(random.Next(1, 1 + random.Next(1, 1000)), content.Length - start);
            chunks.Add((start, length));
            start += length;
        }

        return chunks;
    }

    // One chunk is lost, comes twice, or is moved by some bytes; false when that changes nothing.
    private static bool Spoil(Random random, List<(int Start, int Length)> chunks, int total)
    {
        var index = random.Next(chunks.Count);
        var (start, length) = chunks[index];
        switch (random.Next(3))
        {
            case 0:
                chunks.RemoveAt(index);
                return true;
            case 1:
                chunks.Add((start, random.Next(1, length + 1)));
                return true;
            default:
                var moved = Math.Clamp(start + random.Next(-5, 6), 0, total - length);
                chunks[index] = (moved, length);
                return moved != start;
        }
    }

    private static byte[] Say((int Start, int Length) chunk, byte[] content)
    {
        var bytes = content.AsSpan(chunk.Start, chunk.Length);
        return bytes.ContainsAnyExcept((byte)0)
            ? Data(1, chunk.Start, bytes.ToArray(), ChunkFlags.None)
            : Hole(1, chunk.Start, chunk.Length, ChunkFlags.None);
    }
}
