using System.Security.Cryptography;
using Benji.Store;
using Benji.Store.Blocks;
using Benji.Store.Blocks.Maps;
using Benji.Store.Blocks.Sealing;
using Benji.Store.Images;
using Benji.Store.Model;
using Benji.Store.Operations;
using Benji.Testing;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Benji.Tests.Operations;

/// <summary>Manifests may claim any size up to the largest: no work is measured by it, only by what the map holds.</summary>
/// <remarks>Each of these runs for hours, or takes all memory, where something counts the blocks one by one.</remarks>
public sealed class HugeVersionTests : IAsyncLifetime
{
    private const int Block = BlockGeometry.BlockSizeMin;

    private readonly StoreFixture _store = new() { BlockSize = Block };

    public enum Map
    {
        Holes,
        OneBlock,
        OneBlockEverywhere,
    }

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await _store.DisposeAsync();

    [Theory]
    [InlineData(Map.Holes, false)]
    [InlineData(Map.Holes, true)]
    [InlineData(Map.OneBlock, false)]
    [InlineData(Map.OneBlock, true)]
    [InlineData(Map.OneBlockEverywhere, false)]
    [InlineData(Map.OneBlockEverywhere, true)]
    public async Task AScrubEnds(Map map, bool isDeep)
    {
        var version = await MakeAsync(map);
        var result = await ScrubAsync(version, isDeep);
        Assert.Equal(map == Map.Holes ? 0 : 1, result.BlocksChecked);
        Assert.Empty(result.Damage);
        Assert.Equal(VersionStatus.Valid, result.Version.Status);
    }

    [Fact]
    public async Task ADamagedBlockOfItIsFoundAndMarksIt()
    {
        var version = await MakeAsync(Map.OneBlock);
        File.Delete(Path.Combine(_store.StoragePath, _store.Objects("blocks")[0]));
        var result = await ScrubAsync(version, isDeep: true);
        Assert.Equal((0, Block), (Assert.Single(result.Damage).Offset, result.Damage[0].Length));
        Assert.Equal(VersionStatus.Invalid, result.Version.Status);
    }

    [Fact]
    public async Task AComparisonWithASmallSourceEnds()
    {
        var version = await MakeAsync(Map.OneBlock);
        var result = await (await _store.StoreAsync()).ScrubAsync(
            new ScrubRequest { Version = version.Name.ToString(), IsDeep = true, Source = "disk" }, NoProgress.Instance);
        var difference = Assert.Single(result.SourceDifferences);
        Assert.Equal((Block, BlockGeometry.SizeMax), (difference.Offset, difference.End));
    }

    [Theory]
    [InlineData(Map.Holes)]
    [InlineData(Map.OneBlock)]
    public async Task ABackupOnItEnds(Map map)
    {
        var version = await MakeAsync(map);
        _store.Images.Set("small", new byte[3 * Block]);
        var hints = _store["hints"];
        await File.WriteAllTextAsync(hints, $$"""[{"offset": 0, "length": {{Block}}, "exists": "true"}]""");
        var result = await (await _store.StoreAsync()).BackupAsync(
            new BackupRequest
            {
                Source = "small",
                Volume = version.Name.Volume,
                BaseVersion = version.Name.ToString(),
                HintsFile = hints,
            },
            NoProgress.Instance);
        Assert.Equal(0, result.Version.AllocatedBytes);
        Assert.Empty((await _store.DeepScrubAsync(result.Version.Name)).Damage);
    }

    [Theory]
    [InlineData(Map.Holes)]
    [InlineData(Map.OneBlock)]
    [InlineData(Map.OneBlockEverywhere)]
    public async Task ItsExtentsAreFoundInBoundedTime(Map map)
    {
        var version = await MakeAsync(map);
        var images = (await _store.StoreAsync()).OpenImages(cacheBytes: 1);
        var entry = await images.FindAsync(version.Name.ToString(), CancellationToken.None);
        await using var image = await images.OpenVersionAsync(entry!, CancellationToken.None);
        var extents = new List<MarkedExtent>();
        await image.Allocation.ReadAsync(0, image.Size, extentsMax: 2, extents, CancellationToken.None);
        Assert.Equal(map != Map.Holes, extents[0].IsMarked);
        Assert.Equal(map == Map.OneBlockEverywhere ? extents[0].End : BlockGeometry.SizeMax, extents[^1].End);
    }

    private async Task<ScrubResult> ScrubAsync(VersionRecord version, bool isDeep) =>
        await (await _store.StoreAsync()).ScrubAsync(
            new ScrubRequest { Version = version.Name.ToString(), IsDeep = isDeep }, NoProgress.Instance);

    // Puts the manifest and the pages of a version of the largest size into the storage, and makes the catalog anew.
    private async Task<VersionRecord> MakeAsync(Map map)
    {
        _store.Images.Set("disk", RandomNumberGenerator.GetBytes(Block));
        var small = (await _store.BackupAsync("disk")).Version;
        await _store.CloseAsync();
        var huge = small with
        {
            Id = Guid.NewGuid(),
            Name = new VersionName("huge", "v1"),
            Size = BlockGeometry.SizeMax,
            Root = PageId.Hole,
            AllocatedBytes = map == Map.Holes ? 0 : Block,
        };
        await using (var store = await StorageFactory.OpenStoreAsync(
            _store.Options.Storages[0],
            StoreParts.Plain,
            binding: null,
            new BlockBufferPool(1 << 22),
            _store.Clock,
            CancellationToken.None))
        {
            if (map != Map.Holes)
            {
                huge = huge with { Root = await PutPagesAsync(store, huge.Geometry, small.Root, map) };
            }

            await new ManifestStore(store).PutAsync(huge, CancellationToken.None);
        }

        var rebuilt = await BenjiStore.RebuildAsync(
            _store.Options,
            new RebuildRequest { Force = true },
            NullLoggerFactory.Instance,
            _store.Clock,
            NoProgress.Instance);
        Assert.Empty(rebuilt.Problems);
        return huge;
    }

    // The leaf of the small version is the first of the huge one, or all of them.
    private static async Task<PageId> PutPagesAsync(OpenedStore store, BlockGeometry geometry, PageId leaf, Map map)
    {
        var block = await ReadFirstBlockAsync(store, leaf);
        var child = block.Hash;
        for (var level = 0; level < geometry.Levels; level++)
        {
            var content = new byte[BlockGeometry.PageSize];
            var count = map == Map.OneBlock ? 1 : MapTree.EntryCount(level, 0, geometry.BlockCount);
            for (var position = 0; position < count; position++)
            {
                MapPage.WriteEntry(content, position, child);
            }

            var id = store.Pages.ComputeId(level, content);
            using var bytes = store.Pages.Seal(id, level, content);
            await store.Storage.PutAsync(ObjectNames.Page(id), bytes.Memory, CancellationToken.None);
            child = id.Hash;
        }

        return new PageId(child);
    }

    private static async Task<BlockId> ReadFirstBlockAsync(OpenedStore store, PageId leaf)
    {
        using var bytes = await ObjectReader.FindAsync(
            store.Storage, ObjectNames.Page(leaf), SealedPages.ObjectLengthMax, store.Pool, CancellationToken.None);
        return new BlockId(MapPage.ReadEntry(store.Pages.Open(leaf, 0, bytes!.Span), 0));
    }
}
