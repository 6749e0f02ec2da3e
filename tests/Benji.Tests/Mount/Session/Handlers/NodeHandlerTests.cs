using System.Text;
using Benji.Mount.Kernel;
using Benji.Mount.Kernel.Wire;
using Benji.Testing.Serving;
using Xunit;

namespace Benji.Tests.Mount.Session.Handlers;

/// <summary>Attributes of files, their own and extended ones, and how they are opened.</summary>
public sealed class NodeHandlerTests : IAsyncLifetime
{
    private const int Size = 10_000;
    private const uint OwnMode = 0x8000 | 0x180; // S_IFREG, 0600
    private const uint OtherMode = 0x8000 | 0x1A4; // S_IFREG, 0644

    private readonly ByteImages _images = new();
    private ServedImages _served = null!;
    private ulong _directory;
    private ulong _version;
    private ulong _overlay;

    public async Task InitializeAsync()
    {
        await _images.CreateOverlayAsync(_images.Add("vm/one", new byte[Size]), "fix", CancellationToken.None);
        _served = await ServedImages.StartAsync(_images);
        _directory = (await _served.FindAsync("vm")).Node;
        _version = (await _served.FindAsync("vm/one.img")).Node;
        _overlay = (await _served.FindAsync("vm/one@fix.img")).Node;
    }

    public async Task DisposeAsync() => await _served.DisposeAsync();

    [Fact]
    public async Task AMountIsNotFull()
    {
        var totals = await _served.AskAsync<FileSystemReply>(Opcode.FileSystemStatus, 1);
        Assert.True(totals.Blocks > 0 && totals.Files > 0);
        Assert.Equal((totals.Blocks, totals.Blocks), (totals.BlocksFree, totals.BlocksAvailable));
        Assert.Equal(totals.Files, totals.FilesFree);
    }

    [Fact]
    public async Task AnOverlayHasItsSizeAndItsOwner()
    {
        Assert.Equal(Errno.None, await SetAsync(_overlay, AttributeFlags.Size, Size));
        Assert.Equal(Errno.NotPermitted, await SetAsync(_overlay, AttributeFlags.Size, Size + 1));
        Assert.Equal(Errno.NotPermitted, await SetAsync(_overlay, AttributeFlags.Size, 0));
        foreach (var flag in new[] { AttributeFlags.Mode, AttributeFlags.Uid, AttributeFlags.Gid })
        {
            Assert.Equal(Errno.NotPermitted, await SetAsync(_overlay, flag, Size, mode: OtherMode, owner: 7));
            Assert.Equal(Errno.NotPermitted, await SetAsync(_overlay, flag | AttributeFlags.Size, Size, OtherMode, owner: 7));

            // What changes nothing succeeds, as tar and cp -p ask for it.
            Assert.Equal(Errno.None, await SetAsync(_overlay, flag, Size, mode: OwnMode, owner: 0));
        }

        Assert.Equal(Errno.None, await SetAsync(_overlay, 0, 0));
    }

    [Fact]
    public async Task NothingElseHasAttributesThatCanBeSet()
    {
        foreach (var opcode in new[] { Opcode.SetExtended, Opcode.RemoveExtended })
        {
            Assert.Equal(Errno.NotSupported, await _served.ErrorAsync(opcode, _overlay, new byte[40]));
        }

        Assert.Equal(Errno.ReadOnlyFileSystem, await SetAsync(_version, AttributeFlags.Size, Size));
        Assert.Equal(Errno.NotPermitted, await SetAsync(_directory, 0, 0));
        Assert.Equal(Errno.Stale, await SetAsync(12345, 0, 0));
    }

    /// <summary>While nobody has an overlay open another process may write to it.</summary>
    [Fact]
    public async Task WhatTheKernelHasOfAnOverlayIsRightWhileItIsOpen()
    {
        Assert.True(await KeepsCacheAsync(_version));
        Assert.False(await KeepsCacheAsync(_overlay));
        Assert.True(await KeepsCacheAsync(_overlay));
    }

    [Fact]
    public async Task AnExtendedAttributeIsSentWhereItHasRoom()
    {
        var value = Encoding.UTF8.GetBytes("vm/one@fix");
        Assert.Equal(value, (await GetExtendedAsync(room: value.Length)).Body);
        Assert.Equal(Errno.Range, (await GetExtendedAsync(room: value.Length - 1)).Error);
        var (error, length) = await GetExtendedAsync(room: 0);
        Assert.Equal((Errno.None, value.Length), (error, BitConverter.ToInt32(length)));
    }

    [Fact]
    public async Task AFileSaysWhichImageOfWhichStoreItIs()
    {
        var overlay = await _images.FindAsync("vm/one@fix", CancellationToken.None);
        Assert.Equal($"{overlay!.Id:N}", await ExtendedAsync("user.benji.id"));
        Assert.Equal(_images.StoreIdentity, await ExtendedAsync("user.benji.store"));
        var (_, names) = await _served.Channel.AskAsync(FuseRequest.Bytes(
            Opcode.ListExtended, _overlay, FuseRequest.Of(new ExtendedSize { Size = 1000 })));
        Assert.Contains("user.benji.store", Encoding.UTF8.GetString(names).Split('\0'));
        _images.StoreIdentity = null;
        Assert.Equal($"error {Errno.NoData}", await ExtendedAsync("user.benji.store"));
    }

    private Task<int> SetAsync(
        ulong node, AttributeFlags valid, ulong size, uint mode = OwnMode, uint owner = 0) => _served.ErrorAsync(
        Opcode.SetAttributes,
        node,
        FuseRequest.Of(new SetAttributesRequest { Valid = valid, Size = size, Mode = mode, Uid = owner, Gid = owner }));

    private async Task<string> ExtendedAsync(string name)
    {
        var (error, body) = await _served.Channel.AskAsync(FuseRequest.Bytes(
            Opcode.GetExtended, _overlay, FuseRequest.Of(new ExtendedSize { Size = 1000 }), ServedImages.Name(name)));
        return error == Errno.None ? Encoding.UTF8.GetString(body) : $"error {error}";
    }

    private async Task<bool> KeepsCacheAsync(ulong node)
    {
        var opened = await _served.AskAsync<OpenReply>(Opcode.Open, node, FuseRequest.Of(new OpenRequest()));
        return opened.Flags.HasFlag(OpenFlags.KeepCache);
    }

    private Task<(int Error, byte[] Body)> GetExtendedAsync(int room) => _served.Channel.AskAsync(FuseRequest.Bytes(
        Opcode.GetExtended,
        _overlay,
        FuseRequest.Of(new ExtendedSize { Size = (uint)room }),
        ServedImages.Name("user.benji.name")));
}
