using Benji.Store.Catalogs;
using Benji.Store.Model;
using Benji.Testing.Catalogs;
using Xunit;

namespace Benji.Tests.Catalogs;

/// <summary>What every catalog's block references must do.</summary>
public abstract class BlocksContract : CatalogContract
{
    [Fact]
    public async Task RowsComeBackInTheOrderAskedForWithEveryField()
    {
        var whole = Row(5);
        var delta = Row(3) with
        {
            Storage = "other",
            Form = BlockForm.Delta,
            Length = BlockGeometry.BlockSizeMax,
            Allocated = 12_345,
            StoredLength = 1L << 40,
            Loans = SampleLoans.Of(BlockGeometry.BlockSizeMax, Id(1), Id(9), Id(2), Id(8)),
            Own = FrameSet.All(BlockGeometry.FrameCount(BlockGeometry.BlockSizeMax)),
            State = ReferenceState.Orphan,
            Since = new DateTimeOffset(639_000_000_123_456_789, TimeSpan.Zero),
        };
        await WriteAsync(catalog => catalog.BlockReferences.Put([whole, delta]));
        await ReopenAsync();

        var found = await FindAsync(Id(3), Id(4), Id(5), Id(3));

        AssertEqual([delta, null, whole, delta], found);
    }

    [Fact]
    public async Task AnEmptyBatchIsNothing()
    {
        await WriteAsync(catalog =>
        {
            catalog.BlockReferences.Put([]);
            catalog.BlockReferences.Remove([]);
            catalog.BlockReferences.SetInvalid([], isInvalid: true);
            catalog.BlockReferences.SetState([], ReferenceState.Candidate, Clock.GetUtcNow());
        });

        Assert.Empty(await FindAsync());
        Assert.Empty(await ReadAsync(catalog => catalog.BlockReferences.Scan(null, 10)));
    }

    [Fact]
    public async Task PutReplacesWhatIsThere()
    {
        await WriteAsync(catalog => catalog.BlockReferences.Put([Row(1), Row(2)]));
        var longer = Row(1) with { Form = BlockForm.Delta, Loans = SampleLoans.Of(4 << 20, Id(7), Id(8)) };
        await WriteAsync(catalog => catalog.BlockReferences.Put([longer, Row(3)]));

        AssertEqual([longer, Row(2), Row(3)], await FindAsync(Id(1), Id(2), Id(3)));
    }

    [Fact]
    public async Task SetStateChangesStateAndTimeOnly()
    {
        var delta = Row(1) with { Loans = SampleLoans.Of(4 << 20, Id(7)), IsInvalid = true };
        await WriteAsync(catalog => catalog.BlockReferences.Put([delta, Row(2)]));
        var later = Clock.GetUtcNow().AddHours(1);

        await WriteAsync(catalog =>
            catalog.BlockReferences.SetState([Id(1), Id(99)], ReferenceState.Deleting, later));

        var changed = delta with { State = ReferenceState.Deleting, Since = later };
        AssertEqual([changed, Row(2), null], await FindAsync(Id(1), Id(2), Id(99)));
    }

    [Fact]
    public async Task InvalidBlocksAreListedUntilTheyAreSoundReplacedOrRemoved()
    {
        await WriteAsync(catalog => catalog.BlockReferences.Put([.. Enumerable.Range(1, 9).Select(Row)]));
        Assert.Empty(await InvalidAsync());

        await WriteAsync(catalog =>
        {
            catalog.BlockReferences.SetInvalid([Id(6), Id(2), Id(4), Id(99)], isInvalid: true);
            catalog.BlockReferences.Put([Row(8) with { IsInvalid = true }]);
        });
        Assert.Equal([Id(2), Id(4), Id(6), Id(8)], (await InvalidAsync()).OrderBy(id => id.Hash));
        Assert.True((await FindAsync(Id(6)))[0]!.IsInvalid);
        Assert.False((await FindAsync(Id(5)))[0]!.IsInvalid);

        await WriteAsync(catalog => catalog.BlockReferences.SetInvalid([Id(2), Id(3)], isInvalid: false));
        await WriteAsync(catalog => catalog.BlockReferences.Put([Row(4)]));
        await WriteAsync(catalog => catalog.BlockReferences.Remove([Id(6)]));
        Assert.Equal([Id(8)], await InvalidAsync());
        AssertEqual([Row(2) with { Marks = 1 }, Row(4), null], await FindAsync(Id(2), Id(4), Id(6)));
    }

    [Fact]
    public async Task RemoveTakesOnlyWhatIsNamed()
    {
        await WriteAsync(catalog => catalog.BlockReferences.Put([Row(1), Row(2), Row(3)]));
        await WriteAsync(catalog => catalog.BlockReferences.Remove([Id(3), Id(1), Id(77)]));

        AssertEqual([null, Row(2), null], await FindAsync(Id(1), Id(2), Id(3)));
    }

    [Fact]
    public async Task ScanWalksAllInTheOrderOfIds()
    {
        var random = new Random(11);
        var rows = Enumerable.Range(0, 700).Select(_ => Row(random.Next())).DistinctBy(row => row.Id).ToArray();
        var edge = Row(0) with { Id = new BlockId(new Hash256([.. Enumerable.Repeat((byte)255, 32)])) };
        await WriteAsync(catalog => catalog.BlockReferences.Put([.. rows, edge]));

        var walked = new List<BlockRow>();
        for (BlockId? after = null; ;)
        {
            var batch = await ReadAsync(catalog => catalog.BlockReferences.Scan(after, 100));
            if (batch.Count == 0)
            {
                break;
            }

            Assert.True(batch.Count <= 100);
            walked.AddRange(batch);
            after = batch[^1].Id;
        }

        AssertEqual(rows.Append(edge).OrderBy(row => row.Id.Hash).ToArray(), walked);
    }

    [Fact]
    public async Task ManyChangesOfNeighboursByTwoObjectsLeaveWhatAModelHolds()
    {
        var another = await OpenAnotherAsync();
        var random = new Random(5);
        var model = new SortedDictionary<Hash256, BlockRow>();
        for (var round = 0; round < 60; round++)
        {
            BlockRow[] put = [.. Enumerable.Range(0, random.Next(40)).Select(_ => Neighbour(random))];
            BlockId[] removed = [.. model.Keys.Where(_ => random.Next(6) == 0).Select(hash => new BlockId(hash))];
            ICatalog[] objects = random.Next(2) == 0 ? [Catalog, another] : [another, Catalog];
            await WriteAsync(objects[0], catalog =>
            {
                catalog.BlockReferences.Put(put);
                catalog.BlockReferences.Remove(removed);
            });
            Array.ForEach(put, row => model[row.Id.Hash] = row);
            Array.ForEach(removed, id => model.Remove(id.Hash));
            await FailAsync(objects[random.Next(2)], catalog => catalog.BlockReferences.Put([Neighbour(random)]));

            BlockId[] ids = [.. model.Keys.Select(hash => new BlockId(hash)), .. removed];
            BlockRow?[] expected = [.. ids.Select(id => model.GetValueOrDefault(id.Hash))];
            AssertEqual(expected, await objects[1].ReadAsync(t => t.BlockReferences.Find(ids), CancellationToken.None));
            AssertEqual(expected, await objects[0].ReadAsync(t => t.BlockReferences.Find(ids), CancellationToken.None));
        }

        AssertEqual([.. model.Values], await ReadAsync(catalog => catalog.BlockReferences.Scan(null, 10_000)));
    }

    private static Task FailAsync(ICatalog catalog, Action<ICatalogTransaction> work) =>
        Assert.ThrowsAsync<TimeoutException>(() => WriteAsync(catalog, transaction =>
        {
            work(transaction);
            throw new TimeoutException("of the work's own");
        }));

    // One of 300 ids, which have no more than three beginnings of two bytes.
    private BlockRow Neighbour(Random random)
    {
        var id = new byte[Hash256.Size];
        (id[1], id[2], id[^1]) = ((byte)random.Next(3), (byte)random.Next(100), 1);
        return Row(random.Next(100)) with
        {
            Id = new BlockId(new Hash256(id)),
            Loans = SampleLoans.Of(4 << 20, Enumerable.Range(1, random.Next(5)).Select(Id)),
            Own = random.Next(2) == 0 ? null : FrameSet.FromBits(64, BitConverter.GetBytes(random.NextInt64())),
        };
    }

    private BlockRow Row(int number) => new(
        Id(number), "storage", BlockForm.Whole, 4 << 20, 1 << 20, 1234 + (number % 100), [], null, false, ReferenceState.Live, Clock.GetUtcNow());

    private static BlockId Id(int number) => new(HashOf(number));

    private Task<IReadOnlyList<BlockRow?>> FindAsync(params BlockId[] ids) =>
        ReadAsync(catalog => catalog.BlockReferences.Find(ids));

    private Task<IReadOnlyList<BlockId>> InvalidAsync() => ReadAsync(catalog => catalog.BlockReferences.ListInvalid());

    private static void AssertEqual(IReadOnlyList<BlockRow?> expected, IReadOnlyList<BlockRow?> found)
    {
        Assert.Equal(expected.Select(row => row?.Loans ?? []), found.Select(row => row?.Loans ?? []));
        Assert.Equal(expected.Select(WithoutLoans), found.Select(WithoutLoans));
    }

    private static BlockRow? WithoutLoans(BlockRow? row) => row is null ? null : row with { Loans = [] };
}
