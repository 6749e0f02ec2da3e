using System.Security.Cryptography;
using Benji.Store.Images;
using Benji.Store.Model;
using Benji.Store.Operations;
using Benji.Testing;
using Benji.Testing.Serving;
using Xunit;

namespace Benji.Tests.Operations.Overlays;

public sealed class PromoteTests : IAsyncLifetime
{
    private const int Frame = BlockGeometry.FrameSize;
    private const int Block = 4 * Frame;
    private const int Unit = 4096;

    private readonly StoreFixture _store = new();
    private byte[] _content = [];
    private VersionRecord _base = null!;

    private static CancellationToken None => CancellationToken.None;

    public async Task InitializeAsync()
    {
        _content = RandomNumberGenerator.GetBytes((20 * Block) + 777);
        _content.AsSpan(5 * Block, 3 * Block).Clear();
        _base = await BackupAsync("v1");
    }

    public async Task DisposeAsync() => await _store.DisposeAsync();

    [Fact]
    public async Task APromotedOverlayIsANewProtectedVersionAndGone()
    {
        var overlay = await _store.CreateOverlayAsync(_base.Name);
        await WriteAsync(overlay, (3 * Block) + 100, 5000);
        var result = await (await _store.StoreAsync()).PromoteAsync(
            new PromoteRequest
            {
                Overlay = "disk/v1@fix",
                Version = "repaired",
                Labels = new Dictionary<string, string> { ["by"] = "fsck" },
            },
            NoProgress.Instance);
        Assert.Equal(new VersionName("disk", "repaired"), result.Version.Name);
        Assert.True(result.Version.IsProtected);
        Assert.Equal("fsck", result.Version.Labels["by"]);
        Assert.Equal("v1@fix", result.Version.Labels["promoted-from"]);
        Assert.Equal(_content, await _store.RestoreAsync(result.Version.Name));
        Assert.Empty(await _store.ListOverlaysAsync());
        Assert.Empty(_store.OverlayFiles());
    }

    [Fact]
    public async Task TheLabelOfTheOriginIsNobodyElses()
    {
        var overlay = await _store.CreateOverlayAsync(_base.Name);
        var request = new PromoteRequest
        {
            Overlay = overlay.Name,
            Labels = new Dictionary<string, string> { ["promoted-from"] = "elsewhere" },
        };
        await Assert.ThrowsAsync<UsageException>(
            async () => await (await _store.StoreAsync()).PromoteAsync(request, NoProgress.Instance));
        Assert.Single(await _store.ListOverlaysAsync());
        var version = await (await _store.StoreAsync()).OpenImages().PromoteAsync(overlay, None);
        Assert.Equal("v1@fix", Assert.Single(version.Labels).Value);
    }

    [Fact]
    public async Task APromotionWithoutChangesStoresNothing()
    {
        var overlay = await _store.CreateOverlayAsync(_base.Name);
        var before = _store.Objects();
        var result = await _store.PromoteAsync(overlay, "same");
        Assert.Equal(_base.Root, result.Version.Root);
        Assert.Equal(_base.AllocatedBytes, result.Version.AllocatedBytes);
        Assert.Equal(0, result.Version.Statistics!.BytesRead);
        Assert.Equal(["marks", "versions"], _store.Objects().Except(before).Select(name => name.Split('/')[0]));
    }

    [Fact]
    public async Task OneChangedUnitStoresOneDeltaBlockOfOneFrame()
    {
        var overlay = await _store.CreateOverlayAsync(_base.Name);
        await WriteAsync(overlay, (2 * Block) + Frame + Unit, Unit);
        var before = _store.Objects("blocks");
        var result = await _store.PromoteAsync(overlay);
        Assert.EndsWith(".d", Assert.Single(_store.Objects("blocks").Except(before)));
        Assert.Equal(1, result.BlocksDelta);
        Assert.Equal(Frame, result.Version.Statistics!.BytesRead);
        Assert.Equal(_content, await _store.RestoreAsync(result.Version.Name));
        Assert.Empty((await _store.DeepScrubAsync(result.Version.Name)).Damage);
    }

    [Fact]
    public async Task ZeroedBlocksAndFramesBecomeHolesWithoutARead()
    {
        var overlay = await _store.CreateOverlayAsync(_base.Name);
        await _store.ChangeOverlayAsync(overlay, async image =>
        {
            await image.ZeroAsync(Block, Block, mayFreeSpace: true, None);
            await image.ZeroAsync((9 * Block) + Frame, Frame, mayFreeSpace: true, None);
        });
        _content.AsSpan(Block, Block).Clear();
        _content.AsSpan((9 * Block) + Frame, Frame).Clear();
        var result = await _store.PromoteAsync(overlay);
        Assert.Equal(0, result.Version.Statistics!.BytesRead);
        Assert.Equal(1, result.BlocksHole);
        Assert.Equal(_base.AllocatedBytes - Block - Frame, result.Version.AllocatedBytes);
        Assert.Equal(_content, await _store.RestoreAsync(result.Version.Name));
    }

    [Fact]
    public async Task PromotionsOfRandomChangesEqualTheirOverlays() => await Seeded.RunAsync(async random =>
    {
        for (var round = 0; round < 4; round++)
        {
            var overlay = await _store.CreateOverlayAsync(_base.Name);
            byte[] expected = [];
            await _store.ChangeOverlayAsync(overlay, async image =>
            {
                for (var step = 0; step < 30; step++)
                {
                    await ChangeAsync(random, image);
                }

                expected = await image.ReadAllAsync();
            });
            var result = await _store.PromoteAsync(overlay, $"r{round}");
            Assert.Equal(expected, await _store.RestoreAsync(result.Version.Name));
            Assert.Empty((await _store.DeepScrubAsync(result.Version.Name)).Damage);
            Assert.Equal(Allocated(expected), result.Version.AllocatedBytes);
            _base = result.Version;
        }

        Assert.Equal(_content, await _store.RestoreAsync(new VersionName("disk", "v1")));
    });

    [Fact]
    public async Task APromotionWaitsForAnOverlayThatIsBeingClosed()
    {
        var overlay = await _store.CreateOverlayAsync(_base.Name);
        var image = await _store.OpenOverlayAsync(overlay);
        var promotion = _store.PromoteAsync(overlay);
        await Task.Yield();
        Assert.False(promotion.IsCompleted);
        await image.DisposeAsync();
        Assert.Equal("disk", (await promotion).Version.Name.Volume);
    }

    [Fact]
    public async Task AnOverlayThatWasPromotedIsNeitherOpenedNorPromotedAgain()
    {
        var overlay = await _store.CreateOverlayAsync(_base.Name);
        await _store.PromoteAsync(overlay);
        await Assert.ThrowsAsync<NotFoundException>(() => _store.OpenOverlayAsync(overlay));
        await Assert.ThrowsAsync<NotFoundException>(() => _store.PromoteAsync(overlay));
    }

    [Fact]
    public async Task ANameThatIsTakenLeavesTheOverlayAsItWas()
    {
        var overlay = await _store.CreateOverlayAsync(_base.Name);
        await WriteAsync(overlay, 0, 10);
        await Assert.ThrowsAsync<AlreadyExistsException>(() => _store.PromoteAsync(overlay, "v1"));
        var result = await _store.PromoteAsync(overlay, "v2");
        Assert.Equal(_content, await _store.RestoreAsync(result.Version.Name));
    }

    [Fact]
    public async Task ADamagedBlockThatWasReplacedAsAWholeMakesTheNewVersionValid()
    {
        await DamageAsync(3);
        var overlay = await _store.CreateOverlayAsync(_base.Name);
        await WriteAsync(overlay, 3 * Block, Block);
        var result = await _store.PromoteAsync(overlay);
        Assert.Equal(VersionStatus.Valid, result.Version.Status);
        Assert.Equal(_content, await _store.RestoreAsync(result.Version.Name));
    }

    [Fact]
    public async Task ADamagedBlockThatWasNotTouchedKeepsTheNewVersionInvalid()
    {
        await DamageAsync(3);
        var overlay = await _store.CreateOverlayAsync(_base.Name);
        await WriteAsync(overlay, 8 * Block, Unit);
        var result = await _store.PromoteAsync(overlay);
        Assert.Equal(VersionStatus.Invalid, result.Version.Status);
    }

    [Fact]
    public async Task ADamagedBlockThatWasReplacedInPartStopsThePromotionAndKeepsTheOverlay()
    {
        await DamageAsync(3);
        var overlay = await _store.CreateOverlayAsync(_base.Name);
        await WriteAsync(overlay, 3 * Block, Unit);
        await Assert.ThrowsAsync<DamagedImageException>(() => _store.PromoteAsync(overlay));
        await _store.ChangeOverlayAsync(
            overlay, async image => await image.ZeroAsync((3 * Block) + Unit, Block - Unit, mayFreeSpace: true, None));
        _content.AsSpan((3 * Block) + Unit, Block - Unit).Clear();
        var result = await _store.PromoteAsync(overlay);
        Assert.Equal(VersionStatus.Valid, result.Version.Status);
        Assert.Equal(_content, await _store.RestoreAsync(result.Version.Name));
    }

    private static async Task ChangeAsync(Random random, IWritableImage image)
    {
        var offset = random.NextInt64(image.Size);
        var length = (int)Math.Min(image.Size - offset, random.Next(1, random.Next(2) == 0 ? Unit : 3 * Frame));
        switch (random.Next(4))
        {
            case 0:
                await image.ZeroAsync(offset, length, mayFreeSpace: true, None);
                break;
            case 1:
                var first = offset / Unit * Unit;
                await image.RevertAsync(first, Math.Min(image.Size - first, Unit * random.Next(1, 20)), None);
                break;
            default:
                var data = new byte[length];
                random.NextBytes(data);
                await image.WriteAsync(offset, data, None);
                break;
        }
    }

    private static long Allocated(byte[] content) => Enumerable.Range(0, (content.Length + Frame - 1) / Frame)
        .Select(frame => content.AsSpan(frame * Frame, Math.Min(Frame, content.Length - (frame * Frame))).ToArray())
        .Sum(frame => frame.AsSpan().ContainsAnyExcept((byte)0) ? frame.Length : 0L);

    private async Task<VersionRecord> BackupAsync(string name)
    {
        _store.Images.Set("disk", [.. _content]);
        return (await _store.BackupAsync("disk", request => request with { Version = name })).Version;
    }

    private Task WriteAsync(ImageEntry overlay, int offset, int length)
    {
        RandomNumberGenerator.Fill(_content.AsSpan(offset, length));
        return _store.WriteOverlayAsync(overlay, offset, _content.AsSpan(offset, length).ToArray());
    }

    // A version that differs in one block brings one object, which is then spoilt.
    private async Task DamageAsync(int block)
    {
        var before = _store.Objects("blocks").ToHashSet();
        RandomNumberGenerator.Fill(_content.AsSpan(block * Block, Block));
        _base = await BackupAsync("v2");
        var path = Path.Combine(_store.StoragePath, Assert.Single(_store.Objects("blocks").Except(before)));
        var bytes = await File.ReadAllBytesAsync(path);
        for (var at = bytes.Length / 8; at < bytes.Length; at += Frame / 2)
        {
            bytes[at] ^= 0xff;
        }

        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        await File.WriteAllBytesAsync(path, bytes);
        await _store.DeepScrubAsync(_base.Name);
    }
}
