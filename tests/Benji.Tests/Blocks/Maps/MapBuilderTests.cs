using Benji.Store.Blocks.Maps;
using Benji.Store.Model;
using Benji.Testing;
using Xunit;

namespace Benji.Tests.Blocks.Maps;

public sealed class MapBuilderTests
{
    private readonly MemoryPages _pages = new();

    [Fact]
    public async Task AMapOfHolesHasNoPages()
    {
        var holes = Enumerable.Range(0, 1000).ToDictionary(index => (long)index, _ => BlockId.Hole);
        var model = await MapModel.BuildAsync(_pages, MapModel.Sized(1000), holes);

        Assert.Equal(PageId.Hole, model.Root);
        Assert.Equal(0, _pages.PageCount);
    }

    [Fact]
    public async Task AMapWithoutChangesIsItsBaseAndReadsNoPage()
    {
        var model = await FilledAsync(100_000);
        _pages.ResetCounts();

        var next = await model.ChangeAsync(_pages, model.Geometry, new Dictionary<long, BlockId>());

        Assert.Equal(model.Root, next.Root);
        Assert.Equal(0, _pages.ReadTrips);
    }

    [Fact]
    public async Task OneChangedBlockReadsOneLeafAndPutsOnePageALevel()
    {
        var model = await FilledAsync(100_000);
        var before = _pages.PageCount;
        _pages.ResetCounts();

        var next = await model.ChangeAsync(
            _pages, model.Geometry, new Dictionary<long, BlockId> { [70_000] = MapModel.RandomId(new Random(1)) });

        Assert.NotEqual(model.Root, next.Root);
        Assert.Equal(before + 3, _pages.PageCount);
        Assert.Single(_pages.LeavesRead);
        Assert.Equal(1, _pages.PutTrips);
    }

    [Fact]
    public async Task ABlockSetToWhatItWasPutsNothing()
    {
        var model = await FilledAsync(1000);
        _pages.ResetCounts();

        var next = await model.ChangeAsync(
            _pages, model.Geometry, new Dictionary<long, BlockId> { [500] = model[500] });

        Assert.Equal(model.Root, next.Root);
        Assert.Equal(0, _pages.PutTrips);
    }

    [Fact]
    public async Task GrowingPastALevelReadsNoLeafThatStaysWhole()
    {
        var model = await FilledAsync(65_536);
        _pages.ResetCounts();

        var next = await model.ChangeAsync(
            _pages, MapModel.Sized(20_000_000), new Dictionary<long, BlockId> { [19_999_999] = model[0] });

        Assert.Empty(_pages.LeavesRead);
        await next.CheckAsync(_pages);
    }

    [Fact]
    public async Task ShrinkingReadsOnlyTheRightEdge()
    {
        var model = await FilledAsync(100_000);
        _pages.ResetCounts();

        var next = await model.ChangeAsync(_pages, MapModel.Sized(66_000), new Dictionary<long, BlockId>());

        Assert.Single(_pages.LeavesRead);
        await next.CheckAsync(_pages);
    }

    [Fact]
    public async Task AWhollySetLeafOfTheBaseIsNotRead()
    {
        var model = await FilledAsync(1000);
        _pages.ResetCounts();
        var random = new Random(2);
        var changes = Enumerable.Range(256, 256).ToDictionary(index => (long)index, _ => MapModel.RandomId(random));

        var next = await model.ChangeAsync(_pages, model.Geometry, changes);

        Assert.Empty(_pages.LeavesRead);
        await next.CheckAsync(_pages);
    }

    [Fact]
    public async Task AResizedLastBlockThatIsNotSetIsABug()
    {
        var model = await MapModel.BuildAsync(
            _pages, new BlockGeometry(100, MapModel.BlockSize), new Dictionary<long, BlockId>
            {
                [0] = MapModel.RandomId(new Random(3)),
            });
        var builder = new MapBuilder(_pages, model.Open(_pages), new BlockGeometry(200, MapModel.BlockSize));

        await Assert.ThrowsAsync<InvariantException>(() => builder.CompleteAsync(CancellationToken.None));
    }

    [Fact]
    public async Task ABlockBelowTheOpenOnesCannotBeSet()
    {
        var builder = new MapBuilder(_pages, null, MapModel.Sized(1000));
        await builder.AdvanceAsync(300, CancellationToken.None);

        Assert.Throws<InvariantException>(() => builder.Set(299, BlockId.Hole));
        Assert.Throws<InvariantException>(() => builder.Set(1000, BlockId.Hole));
    }

    [Fact]
    public Task WorkersMaySetWhileTheDispatcherAdvances() => Seeded.RunAsync(async random =>
    {
        const int blocks = 300_000;
        const int window = 512;
        var ids = Enumerable.Range(0, blocks).Select(_ => MapModel.RandomId(random)).ToArray();
        var builder = new MapBuilder(_pages, null, MapModel.Sized(blocks));
        for (var first = 0; first < blocks; first += window)
        {
            var start = first;
            var workers = Enumerable.Range(0, 4).Select(worker => Task.Run(() =>
            {
                for (var index = start + worker; index < Math.Min(start + window, blocks); index += 4)
                {
                    builder.Set(index, ids[index]);
                }
            })).ToList();
            await builder.AdvanceAsync(first, CancellationToken.None);
            await Task.WhenAll(workers);
        }

        var root = await builder.CompleteAsync(CancellationToken.None);
        var model = new MapModel(
            MapModel.Sized(blocks),
            new(Enumerable.Range(0, blocks).ToDictionary(index => (long)index, index => ids[index])),
            root);
        await model.CheckAsync(_pages);
        Assert.InRange(_pages.LargestTrip, 1, 2 * MapBuilder.BatchPages);
        Assert.InRange(_pages.PutTrips, 1, (blocks / 256 / MapBuilder.BatchPages) + 3);
    });

    [Fact]
    public async Task AMissingPageIsNamedWithItsLevel()
    {
        var model = await FilledAsync(1000);
        var leaf = (await model.Open(_pages).FindPagesAsync(0, [2], CancellationToken.None))[0];
        _pages.Lose(leaf);

        var error = await Assert.ThrowsAsync<CorruptDataException>(
            async () => await model.Open(_pages).FindAsync(600, CancellationToken.None));

        Assert.Contains(leaf.ToString(), error.Message, StringComparison.Ordinal);
    }

    private Task<MapModel> FilledAsync(int blocks)
    {
        var random = new Random(blocks);
        return MapModel.BuildAsync(
            _pages,
            MapModel.Sized(blocks),
            Enumerable.Range(0, blocks).ToDictionary(index => (long)index, _ => MapModel.RandomId(random)));
    }
}
