using System.Runtime.InteropServices;
using System.Text;
using Benji.Mount.Kernel;
using Benji.Mount.Kernel.Wire;
using Benji.Testing;
using Benji.Testing.Serving;
using Xunit;

namespace Benji.Tests.Mount.Session;

public sealed class SessionTests : IAsyncLifetime
{
    private const int Size = 300_000;
    private const uint ReadWrite = 2;
    private const uint Truncate = 0x200;

    private readonly ByteImages _images = new();
    private readonly byte[] _content = new byte[Size];
    private ServedImages _served = null!;

    public async Task InitializeAsync()
    {
        new Random(1).NextBytes(_content);
        _content.AsSpan(65536, 65536).Clear();
        _images.Add("vm/one", _content, version => version with { AllocatedBytes = 1025 });
        _images.Add("vm/two", new byte[4096]);
        _served = await ServedImages.StartAsync(_images);
    }

    public async Task DisposeAsync() => await _served.DisposeAsync();

    [Fact]
    public async Task NamesAreFoundAndMissingOnesRemembered()
    {
        var version = await _served.FindAsync("vm/one.img");
        Assert.Equal((Size, 3UL, 3600UL), ((int)version.Attributes.Size, version.Attributes.Blocks, version.EntrySeconds));
        Assert.Equal((0UL, 3600UL), await NodeAndTime("vm/none.img"));
        var latest = await _served.FindAsync("vm/latest.img");
        Assert.Equal((0UL, 0UL), (latest.EntrySeconds, latest.AttributeSeconds));
        var (_, target) = await _served.Channel.AskAsync(FuseRequest.Bytes(Opcode.ReadLink, latest.Node));
        Assert.Equal("two.img", Encoding.UTF8.GetString(target));
        Assert.Equal(Errno.NotFound, await _served.ErrorAsync(Opcode.Lookup, 12345, ServedImages.Name("x")));
        Assert.Equal(Errno.NotDirectory, await _served.ErrorAsync(Opcode.Lookup, version.Node, ServedImages.Name("x")));
        Assert.Equal(Errno.NameTooLong, await _served.ErrorAsync(Opcode.Lookup, 1, ServedImages.Name(new string('a', 256))));
        Assert.Equal(Errno.Invalid, await _served.ErrorAsync(Opcode.Lookup, 1, "no end"u8.ToArray()));
    }

    [Fact]
    public async Task AListingGoesOnWhereItStoppedInWholeRecords()
    {
        for (var i = 0; i < 200; i++)
        {
            _images.Add($"many/version-{i}", new byte[512]);
        }

        await UntilAsync(async () => (await _served.FindAsync("many/version-199.img")).Node != 0);
        var directory = (await _served.FindAsync("many")).Node;
        foreach (var opcode in new[] { Opcode.ReadDirectory, Opcode.ReadDirectoryPlus })
        {
            var names = new List<string>();
            for (var place = 0UL; ;)
            {
                var (errno, bytes) = await _served.Channel.AskAsync(
                    FuseRequest.Bytes(opcode, directory, ServedImages.Transfer((long)place, 1000)));
                Assert.Equal(0, errno);
                Assert.InRange(bytes.Length, 0, 1000);
                if (bytes.Length == 0)
                {
                    break;
                }

                place = Take(bytes, opcode == Opcode.ReadDirectoryPlus ? 128 : 0, names);
            }

            Assert.Equal([".", ".."], names.Take(2));
            Assert.Equal(203, names.Distinct().Count());
            Assert.Equal(203, names.Count);
        }
    }

    [Fact]
    public async Task ReadsAreShortAtTheEnd()
    {
        var node = await _served.OpenAsync("vm/one.img");
        Assert.Equal(_content[1000..5000], (await _served.ReadAsync(node, 1000, 4000)).Bytes);
        Assert.Equal(_content[^100..], (await _served.ReadAsync(node, Size - 100, 4096)).Bytes);
        Assert.Empty((await _served.ReadAsync(node, Size, 4096)).Bytes);
        Assert.Equal((0, 0), await Shape(_served.ReadAsync(node, long.MaxValue, 4096)));
        Assert.Equal(Errno.Invalid, (await _served.ReadAsync(node, 0, RequestBuffer.PayloadMax + 1)).Errno);
        Assert.Equal(0, await _served.ErrorAsync(Opcode.Release, node, new byte[24]));
        await UntilAsync(() => Task.FromResult(_images.OpenCount == 0));

        // A file that a former server opened is opened again when it is read.
        Assert.Equal(_content[..64], (await _served.ReadAsync(node, 0, 64)).Bytes);
        Assert.Equal(1, _images.OpenCount);
    }

    [Fact]
    public async Task AnInterruptEndsAReadThatWaitsEarlyOrLate()
    {
        var node = await _served.OpenAsync("vm/one.img");
        var waiting = new TaskCompletionSource();
        _images.Faults.Reading = async (_, token) =>
        {
            waiting.TrySetResult();
            await Task.Delay(Timeout.Infinite, token);
        };
        var late = Asked(1000, node);
        await waiting.Task;
        _served.Channel.Tell(FuseRequest.Bytes(Opcode.Interrupt, 0, FuseRequest.Of(new InterruptRequest { Unique = 1000 })));
        Assert.Equal(Errno.Interrupted, MemoryChannel.Parse(await late).Errno);

        _served.Channel.Tell(FuseRequest.Bytes(Opcode.Interrupt, 0, FuseRequest.Of(new InterruptRequest { Unique = 1002 })));
        await _served.FindAsync("vm");
        Assert.Equal(Errno.Interrupted, MemoryChannel.Parse(await Asked(1002, node)).Errno);
    }

    [Fact]
    public async Task AnOverlayIsMadeWrittenAndDiscarded()
    {
        var directory = (await _served.FindAsync("vm")).Node;
        var created = await _served.AskAsync<CreateReply>(
            Opcode.Create, directory, FuseRequest.Of(new CreateRequest { Flags = ReadWrite }), ServedImages.Name("one@fix.img"));
        var node = created.Entry.Node;
        Assert.Equal((ulong)Size, created.Entry.Attributes.Size);
        Assert.Equal(node, (await _served.FindAsync("vm/one@fix.img")).Node);
        Assert.Equal(Errno.Exists, await CreateError(directory, "one@fix.img", exclusive: true));
        Assert.Equal(Errno.NotFound, await CreateError(directory, "none@fix.img", exclusive: true));
        Assert.Equal(Errno.NotPermitted, await CreateError(directory, "plain.img", exclusive: true));

        var data = new byte[5000];
        new Random(2).NextBytes(data);
        var written = await _served.AskAsync<WriteReply>(Opcode.Write, node, ServedImages.Transfer(123, data.Length), data);
        Assert.Equal(5000U, written.Size);
        data.CopyTo(_content, 123);
        Assert.Equal(_content[..8000], (await _served.ReadAsync(node, 0, 8000)).Bytes);
        Assert.Equal(
            100U, (await _served.AskAsync<WriteReply>(Opcode.Write, node, ServedImages.Transfer(Size - 100, 5000), data)).Size);
        Assert.Equal(Errno.NoSpace, await _served.ErrorAsync(Opcode.Write, node, ServedImages.Transfer(Size, 5000), data));
        Assert.Equal(Errno.Invalid, await _served.ErrorAsync(Opcode.Write, node, ServedImages.Transfer(0, 5001), data));
        Assert.Equal(27UL, (await _served.AskAsync<AttributesReply>(Opcode.GetAttributes, node, new byte[16])).Attributes.Blocks);

        Assert.Equal(Errno.Busy, await _served.ErrorAsync(Opcode.Unlink, directory, ServedImages.Name("one@fix.img")));
        Assert.Equal(0, await _served.ErrorAsync(Opcode.Release, node, new byte[24]));
        Assert.Equal(0, await _served.ErrorAsync(Opcode.Unlink, directory, ServedImages.Name("one@fix.img")));
        Assert.Equal(0UL, (await _served.FindAsync("vm/one@fix.img")).Node);
        Assert.Equal(Errno.NotFound, await _served.ErrorAsync(Opcode.Unlink, directory, ServedImages.Name("one@fix.img")));

        // The kernel did it all itself. Only a look that falls between a change and its entry in the tree tells it once
        // more, of the name and of the directory, which harms nothing.
        Assert.InRange(_served.Channel.Notices.Count, 0, 4);
    }

    [Fact]
    public async Task AVersionIsNeverChanged()
    {
        var node = (await _served.FindAsync("vm/one.img")).Node;
        foreach (var flags in new[] { 1U, ReadWrite, Truncate })
        {
            var error = await _served.ErrorAsync(Opcode.Open, node, FuseRequest.Of(new OpenRequest { Flags = flags }));
            Assert.Equal(Errno.ReadOnlyFileSystem, error);
        }

        Assert.Equal(Errno.ReadOnlyFileSystem, await _served.ErrorAsync(Opcode.Write, node, ServedImages.Transfer(0, 1), [1]));
        Assert.Equal(
            Errno.ReadOnlyFileSystem,
            await _served.ErrorAsync(Opcode.SetAttributes, node, FuseRequest.Of(new SetAttributesRequest())));
        var directory = (await _served.FindAsync("vm")).Node;
        Assert.Equal(
            Errno.ReadOnlyFileSystem, await _served.ErrorAsync(Opcode.Unlink, directory, ServedImages.Name("one.img")));
        Assert.Equal(Errno.NotPermitted, await _served.ErrorAsync(Opcode.MakeDirectory, directory, new byte[8], ServedImages.Name("x")));
        Assert.Equal(Errno.NotImplemented, await _served.ErrorAsync((Opcode)9999, node));
    }

    [Fact]
    public async Task NoticesNameWhatCameAndWent()
    {
        var directory = (await _served.FindAsync("vm")).Node;
        var added = _images.Add("vm/three", new byte[512]);
        await UntilAsync(() => Task.FromResult(_served.Channel.Notices.Count >= 2));
        Assert.Equal([NoticeCode.InvalidEntry, NoticeCode.InvalidInode], _served.Channel.Notices.Select(notice => notice.Code));
        var entry = _served.Channel.Notices[0].Body;
        Assert.Equal((directory, 9U), (BitConverter.ToUInt64(entry), BitConverter.ToUInt32(entry, 8)));
        Assert.Equal("three.img\0", Encoding.UTF8.GetString(entry[16..]));
        Assert.Equal(directory, BitConverter.ToUInt64(_served.Channel.Notices[1].Body));

        var node = (await _served.FindAsync("vm/three.img")).Node;
        _images.Remove(added);
        await UntilAsync(() => Task.FromResult(_served.Channel.Notices.Count >= 4));
        var delete = _served.Channel.Notices[2];
        Assert.Equal(NoticeCode.Delete, delete.Code);
        Assert.Equal((directory, node), (BitConverter.ToUInt64(delete.Body), BitConverter.ToUInt64(delete.Body, 8)));
        Assert.Equal("three.img\0", Encoding.UTF8.GetString(delete.Body[24..]));
    }

    [Fact]
    public async Task AnyBytesAreAnsweredOrLeftAndTheSessionGoesOn() => await Seeded.RunAsync(async random =>
    {
        var nodes = new[] { 1UL, (await _served.FindAsync("vm")).Node, (await _served.FindAsync("vm/one.img")).Node, 99UL };
        for (var round = 0; round < 3_000; round++)
        {
            var body = new byte[random.Next(160)];
            random.NextBytes(body);
            if (random.Next(3) > 0)
            {
                // Small numbers reach further than large ones.
                for (var i = 0; i < body.Length; i++)
                {
                    body[i] = (byte)(i % 8 == 0 ? body[i] : 0);
                }
            }

            var opcode = (Opcode)random.Next(1, 56);
            var request = FuseRequest.Bytes(opcode == Opcode.Init ? Opcode.Lookup : opcode, nodes[random.Next(4)], body);
            _served.Channel.Tell(random.Next(10) > 0 ? request : request[..random.Next(1, request.Length)]);
        }

        Assert.Equal(_content[..64], (await _served.ReadAsync(nodes[2], 0, 64)).Bytes);
        Assert.True(_images.ContentOf("vm/one").AsSpan().SequenceEqual(_content));
    });

    [Fact]
    public async Task ADirectoryThatCameBackIsAnotherGeneration()
    {
        var version = _images.Add("back/a", new byte[512]);
        await UntilAsync(async () => (await _served.FindAsync("back")).Node != 0);
        var first = await _served.FindAsync("back");
        _images.Remove(version);
        await UntilAsync(async () => (await _served.FindAsync("back")).Node == 0);
        _images.Add("back/b", new byte[512]);
        await UntilAsync(async () => (await _served.FindAsync("back")).Node != 0);
        var second = await _served.FindAsync("back");
        Assert.Equal((first.Node, first.Generation + 1), (second.Node, second.Generation));
    }

    private static ulong Take(byte[] bytes, int headExtra, List<string> names)
    {
        var next = 0UL;
        for (var rest = bytes.AsSpan(); !rest.IsEmpty;)
        {
            var record = MemoryMarshal.Read<DirectoryRecord>(rest[headExtra..]);
            names.Add(Encoding.UTF8.GetString(rest.Slice(headExtra + 24, (int)record.NameLength)));
            next = record.Next;
            rest = rest[((headExtra + 24 + (int)record.NameLength + 7) / 8 * 8)..];
        }

        return next;
    }

    private static async Task<(int Errno, int Length)> Shape(Task<(int Errno, byte[] Bytes)> reading)
    {
        var (errno, bytes) = await reading;
        return (errno, bytes.Length);
    }

    private static async Task UntilAsync(Func<Task<bool>> holds)
    {
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (!await holds())
        {
            await Task.Delay(5, deadline.Token);
        }
    }

    private async Task<(ulong Node, ulong Seconds)> NodeAndTime(string path)
    {
        var entry = await _served.FindAsync(path);
        return (entry.Node, entry.EntrySeconds);
    }

    private Task<byte[]> Asked(ulong unique, ulong node)
    {
        var reply = _served.Channel.Expect(unique);
        _served.Channel.Tell(FuseRequest.Numbered(unique, Opcode.Read, node, ServedImages.Transfer(0, 4096)));
        return reply;
    }

    private Task<int> CreateError(ulong directory, string name, bool exclusive) => _served.ErrorAsync(
        Opcode.Create,
        directory,
        FuseRequest.Of(new CreateRequest { Flags = ReadWrite | (exclusive ? 0x80U : 0) }),
        ServedImages.Name(name));
}
