using Benji.Mount.Kernel.Wire;
using Benji.Mount.Session;
using Benji.Mount.Session.Files;
using Benji.Mount.Session.Handlers;
using Benji.Mount.Session.Requests;
using Benji.Mount.Tree;
using Benji.Testing.Serving;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Benji.Tests.Mount.Session;

/// <summary>The hot path: a read whose bytes are at hand.</summary>
public sealed class CachedReadTests : IDisposable
{
    private const int Size = 1024 * 1024;

    private readonly ByteImages _images = new();
    private readonly MemoryChannel _channel = new();
    private readonly BufferPool _buffers = new();
    private readonly byte[] _content = new byte[Size];

    public CachedReadTests()
    {
        new Random(1).NextBytes(_content);
        _content.AsSpan(65536, 200_000).Clear();
    }

    public void Dispose()
    {
        _buffers.Dispose();
        _channel.Dispose();
    }

    [Fact]
    public async Task AHundredThousandReadsAllocateNothing()
    {
        var entry = _images.Add("vm/a", _content);
        var tree = new ImageTree(_images);
        await tree.RefreshAsync(CancellationToken.None);
        var files = new OpenFiles(_images, NullLogger.Instance);
        var node = tree.Current.Root.Find("vm")!.Find("a.img")!;
        await files.OpenAsync(node, CancellationToken.None);
        var dispatcher = Dispatcher(tree, files);
        Assert.Equal(entry, node.Entry);

        // The thread of the test stands for a reader.
        using var worker = new RequestWorker(_buffers);
        _channel.IsMeasuring = true;
        var small = FuseRequest.Bytes(Opcode.Read, node.Id, ServedImages.Transfer(4096, 4096));
        var large = FuseRequest.Bytes(Opcode.Read, node.Id, ServedImages.Transfer(0, Size));
        for (var i = 0; i < 5_000; i++)
        {
            dispatcher.Handle(i % 100 == 0 ? large : small, worker);
        }

        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 100_000; i++)
        {
            dispatcher.Handle(i % 1000 == 0 ? large : small, worker);
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.True(_channel.Measured[16..].SequenceEqual(_content.AsSpan(4096, 4096)));
        dispatcher.Handle(large, worker);
        Assert.True(_channel.Measured[16..].SequenceEqual(_content));
    }

    private Dispatcher Dispatcher(ImageTree tree, OpenFiles files)
    {
        var replies = new Replies(_channel, NullLogger.Instance);
        var errors = new FuseErrors(NullLogger.Instance, TimeProvider.System);
        var parts = new HandlerParts(
            tree,
            files,
            replies,
            new PendingRequests(replies, errors),
            errors,
            new AttributeSource(new NodeAccess(0, 0, 0x3F), files),
            TimeProvider.System,
            IsReadOnly: false);
        return new Dispatcher(parts, _images, _buffers, new Handshake(replies));
    }
}
