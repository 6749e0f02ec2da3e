using System.Security.Cryptography;
using Benji.Store;
using Benji.Store.Images;
using Benji.Store.Model;
using Benji.Store.Operations;
using Benji.Testing;
using Benji.Testing.Serving;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Benji.Tests.Operations.Overlays;

public sealed class OverlayLifeTests : IAsyncLifetime
{
    private const int Block = 4 * BlockGeometry.FrameSize;
    private const int Unit = 4096;

    private readonly StoreFixture _store = new();
    private readonly byte[] _content = RandomNumberGenerator.GetBytes(6 * Block);
    private VersionRecord _base = null!;

    private static CancellationToken None => CancellationToken.None;

    public async Task InitializeAsync()
    {
        _store.Images.Set("disk", [.. _content]);
        _base = (await _store.BackupAsync("disk", request => request with { Version = "v1" })).Version;
    }

    public async Task DisposeAsync() => await _store.DisposeAsync();

    [Fact]
    public async Task WhatIsWrittenIsThereAfterTheStoreWasClosed()
    {
        var overlay = await _store.CreateOverlayAsync(_base.Name);
        await _store.WriteOverlayAsync(overlay, 100, [1, 2, 3]);
        await _store.CloseAsync();
        new byte[] { 1, 2, 3 }.CopyTo(_content, 100);
        await _store.ChangeOverlayAsync(overlay, async image =>
        {
            Assert.Equal(_content, await image.ReadAllAsync());
            Assert.Equal(Unit, image.DirtyBytes);
        });
    }

    [Fact]
    public async Task OverlaysOfOneVersionDoNotSeeEachOther()
    {
        var one = await _store.CreateOverlayAsync(_base.Name, "one");
        var two = await _store.CreateOverlayAsync(_base.Name, "two");
        await _store.WriteOverlayAsync(one, 0, new byte[Block]);
        await _store.ChangeOverlayAsync(two, async image => Assert.Equal(_content, await image.ReadAllAsync()));
        await _store.RemoveOverlayAsync(one, force: true);
        await _store.ChangeOverlayAsync(two, async image => Assert.Equal(_content, await image.ReadAllAsync()));
    }

    [Fact]
    public async Task ANameIsTakenOnceForEachBase()
    {
        await _store.CreateOverlayAsync(_base.Name);
        await Assert.ThrowsAsync<AlreadyExistsException>(() => _store.CreateOverlayAsync(_base.Name));
        var other = await _store.BackupAsync("disk", request => request with { Version = "v2" });
        await _store.CreateOverlayAsync(other.Version.Name);
        Assert.Equal(["disk/v1@fix", "disk/v2@fix"], (await _store.ListOverlaysAsync()).Select(entry => entry.Name));
        Assert.Equal(2, _store.OverlayFiles().Count);
    }

    [Theory]
    [InlineData("")]
    [InlineData("a/b")]
    [InlineData(".hidden")]
    [InlineData("x.img")]
    public async Task ANameThatIsNotValidIsRefused(string name)
    {
        await Assert.ThrowsAsync<UsageException>(() => _store.CreateOverlayAsync(_base.Name, name));
        Assert.Empty(_store.OverlayFiles());
    }

    [Fact]
    public async Task NewNamesComeFromTheTimeAndDiffer()
    {
        var first = await _store.CreateOverlayAsync(_base.Name, name: null);
        var second = await _store.CreateOverlayAsync(_base.Name, name: null);
        Assert.Equal("disk/v1@21000101T000000Z", first.Name);
        Assert.Equal("disk/v1@21000101T000000Z-2", second.Name);
    }

    [Fact]
    public async Task AVersionWithAnOverlayCannotBeRemovedUntilThatIsGone()
    {
        var overlay = await _store.CreateOverlayAsync(_base.Name);
        var failure = await Assert.ThrowsAsync<InUseException>(() => _store.RemoveAsync(_base.Name));
        Assert.Contains("disk/v1@fix", failure.Message);
        await _store.RemoveOverlayAsync(overlay);
        await _store.RemoveAsync(_base.Name);
        await Assert.ThrowsAsync<NotFoundException>(() => _store.CreateOverlayAsync(_base.Name));
    }

    [Fact]
    public async Task CleanupKeepsTheBlocksOfABase()
    {
        var overlay = await _store.CreateOverlayAsync(_base.Name);
        _store.Clock.Advance(TimeSpan.FromDays(1));
        await _store.CleanupAsync();
        await _store.ChangeOverlayAsync(overlay, async image => Assert.Equal(_content, await image.ReadAllAsync()));
    }

    [Fact]
    public async Task AnOverlayThatHoldsDataIsRemovedWithForceOnly()
    {
        var overlay = await _store.CreateOverlayAsync(_base.Name);
        await _store.WriteOverlayAsync(overlay, 0, [1]);
        var failure = await Assert.ThrowsAsync<NotAllowedException>(() => _store.RemoveOverlayAsync(overlay));
        Assert.Contains("4096 bytes", failure.Message);
        Assert.Single(_store.OverlayFiles());
        await _store.RemoveOverlayAsync(overlay, force: true);
        Assert.Empty(_store.OverlayFiles());
        Assert.Empty(await _store.ListOverlaysAsync());
        await Assert.ThrowsAsync<NotFoundException>(() => _store.OpenOverlayAsync(overlay));
    }

    [Fact]
    public async Task OneNameThatFitsNothingKeepsAllOverlays()
    {
        var overlay = await _store.CreateOverlayAsync(_base.Name);
        var request = new OverlayRemoveRequest { Overlays = [overlay.Name, "disk/v1@none"], Force = true };
        var store = await _store.StoreAsync();
        await Assert.ThrowsAsync<NotFoundException>(() => store.RemoveOverlaysAsync(request));
        Assert.Single(await _store.ListOverlaysAsync());
    }

    [Fact]
    public async Task OneProcessHasAnOverlayOpenAndIsNamed()
    {
        var overlay = await _store.CreateOverlayAsync(_base.Name);
        var first = await _store.OpenOverlayAsync(overlay);
        await using var other = await OpenAnotherAsync();
        var failure = await Assert.ThrowsAsync<InUseException>(
            () => other.OpenImages().OpenOverlayAsync(overlay, None));
        Assert.Contains("use of overlay disk/v1@fix", failure.Message);
        await Assert.ThrowsAsync<InUseException>(() => _store.RemoveOverlayAsync(overlay, force: true));
        Assert.Contains($"process {Environment.ProcessId}", Assert.Single(await _store.ListOverlaysAsync()).Overlay!.Holder);
        await first.DisposeAsync();
        await using var second = await other.OpenImages().OpenOverlayAsync(overlay, None);
        Assert.Equal(_content, await second.ReadAllAsync());
    }

    [Fact]
    public async Task OpeningsInOneDirectorySeeEachOthersWrites()
    {
        var overlay = await _store.CreateOverlayAsync(_base.Name);
        var images = (await _store.StoreAsync()).OpenImages();
        await using var first = await images.OpenOverlayAsync(overlay, None);
        await using var second = await images.OpenOverlayAsync(overlay, None);
        await first.WriteAsync(5, new byte[] { 7 }, None);
        Assert.Equal([7], await second.ReadBytesAsync(5, 1));
    }

    [Fact]
    public async Task TheDirectoryListsVersionsWithTheirOverlays()
    {
        var overlay = await _store.CreateOverlayAsync(_base.Name);
        await _store.WriteOverlayAsync(overlay, 0, new byte[Block]);
        var images = (await _store.StoreAsync()).OpenImages();
        var listed = await images.ListAsync("disk", None);
        Assert.Equal(["disk/v1", "disk/v1@fix"], listed.Select(entry => entry.Name));
        Assert.True(listed[1].Overlay!.DirtyBytes >= Block);
        Assert.Equal(Block, Assert.Single(await _store.ListOverlaysAsync()).Overlay!.DirtyBytes);
        Assert.Equal(overlay.Id, (await images.FindAsync("disk/v1@fix", None))!.Id);
        Assert.Null(await images.FindAsync("disk/v1@", None));
        Assert.Null(await images.FindAsync("disk/v2@fix", None));
        Assert.Null(await images.FindAsync("@", None));
    }

    [Fact]
    public async Task ChangesSinceTheBaseAreWhatTheOverlayHolds()
    {
        var overlay = await _store.CreateOverlayAsync(_base.Name);
        var changed = _content.ToArray();
        RandomNumberGenerator.Fill(changed.AsSpan(2 * Block, Block));
        _store.Images.Set("disk", changed);
        await _store.BackupAsync("disk", request => request with { Version = "v2" });
        var images = (await _store.StoreAsync()).OpenImages();
        await using var image = await images.OpenOverlayAsync(overlay, None);
        await image.WriteAsync(Unit, new byte[Unit], None);
        var since = await images.FindChangesAsync(image, "disk/v1", None);
        Assert.Equal([new MarkedExtent(Unit, Unit, IsMarked: true)], await MarkedAsync(since!, image.Size));
        var other = await images.FindChangesAsync(image, "disk/v2", None);
        Assert.Equal(
            [new MarkedExtent(Unit, Unit, IsMarked: true), new MarkedExtent(2 * Block, Block, IsMarked: true)],
            await MarkedAsync(other!, image.Size));
        Assert.Null(await images.FindChangesAsync(image, "disk/v3", None));
    }

    private static async Task<List<MarkedExtent>> MarkedAsync(IExtentMap map, long size) =>
        [.. (await map.ListAsync(0, size)).Where(extent => extent.IsMarked)];

    private Task<BenjiStore> OpenAnotherAsync() => BenjiStore.OpenAsync(
        _store.Options, StoreUse.Change, NullLoggerFactory.Instance, _store.Clock);
}
