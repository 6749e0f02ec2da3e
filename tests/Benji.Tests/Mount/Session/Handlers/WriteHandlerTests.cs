using Benji.Mount.Kernel;
using Benji.Mount.Kernel.Wire;
using Benji.Testing.Serving;
using Xunit;

namespace Benji.Tests.Mount.Session.Handlers;

/// <summary>Writes to overlays, with one reader: each request comes in the buffer of the one before, unless that still needs
/// it.</summary>
public sealed class WriteHandlerTests : IAsyncLifetime
{
    private const int Size = 100_000;
    private const string Overlay = "vm/one@fix";

    private readonly ByteImages _images = new();
    private ServedImages _served = null!;
    private ulong _overlay;

    public async Task InitializeAsync()
    {
        await _images.CreateOverlayAsync(_images.Add("vm/one", new byte[Size]), "fix", CancellationToken.None);
        _served = await ServedImages.StartAsync(_images, readers: 1);
        _overlay = await _served.OpenAsync(Overlay + ".img", flags: 2);
    }

    public async Task DisposeAsync() => await _served.DisposeAsync();

    [Fact]
    public async Task WritesThatWaitKeepTheirBytesWhileOthersComeIn()
    {
        var go = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _images.Faults.Writing = async (_, _) => await go.Task;
        var writes = Enumerable.Range(0, 4).Select(i => WriteAsync(i * 10_000, Bytes(10_000, (byte)(i + 1)))).ToList();
        for (var i = 0; i < 4; i++)
        {
            // As long as the writes, so that nothing of theirs is left in a buffer that they share.
            Assert.Equal(Errno.NameTooLong, await _served.ErrorAsync(Opcode.Lookup, 1, ServedImages.Name(new string('x', 10_100))));
        }

        Assert.All(writes, write => Assert.False(write.IsCompleted));
        go.SetResult();

        Assert.All(await Task.WhenAll(writes), reply => Assert.Equal((Errno.None, 10_000), reply));
        var content = _images.ContentOf(Overlay);
        Assert.All(
            Enumerable.Range(0, 4), i => Assert.Equal(Bytes(10_000, (byte)(i + 1)), content[(i * 10_000)..((i + 1) * 10_000)]));
    }

    [Theory]
    [InlineData(0, 100, 100)]
    [InlineData(Size - 100, 100, 100)]
    [InlineData(Size - 100, 101, 100)]
    [InlineData(Size - 1, 5000, 1)]
    [InlineData(0, 0, 0)]
    [InlineData(Size, 0, 0)]
    public async Task AWriteGoesAsFarAsTheFile(long offset, int length, int written)
    {
        Assert.Equal((Errno.None, written), await WriteAsync(offset, Bytes(length, 7)));
        var expected = new byte[Size];
        expected.AsSpan((int)offset, written).Fill(7);
        Assert.Equal(expected, _images.ContentOf(Overlay));
    }

    [Theory]
    [InlineData(Size, 1)]
    [InlineData(Size + 1L, 1)]
    [InlineData(long.MaxValue, 5000)]
    [InlineData(-1, 1)]
    public async Task AWriteBehindTheEndFindsNoSpace(long offset, int length)
    {
        Assert.Equal((Errno.NoSpace, 0), await WriteAsync(offset, Bytes(length, 7)));
        Assert.Equal(new byte[Size], _images.ContentOf(Overlay));
    }

    /// <summary>The bytes behind a request are those of one that came before.</summary>
    [Fact]
    public async Task AWriteThatBringsFewerBytesThanItSaysIsRefused()
    {
        await _served.ErrorAsync(Opcode.Lookup, 1, ServedImages.Name(new string('x', 10_000)));
        Assert.Equal(
            Errno.Invalid, await _served.ErrorAsync(Opcode.Write, _overlay, ServedImages.Transfer(0, 5001), Bytes(5000, 7)));
        Assert.Equal(new byte[Size], _images.ContentOf(Overlay));
    }

    [Fact]
    public async Task ASyncTellsThatTheDiskIsFull()
    {
        Assert.Equal((Errno.None, 1), await WriteAsync(0, [1]));
        _images.Faults.IsFull = true;
        Assert.Equal(Errno.NoSpace, await _served.ErrorAsync(Opcode.Sync, _overlay, new byte[16]));
        _images.Faults.IsFull = false;
        Assert.Equal(Errno.None, await _served.ErrorAsync(Opcode.Sync, _overlay, new byte[16]));
    }

    private static byte[] Bytes(int length, byte value)
    {
        var bytes = new byte[length];
        Array.Fill(bytes, value);
        return bytes;
    }

    private async Task<(int Error, int Written)> WriteAsync(long offset, byte[] bytes)
    {
        var (error, body) = await _served.Channel.AskAsync(FuseRequest.Bytes(
            Opcode.Write, _overlay, ServedImages.Transfer(offset, bytes.Length), bytes));
        return (error, error != Errno.None ? 0 : BitConverter.ToInt32(body));
    }
}
