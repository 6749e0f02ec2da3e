using Benji.Mount.Kernel;
using Benji.Mount.Kernel.Wire;
using Benji.Store.Model;
using Benji.Testing.Serving;
using Xunit;

namespace Benji.Tests.Mount.Session.Handlers;

/// <summary>Whoever cuts the file of an overlay, or must be the one who makes it, finds zeros or fails; nobody else does.</summary>
public sealed class CutFileTests : IAsyncLifetime
{
    private const int Size = 100_000;
    private const uint ReadWrite = 2;
    private const uint Create = 0x40;
    private const uint Exclusive = 0x80;
    private const uint Truncate = 0x200;
    private const string Overlay = "vm/one@fix";

    private readonly ByteImages _images = new();
    private readonly byte[] _content = new byte[Size];
    private ServedImages _served = null!;
    private ulong _directory;
    private ulong _unique = 1_000_000;

    public async Task InitializeAsync()
    {
        new Random(1).NextBytes(_content);
        _images.Add("vm/one", _content);
        _images.Add("vm/empty", []);
        _served = await ServedImages.StartAsync(_images);
        _directory = (await _served.FindAsync("vm")).Node;
    }

    public async Task DisposeAsync()
    {
        Assert.Equal(_content, _images.ContentOf("vm/one"));
        await _served.DisposeAsync();
    }

    [Theory]
    [InlineData(Truncate)]
    [InlineData(Truncate | 1)]
    [InlineData(Truncate | ReadWrite)]
    [InlineData(Truncate | Create | ReadWrite)]
    public async Task AnOpeningThatCutsMakesZerosOfAllAndIsDurable(uint flags)
    {
        await MakeAsync("fix", withData: true);
        var (zeroed, flushed) = (false, false);
        _images.Faults.Zeroing = (offset, length, mayFreeSpace) =>
            zeroed = (offset, length, mayFreeSpace) == (0, Size, true) && !flushed;
        _images.Faults.Flushing = () => flushed |= zeroed;
        var node = await _served.OpenAsync(Overlay + ".img", flags);
        Assert.True(zeroed && flushed);
        Assert.Equal(new byte[Size], (await _served.ReadAsync(node, 0, Size)).Bytes);
        Assert.Equal((Size, 0UL), await StatAsync());
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(ReadWrite)]
    [InlineData(ReadWrite | Create)]
    public async Task AnyOtherOpeningShowsWhatIsThere(uint flags)
    {
        await MakeAsync("fix", withData: true);
        var before = _images.ContentOf(Overlay).ToArray();
        var node = await _served.OpenAsync(Overlay + ".img", flags);
        Assert.Equal(before, (await _served.ReadAsync(node, 0, Size)).Bytes);
    }

    [Fact]
    public async Task WhoHasItOpenSeesItCutAndTheKernelForgetsItsBytes()
    {
        await MakeAsync("fix", withData: true);
        var node = await _served.OpenAsync(Overlay + ".img", ReadWrite);
        var opened = await _served.AskAsync<OpenReply>(
            Opcode.Open, node, FuseRequest.Of(new OpenRequest { Flags = ReadWrite | Truncate }));
        Assert.False(opened.Flags.HasFlag(OpenFlags.KeepCache));
        Assert.Equal(new byte[Size], (await _served.ReadAsync(node, 0, Size)).Bytes);
    }

    public static TheoryData<uint, bool, bool, bool> Creations
    {
        get
        {
            var data = new TheoryData<uint, bool, bool, bool>();
            foreach (var flags in new[] { 0u, Truncate, Exclusive, Exclusive | Truncate })
            {
                foreach (var (exists, withData, isResent) in new[]
                {
                    (false, false, false), (false, false, true), (true, false, false), (true, false, true),
                    (true, true, false), (true, true, true),
                })
                {
                    data.Add(flags, exists, withData, isResent);
                }
            }

            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Creations))]
    public async Task ACreationThatSucceedsHasTheBytesThatItsFlagsPromise(
        uint flags, bool exists, bool withData, bool isResent)
    {
        if (exists)
        {
            await MakeAsync("fix", withData);
        }

        var before = exists ? _images.ContentOf(Overlay).ToArray() : _content;
        var error = await CreateAsync("one@fix.img", flags, isResent);
        var mustBeNew = (flags & Exclusive) != 0;
        var isCut = (flags & Truncate) != 0;
        if (exists && mustBeNew && (!isResent || !isCut))
        {
            // Also when it is asked again: what was there before is nobody's to take.
            Assert.Equal(Errno.Exists, error);
            Assert.Equal(before, _images.ContentOf(Overlay));
            Assert.Equal(0, _images.OpenCount);
            return;
        }

        Assert.Equal(Errno.None, error);
        Assert.Equal(isCut || mustBeNew ? new byte[Size] : before, _images.ContentOf(Overlay));
    }

    [Fact]
    public async Task ANewFileThatIsAskedForAgainIsTheOneThatWasMade()
    {
        Assert.Equal(Errno.None, await CreateAsync("one@fix.img", Exclusive, isResent: false));
        Assert.Equal(Errno.None, await CreateAsync("one@fix.img", Exclusive, isResent: true));
        Assert.Equal(new byte[Size], _images.ContentOf(Overlay));
    }

    [Fact]
    public async Task AFileOfNoBytesCanBeMadeAndCut()
    {
        Assert.Equal(Errno.None, await CreateAsync("empty@fix.img", Exclusive, isResent: false));
        await _served.OpenAsync("vm/empty@fix.img", ReadWrite | Truncate);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task WhatCannotBeMadeZerosIsNotOpened(bool failsInFlush)
    {
        await MakeAsync("fix", withData: true);
        Fail(failsInFlush);
        var node = (await _served.FindAsync(Overlay + ".img")).Node;
        var open = FuseRequest.Of(new OpenRequest { Flags = ReadWrite | Truncate });
        Assert.Equal(Errno.NoSpace, await _served.ErrorAsync(Opcode.Open, node, open));
        Assert.Equal(0, _images.OpenCount);
        Heal();
        Assert.Equal(Errno.None, await _served.ErrorAsync(Opcode.Open, node, open));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task WhatCannotBeMadeZerosIsNotMade(bool failsInFlush)
    {
        Fail(failsInFlush);
        Assert.Equal(Errno.NoSpace, await CreateAsync("one@fix.img", Exclusive, isResent: false));
        Assert.Equal(0UL, (await _served.FindAsync(Overlay + ".img")).Node);
        Assert.Null(await _images.FindAsync(Overlay, CancellationToken.None));
        Heal();
        Assert.Equal(Errno.None, await CreateAsync("one@fix.img", Exclusive, isResent: false));
    }

    private void Fail(bool inFlush)
    {
        var full = new NoSpaceException("The disk is full, as told.");
        if (inFlush)
        {
            _images.Faults.Flushing = () => throw full;
        }
        else
        {
            _images.Faults.Zeroing = (_, _, _) => throw full;
        }
    }

    private void Heal() => (_images.Faults.Zeroing, _images.Faults.Flushing) = (null, null);

    private async Task MakeAsync(string name, bool withData)
    {
        var version = await _images.FindAsync("vm/one", CancellationToken.None);
        var entry = await _images.CreateOverlayAsync(version!, name, CancellationToken.None);
        if (withData)
        {
            await using var image = await _images.OpenOverlayAsync(entry, CancellationToken.None);
            await image.WriteAsync(5000, new byte[] { 1, 2, 3 }, CancellationToken.None);
        }

        while ((await _served.FindAsync($"vm/one@{name}.img")).Node == 0)
        {
            await Task.Delay(5);
        }
    }

    private async Task<(int Size, ulong Blocks)> StatAsync()
    {
        var attributes = (await _served.FindAsync(Overlay + ".img")).Attributes;
        return ((int)attributes.Size, attributes.Blocks);
    }

    private async Task<int> CreateAsync(string name, uint flags, bool isResent)
    {
        var unique = (_unique += 2) | (isResent ? RequestHeader.ResentBit : 0);
        var body = new[] { FuseRequest.Of(new CreateRequest { Flags = ReadWrite | Create | flags }), ServedImages.Name(name) };
        return (await _served.Channel.AskAsync(FuseRequest.Numbered(unique, Opcode.Create, _directory, body))).Errno;
    }
}
