using Benji.Mount.Kernel;
using Benji.Mount.Kernel.Wire;
using Benji.Testing.Serving;
using Xunit;

namespace Benji.Tests.Mount.Session.Handlers;

/// <summary>Ranges of files: what is zeroed, reverted and found, and what is left as it was.</summary>
/// <remarks>Negative offsets and lengths stand for those above 2^63.</remarks>
public sealed class RangeHandlerTests : IAsyncLifetime
{
    private const int Unit = 4096;
    private const int Size = (10 * Unit) + 100;
    private const string Overlay = "vm/one@fix";
    private const uint KeepSize = 1;
    private const uint PunchHole = 2;
    private const uint ZeroRange = 16;
    private const uint SeekData = 3;
    private const uint SeekHole = 4;

    private readonly ByteImages _images = new();
    private readonly byte[] _base = new byte[Size];
    private readonly byte[] _content = new byte[Size];
    private ServedImages _served = null!;
    private ulong _version;
    private ulong _otherVersion;
    private ulong _overlay;
    private ulong _otherOverlay;

    public async Task InitializeAsync()
    {
        new Random(1).NextBytes(_base);
        new Random(2).NextBytes(_content);
        var version = _images.Add("vm/one", _base);
        foreach (var name in new[] { "fix", "other" })
        {
            var entry = await _images.CreateOverlayAsync(version, name, CancellationToken.None);
            await using var image = await _images.OpenOverlayAsync(entry, CancellationToken.None);
            await image.WriteAsync(0, _content, CancellationToken.None);
        }

        _images.Add("vm/two", new byte[Size]);
        _served = await ServedImages.StartAsync(_images);
        _version = (await _served.FindAsync("vm/one.img")).Node;
        _otherVersion = (await _served.FindAsync("vm/two.img")).Node;
        _overlay = (await _served.FindAsync(Overlay + ".img")).Node;
        _otherOverlay = (await _served.FindAsync("vm/one@other.img")).Node;
    }

    public async Task DisposeAsync() => await _served.DisposeAsync();

    [Theory]
    [InlineData(0, Unit, PunchHole | KeepSize, Unit)]
    [InlineData(100, 50, ZeroRange, 50)]
    [InlineData(100, 50, ZeroRange | KeepSize, 50)]
    [InlineData(0, Size, ZeroRange, Size)]
    [InlineData(Size - 100, 101, PunchHole | KeepSize, 100)]
    [InlineData(Size - 1, long.MaxValue, ZeroRange | KeepSize, 1)]
    public async Task ARangeIsZeroedAsFarAsTheFileGoes(long offset, long length, uint mode, int zeroed)
    {
        var zeroings = new List<(long, long, bool)>();
        _images.Faults.Zeroing = (at, count, mayFreeSpace) => zeroings.Add((at, count, mayFreeSpace));

        Assert.Equal(Errno.None, await AllocateAsync(_overlay, offset, length, mode));

        Assert.Equal([(offset, zeroed, (mode & PunchHole) != 0)], zeroings);
        _content.AsSpan((int)offset, zeroed).Clear();
        Assert.Equal(_content, _images.ContentOf(Overlay));
    }

    [Theory]
    [InlineData(Size, 1, PunchHole | KeepSize, Errno.Invalid)]
    [InlineData(Size + 1L, 1, ZeroRange | KeepSize, Errno.Invalid)]
    [InlineData(-1, 1, PunchHole | KeepSize, Errno.Invalid)]
    [InlineData(0, 0, PunchHole | KeepSize, Errno.Invalid)]
    [InlineData(0, Size + 1L, ZeroRange, Errno.Invalid)]
    [InlineData(Size - 1, 2, ZeroRange, Errno.Invalid)]
    [InlineData(1, -1, ZeroRange, Errno.Invalid)]
    [InlineData(0, Unit, 0U, Errno.NotSupported)]
    [InlineData(0, Unit, KeepSize, Errno.NotSupported)]
    [InlineData(0, Unit, PunchHole, Errno.NotSupported)]
    [InlineData(0, Unit, 8U, Errno.NotSupported)]
    [InlineData(0, Unit, ZeroRange | 8, Errno.NotSupported)]
    public async Task WhatABlockDeviceCannotDoIsRefusedAndNothingChanges(long offset, long length, uint mode, int error)
    {
        Assert.Equal(error, await AllocateAsync(_overlay, offset, length, mode));
        Assert.Equal(_content, _images.ContentOf(Overlay));
    }

    [Fact]
    public async Task AVersionIsNotZeroed()
    {
        Assert.Equal(Errno.ReadOnlyFileSystem, await AllocateAsync(_version, 0, Unit, PunchHole | KeepSize));
        Assert.Equal(_base, _images.ContentOf("vm/one"));
    }

    [Theory]
    [InlineData(0, Size, Size)]
    [InlineData(Unit, Unit, Unit)]
    [InlineData(Unit, (2 * Unit) - 1, Unit)]
    [InlineData(9 * Unit, long.MaxValue, Size - (9 * Unit))]
    [InlineData(10 * Unit, 100, 100)]
    public async Task ACopyOfTheBaseShowsTheBaseInWholeUnits(long offset, long length, int copied)
    {
        foreach (var has64Bits in new[] { true, false })
        {
            Assert.Equal((Errno.None, (ulong)copied), await CopyAsync(_version, offset, _overlay, offset, length, has64Bits));
        }

        _base.AsSpan((int)offset, copied).CopyTo(_content.AsSpan((int)offset));
        Assert.Equal(_content, _images.ContentOf(Overlay));
    }

    [Theory]
    [InlineData(1, 1, Unit)]
    [InlineData(0, Unit, Unit)]
    [InlineData(Unit, 0, Unit)]
    [InlineData(0, 0, Unit - 1)]
    [InlineData(10 * Unit, 10 * Unit, 99)]
    [InlineData(11 * Unit, 11 * Unit, Unit)]
    [InlineData(-Unit, -Unit, Unit)]
    [InlineData(0, 0, 0)]
    public async Task AnyOtherRangeIsLeftToTheKernel(long sourceOffset, long targetOffset, long length)
    {
        foreach (var has64Bits in new[] { true, false })
        {
            var (error, _) = await CopyAsync(_version, sourceOffset, _overlay, targetOffset, length, has64Bits);
            Assert.Equal(Errno.CrossDevice, error);
        }

        Assert.Equal(_content, _images.ContentOf(Overlay));
    }

    [Fact]
    public async Task ACopyOfAnythingButTheBaseIsLeftToTheKernel()
    {
        foreach (var (source, target) in new[]
        {
            (_otherVersion, _overlay), (_otherOverlay, _overlay), (_overlay, _overlay), (_version, _version), (_overlay, _version),
            (12345UL, _overlay), (_version, 12345UL),
        })
        {
            Assert.Equal(Errno.CrossDevice, (await CopyAsync(source, 0, target, 0, Unit, has64Bits: true)).Error);
        }

        Assert.Equal(_content, _images.ContentOf(Overlay));
        Assert.Equal(_base, _images.ContentOf("vm/one"));
    }

    [Fact]
    public async Task DataAndHolesAreFoundUpToTheEnd()
    {
        Assert.Equal(Errno.None, await AllocateAsync(_overlay, 2 * Unit, 3 * Unit, PunchHole | KeepSize));
        Assert.Equal((Errno.None, 0), await SeekAsync(0, SeekData));
        Assert.Equal((Errno.None, 5 * Unit), await SeekAsync(2 * Unit, SeekData));
        Assert.Equal((Errno.None, 2 * Unit), await SeekAsync(1, SeekHole));
        Assert.Equal((Errno.None, Size), await SeekAsync(5 * Unit, SeekHole));
        Assert.Equal((Errno.None, Size - 1), await SeekAsync(Size - 1, SeekData));
        Assert.Equal((Errno.NoSuchAddress, 0), await SeekAsync(Size, SeekData));
        Assert.Equal((Errno.NoSuchAddress, 0), await SeekAsync(Size, SeekHole));
        Assert.Equal((Errno.NoSuchAddress, 0), await SeekAsync(-1, SeekHole));
        Assert.Equal(Errno.None, await AllocateAsync(_overlay, 5 * Unit, Size, PunchHole | KeepSize));
        Assert.Equal((Errno.NoSuchAddress, 0), await SeekAsync(2 * Unit, SeekData));
    }

    private Task<int> AllocateAsync(ulong node, long offset, long length, uint mode) => _served.ErrorAsync(
        Opcode.Allocate,
        node,
        FuseRequest.Of(new AllocateRequest { Offset = unchecked((ulong)offset), Length = unchecked((ulong)length), Mode = mode }));

    private async Task<(int Error, ulong Copied)> CopyAsync(
        ulong source, long sourceOffset, ulong target, long targetOffset, long length, bool has64Bits)
    {
        var (error, body) = await _served.Channel.AskAsync(FuseRequest.Bytes(
            has64Bits ? Opcode.CopyRange64 : Opcode.CopyRange,
            source,
            FuseRequest.Of(new CopyRangeRequest
            {
                SourceOffset = unchecked((ulong)sourceOffset),
                TargetNode = target,
                TargetOffset = unchecked((ulong)targetOffset),
                Length = unchecked((ulong)length),
            })));
        return (error, error != Errno.None ? 0 : has64Bits ? BitConverter.ToUInt64(body) : BitConverter.ToUInt32(body));
    }

    private async Task<(int Error, long Offset)> SeekAsync(long offset, uint whence)
    {
        var (error, body) = await _served.Channel.AskAsync(FuseRequest.Bytes(
            Opcode.Seek, _overlay, FuseRequest.Of(new SeekRequest { Offset = unchecked((ulong)offset), Whence = whence })));
        return (error, error != Errno.None ? 0 : BitConverter.ToInt64(body));
    }
}
