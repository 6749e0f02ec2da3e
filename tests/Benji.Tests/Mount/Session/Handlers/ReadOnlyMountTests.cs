using Benji.Mount.Kernel;
using Benji.Mount.Kernel.Wire;
using Benji.Testing.Serving;
using Xunit;

namespace Benji.Tests.Mount.Session.Handlers;

/// <summary>A read-only mount changes nothing, also for a client whose kernel does not keep it from asking.</summary>
public sealed class ReadOnlyMountTests : IAsyncLifetime
{
    private const int Size = 300_000;
    private const string Overlay = "vm/one@fix";
    private const uint PunchHole = 2 | 1;
    private const uint ZeroRange = 16;

    private readonly ByteImages _images = new();
    private readonly byte[] _written = new byte[Size];
    private ServedImages _served = null!;
    private ulong _directory;
    private ulong _version;
    private ulong _overlay;

    public async Task InitializeAsync()
    {
        new Random(1).NextBytes(_written);
        var entry = await _images.CreateOverlayAsync(_images.Add("vm/one", new byte[Size]), "fix", CancellationToken.None);
        await using (var image = await _images.OpenOverlayAsync(entry, CancellationToken.None))
        {
            await image.WriteAsync(0, _written, CancellationToken.None);
        }

        _served = await ServedImages.StartAsync(_images, isReadOnly: true);
        _directory = (await _served.FindAsync("vm")).Node;
        _version = (await _served.FindAsync("vm/one.img")).Node;
        _overlay = (await _served.FindAsync(Overlay + ".img")).Node;
    }

    public async Task DisposeAsync()
    {
        Assert.Equal(_written, _images.ContentOf(Overlay));
        await _served.DisposeAsync();
    }

    [Fact]
    public async Task AnOverlayIsOpenedAndRead()
    {
        await _served.OpenAsync(Overlay + ".img");
        Assert.Equal(_written[..4096], (await _served.ReadAsync(_overlay, 0, 4096)).Bytes);
    }

    [Theory]
    [InlineData(1U)]
    [InlineData(2U)]
    [InlineData(0x200U)]
    public async Task AnOverlayIsNotOpenedForWriting(uint flags) =>
        Assert.Equal(
            Errno.ReadOnlyFileSystem,
            await _served.ErrorAsync(Opcode.Open, _overlay, FuseRequest.Of(new OpenRequest { Flags = flags })));

    [Theory]
    [InlineData(0, 1)]
    [InlineData(4096, 4096)]
    [InlineData(Size, 1)]
    [InlineData(0, 0)]
    public async Task AnOverlayIsNotWritten(long offset, int length) =>
        Assert.Equal(
            Errno.ReadOnlyFileSystem,
            await _served.ErrorAsync(Opcode.Write, _overlay, ServedImages.Transfer(offset, length), new byte[length]));

    [Theory]
    [InlineData(PunchHole)]
    [InlineData(ZeroRange)]
    public async Task AnOverlayIsNotZeroed(uint mode) =>
        Assert.Equal(
            Errno.ReadOnlyFileSystem,
            await _served.ErrorAsync(
                Opcode.Allocate, _overlay, FuseRequest.Of(new AllocateRequest { Length = 4096, Mode = mode })));

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task AnOverlayIsNotReverted(bool has64Bits) =>
        Assert.Equal(
            Errno.CrossDevice,
            await _served.ErrorAsync(
                has64Bits ? Opcode.CopyRange64 : Opcode.CopyRange,
                _version,
                FuseRequest.Of(new CopyRangeRequest { TargetNode = _overlay, Length = 8192 })));

    [Fact]
    public async Task NoOverlayIsMadeOrRemoved()
    {
        var create = FuseRequest.Of(new CreateRequest { Flags = 2 });
        Assert.Equal(
            Errno.ReadOnlyFileSystem,
            await _served.ErrorAsync(Opcode.Create, _directory, create, ServedImages.Name("one@other.img")));
        Assert.Equal(
            Errno.ReadOnlyFileSystem, await _served.ErrorAsync(Opcode.Unlink, _directory, ServedImages.Name("one@fix.img")));
        Assert.Equal(
            Errno.ReadOnlyFileSystem,
            await _served.ErrorAsync(Opcode.MakeDirectory, _directory, new byte[8], ServedImages.Name("x")));
        Assert.Equal(2, (await _images.ListAsync("vm", CancellationToken.None)).Count);
    }

    [Fact]
    public async Task NoAttributesAreSet() =>
        Assert.Equal(
            Errno.ReadOnlyFileSystem,
            await _served.ErrorAsync(
                Opcode.SetAttributes, _overlay, FuseRequest.Of(new SetAttributesRequest { Valid = AttributeFlags.Size, Size = Size })));
}
