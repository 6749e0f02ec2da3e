using Benji.Store.Blocks.Maps;
using Benji.Store.Model;
using Benji.Testing;
using Xunit;

namespace Benji.Tests.Blocks.Maps;

public sealed class MapMarkerTests
{
    [Theory]
    [InlineData(1 << 20, 1 << 20)]
    [InlineData(256, 64)]
    [InlineData(16, 512)]
    public Task ItReachesExactlyWhatTheVersionsHold(int leafSlots, int blockSlots) => Seeded.RunAsync(async random =>
    {
        var (pages, versions) = await BuildAsync(random);
        var expectedBlocks = versions.SelectMany(version => version.Blocks.Values).ToHashSet();
        var expectedPages = await PagesAsync(pages, versions);
        var (blocks, reachedPages) = (new List<BlockId>(), new List<PageId>());

        await Marker(pages, versions, leafSlots, blockSlots).MarkAsync(
            (range, reached) =>
            {
                reachedPages.AddRange(expectedPages.Where(id => range.Contains(id.Hash) && reached.Contains(id)));
                return Task.CompletedTask;
            },
            (range, reached) =>
            {
                var own = expectedBlocks.Where(id => range.Contains(id.Hash)).ToList();
                Assert.Equal(own.Count, reached.Count);
                blocks.AddRange(own.Where(id => reached.Contains(id.Hash)));
                return Task.CompletedTask;
            },
            CancellationToken.None);

        Assert.Equal(expectedBlocks.Count, blocks.Count);
        Assert.Equal(expectedPages.Count, reachedPages.Count);
    });

    [Fact]
    public Task EveryLeafIsReadOnceWhenAllFits() => Seeded.RunAsync(async random =>
    {
        var (pages, versions) = await BuildAsync(random);
        pages.ResetCounts();

        await Marker(pages, versions, 1 << 20, 1 << 20).MarkAsync(
            null, (_, _) => Task.CompletedTask, CancellationToken.None);

        Assert.Equal(pages.LeavesRead.Count, pages.LeavesRead.Distinct().Count());
        Assert.InRange(pages.LargestTrip, 1, MapReader.BatchPagesMax);
    });

    [Fact]
    public async Task AMissingPageEndsTheMarking()
    {
        var (pages, versions) = await BuildAsync(new Random(3));
        pages.Lose((await versions[^1].Open(pages).FindPagesAsync(0, [0], CancellationToken.None))[0]);

        await Assert.ThrowsAsync<CorruptDataException>(() => Marker(pages, versions, 64, 1 << 20).MarkAsync(
            null, (_, _) => Task.CompletedTask, CancellationToken.None));
    }

    private static MapMarker Marker(MemoryPages pages, List<MapModel> versions, int leafSlots, int blockSlots) =>
        new(
            [.. versions.Select(version => new MarkRoot(pages, version.Root, version.Geometry.Levels - 1))],
            new MarkSets(leafSlots, blockSlots));

    private static async Task<(MemoryPages Pages, List<MapModel> Versions)> BuildAsync(Random random)
    {
        var pages = new MemoryPages();
        var versions = new List<MapModel>();
        var model = MapModel.Empty;
        foreach (var blocks in new[] { 0, 200, 70_000, 70_000, 20_000_000, 70_000 })
        {
            var geometry = MapModel.Sized(blocks);
            var changes = new Dictionary<long, BlockId>();
            for (var i = 0; i < 60 && blocks > 0; i++)
            {
                changes[random.NextInt64(Math.Min(blocks, 70_000))] = MapModel.RandomId(random);
            }

            if (blocks > 0)
            {
                changes[0] = MapModel.RandomId(random);
            }

            model = await model.ChangeAsync(pages, geometry, changes);
            versions.Add(model);
        }

        return (pages, versions);
    }

    private static async Task<HashSet<PageId>> PagesAsync(MemoryPages pages, List<MapModel> versions)
    {
        var found = new HashSet<PageId>();
        foreach (var version in versions)
        {
            var reader = version.Open(pages);
            for (var level = reader.RootLevel; level >= 0; level--)
            {
                var at = level;
                long[] numbers = [.. version.Blocks.Keys.Select(index => MapTree.PageNumber(at, index)).Distinct()];
                found.UnionWith(await reader.FindPagesAsync(level, numbers, CancellationToken.None));
            }
        }

        return found;
    }
}
