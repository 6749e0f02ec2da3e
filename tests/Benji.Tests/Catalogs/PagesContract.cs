using Benji.Store.Catalogs;
using Benji.Store.Model;
using Xunit;

namespace Benji.Tests.Catalogs;

/// <summary>What every catalog's map pages must do.</summary>
public abstract class PagesContract : CatalogContract
{
    [Theory]
    [InlineData(0)]
    [InlineData(32)]
    [InlineData(BlockGeometry.PageSize - 1)]
    [InlineData(BlockGeometry.PageSize)]
    public async Task APageComesBackWithEveryByte(int used)
    {
        var content = new byte[BlockGeometry.PageSize];
        new Random(used).NextBytes(content.AsSpan(0, used));
        var page = Row(1) with { Content = content, Level = 5, Storage = "other", State = ReferenceState.Candidate };
        await WriteAsync(catalog => catalog.BlockMaps.Put([page]));
        await ReopenAsync();

        var found = Assert.Single(await FindAsync(page.Id));

        Assert.Equal(page.Content, found!.Content);
        Assert.Equal(page, found with { Content = page.Content });
    }

    [Fact]
    public async Task FindKeepsTheOrderAndAnswersNullForWhatIsMissing()
    {
        await WriteAsync(catalog => catalog.BlockMaps.Put([Row(3), Row(1), Row(2)]));

        var found = await FindAsync(Id(2), Id(9), Id(1), Id(2));

        Assert.Equal([Id(2), null, Id(1), Id(2)], found.Select(page => page?.Id));
    }

    [Fact]
    public async Task PutReplacesAndRemoveTakesAway()
    {
        await WriteAsync(catalog => catalog.BlockMaps.Put([Row(1), Row(2)]));
        await WriteAsync(catalog => catalog.BlockMaps.Put([Row(1) with { Storage = "moved", State = ReferenceState.Orphan }]));
        await WriteAsync(catalog => catalog.BlockMaps.Remove([Id(2), Id(9)]));

        var found = await FindAsync(Id(1), Id(2));

        Assert.Equal(("moved", ReferenceState.Orphan), (found[0]!.Storage, found[0]!.State));
        Assert.Null(found[1]);
    }

    [Fact]
    public async Task SetStateChangesStateAndTimeOnly()
    {
        await WriteAsync(catalog => catalog.BlockMaps.Put([Row(1), Row(2)]));
        var later = Clock.GetUtcNow().AddTicks(1);
        await WriteAsync(catalog => catalog.BlockMaps.SetState([Id(2), Id(9)], ReferenceState.Deleting, later));

        var found = await FindAsync(Id(1), Id(2), Id(9));

        Assert.Equal(ReferenceState.Live, found[0]!.State);
        Assert.Equal((ReferenceState.Deleting, later), (found[1]!.State, found[1]!.Since));
        Assert.Equal(Row(2).Content, found[1]!.Content);
        Assert.Null(found[2]);
    }

    [Fact]
    public async Task ScanWalksAllInTheOrderOfIds()
    {
        var numbers = Enumerable.Range(0, 300).Select(i => i * 7).ToArray();
        new Random(5).Shuffle(numbers);
        await WriteAsync(catalog => catalog.BlockMaps.Put([.. numbers.Select(Row)]));

        var walked = new List<ReferenceRow<PageId>>();
        for (PageId? after = null; ;)
        {
            var batch = await ReadAsync(catalog => catalog.BlockMaps.Scan(after, 64));
            if (batch.Count == 0)
            {
                break;
            }

            walked.AddRange(batch);
            after = batch[^1].Id;
        }

        Assert.Equal(
            numbers.Order().Select(i => new ReferenceRow<PageId>(Id(i), "storage", ReferenceState.Live, Clock.GetUtcNow())),
            walked);
    }

    private MapPageRow Row(int number)
    {
        var content = new byte[BlockGeometry.PageSize];
        new Random(number).NextBytes(content);
        return new MapPageRow(Id(number), "storage", 1, content, ReferenceState.Live, Clock.GetUtcNow());
    }

    private static PageId Id(int number) => new(HashOf(number));

    private Task<IReadOnlyList<MapPageRow?>> FindAsync(params PageId[] ids) =>
        ReadAsync(catalog => catalog.BlockMaps.Find(ids));
}
