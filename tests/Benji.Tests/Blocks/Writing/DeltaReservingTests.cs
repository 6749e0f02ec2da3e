using Benji.Store.Blocks;
using Benji.Store.Blocks.Sealing;
using Benji.Store.Blocks.Writing;
using Benji.Store.Catalogs;
using Benji.Store.Model;
using Benji.Testing.Blocks;
using Xunit;

namespace Benji.Tests.Blocks.Writing;

/// <summary>A delta is never put over another object of its id, whoever puts that, and whenever it dies.</summary>
public class DeltaReservingTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task TwoRunsPlanOneBlockOverTwoBases(bool isEncrypted)
    {
        await using var bench = await WriterBench.OpenAsync(isEncrypted);
        var (one, other) = await PutBasesAsync(bench);
        var revised = new List<BlockOutcomeKind>();
        await using var first = bench.NewWriter().StartLane();
        await using var second = bench.NewWriter().StartLane((_, _, settled) => revised.Add(settled.Kind));
        var id = await PlanAsync(first, "abcd", one);
        Assert.Equal(id, await PlanAsync(second, "abcd", other));

        await first.CompleteAsync(CancellationToken.None);
        var put = bench.ObjectOf(id, BlockForm.Delta);
        await second.CompleteAsync(CancellationToken.None);

        Assert.Equal([BlockOutcomeKind.Deduplicated], revised);
        Assert.Equal(put, bench.ObjectOf(id, BlockForm.Delta));
        Assert.Equal([one], (await bench.RowAsync(id))!.Lenders);
        await AssertReadsAsync(bench, id, "abcd");
        Assert.Empty(await ReservationsAsync(bench));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task WhoComesBetweenReservationAndRowStoresItWhole(int others)
    {
        await using var bench = await WriterBench.OpenAsync();
        var (one, other) = await PutBasesAsync(bench);
        await using var lane = bench.NewWriter().StartLane();
        var id = await PlanAsync(lane, "abcd", one);
        bench.Bench.Storage.AfterCommit = async () =>
        {
            bench.Bench.Storage.AfterCommit = null;
            var put = bench.ObjectOf(id, BlockForm.Delta);
            for (var i = 0; i < others; i++)
            {
                var kinds = new List<BlockOutcomeKind>();
                await using var another = bench.NewWriter().StartLane((_, _, settled) => kinds.Add(settled.Kind));
                var answered = await another.WriteAsync(DeltaCast.Input("abcd", other), CancellationToken.None);
                await another.CompleteAsync(CancellationToken.None);
                Assert.Equal(
                    i == 0 ? BlockOutcomeKind.StoredWhole : BlockOutcomeKind.Deduplicated,
                    kinds.Count > 0 ? kinds[^1] : answered.Kind);
            }

            Assert.Equal(put, bench.ObjectOf(id, BlockForm.Delta));
        };

        await lane.CompleteAsync(CancellationToken.None);

        Assert.Equal(BlockForm.Whole, (await bench.RowAsync(id))!.Form);
        await bench.Bench.Storage.DeleteAsync([ObjectNames.Block(one, BlockForm.Whole)], CancellationToken.None);
        await AssertReadsAsync(bench, id, "abcd");
    }

    [Fact]
    public async Task TheDeltaOfAnotherCatalogStaysWhatItIs()
    {
        await using var bench = await WriterBench.OpenAsync();
        var (one, _) = await PutBasesAsync(bench);
        var revised = new List<BlockOutcomeKind>();
        await using var lane = bench.NewWriter().StartLane((_, _, settled) => revised.Add(settled.Kind));
        var id = await PlanAsync(lane, "abcd", one);

        // No row, no reservation and no doubt tells this catalog of it.
        await bench.Bench.Storage.PutAsync(ObjectNames.Block(id, BlockForm.Delta), new byte[99], CancellationToken.None);
        await lane.CompleteAsync(CancellationToken.None);

        Assert.Equal([BlockOutcomeKind.StoredWhole], revised);
        Assert.Equal(99, bench.ObjectOf(id, BlockForm.Delta)!.Length);
        Assert.Equal(BlockForm.Whole, (await bench.RowAsync(id))!.Form);
        await AssertReadsAsync(bench, id, "abcd");
        Assert.Empty(await ReservationsAsync(bench));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task TheReservationOfADeadRunCounts(bool hasPut)
    {
        await using var bench = await WriterBench.OpenAsync();
        var (one, other) = await PutBasesAsync(bench);
        var id = await DieAsync(bench, DeltaCast.Input("abcd", one), hasPut);
        var put = bench.ObjectOf(id, BlockForm.Delta);
        Assert.Equal(hasPut, put is not null);

        await bench.WriteAsync(DeltaCast.Input("abcd", other));

        Assert.Equal(put, bench.ObjectOf(id, BlockForm.Delta));
        Assert.Equal(BlockForm.Whole, (await bench.RowAsync(id))!.Form);
        await AssertReadsAsync(bench, id, "abcd");
    }

    [Theory]
    [InlineData(BlockForm.Whole)]
    [InlineData(BlockForm.Delta)]
    public async Task WhereAStorageHoldsStraysADeltaWaitsForALook(object form)
    {
        await using var bench = await WriterBench.OpenAsync();
        var (one, other) = await PutBasesAsync(bench);
        var id = await DieAsync(
            bench, DeltaCast.Input("abcd", (BlockForm)form == BlockForm.Whole ? BlockId.Hole : one), hasPut: true);
        var put = bench.ObjectOf(id, BlockForm.Delta);
        await bench.ChangeAsync(t => Array.ForEach([.. t.DeltaReservations.List()], old => t.DeltaReservations.Remove(old.Id)));
        await bench.BindAsync(holdsStrays: true);

        await bench.WriteAsync(DeltaCast.Input("abcd", other));

        Assert.Equal(put, bench.ObjectOf(id, BlockForm.Delta));
        Assert.Equal(BlockForm.Whole, (await bench.RowAsync(id))!.Form);
        await AssertReadsAsync(bench, id, "abcd");

        // Where none is there, it costs two look-ups, each with a look for the storage itself, and no more.
        var finds = bench.Bench.Storage.Finds;
        Assert.Equal(BlockOutcomeKind.StoredDelta, (await bench.WriteAsync(DeltaCast.Input("efcd", other))).Kind);
        Assert.Equal(finds + 4, bench.Bench.Storage.Finds);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task ARunWhoseReservationIsGoneRecordsNothing(bool isBeforeThePut)
    {
        await using var bench = await WriterBench.OpenAsync();
        var (one, _) = await PutBasesAsync(bench);
        await using var lane = bench.NewWriter().StartLane();
        var id = await PlanAsync(lane, "abcd", one);
        Func<Task> forget = () => bench.ChangeAsync(t => t.DeltaReservations.Remove(t.DeltaReservations.List()[0].Id));
        bench.Bench.Storage.BeforeCommit = isBeforeThePut ? _ => forget() : null;
        bench.Bench.Storage.AfterCommit = isBeforeThePut ? null : forget;

        await Assert.ThrowsAsync<LeaseLostException>(() => lane.CompleteAsync(CancellationToken.None));

        Assert.Null(await bench.RowAsync(id));
    }

    [Fact]
    public async Task OneTransactionReservesAGroup()
    {
        await using var bench = await WriterBench.OpenAsync();
        var over = (await bench.WriteAsync(DeltaCast.Input("abcd"))).Id;
        await using var lane = bench.NewWriter().StartLane();
        foreach (var last in "efghi")
        {
            await PlanAsync(lane, $"abc{last}", over);
        }

        var writes = bench.Catalog.Writes;
        bench.Bench.Storage.BeforeCommit = async _ =>
            Assert.Equal(5, Assert.Single(await ReservationsAsync(bench)).Blocks.Count);
        await lane.CompleteAsync(CancellationToken.None);

        Assert.Equal(writes + 2, bench.Catalog.Writes);
        Assert.Empty(await ReservationsAsync(bench));
    }

    [Fact]
    public async Task OneRunHasOneReservationForAllItsGroups()
    {
        await using var bench = await WriterBench.OpenAsync();
        var over = (await bench.WriteAsync(DeltaCast.Input("abcd"))).Id;
        var reserving = NewReserving(bench);
        Assert.Equal([true], await reserving.ReserveAsync([RowOf(IdOf(1), over)], CancellationToken.None));
        Assert.Equal(
            [true, true],
            await reserving.ReserveAsync([RowOf(IdOf(2), over), RowOf(IdOf(3), over)], CancellationToken.None));
        Assert.Equal([IdOf(1), IdOf(2), IdOf(3)], Assert.Single(await ReservationsAsync(bench)).Blocks);

        await bench.ChangeAsync(t => t.DeltaReservations.Remove(reserving.Current!.Value));
        await Assert.ThrowsAsync<LeaseLostException>(
            () => reserving.ReserveAsync([RowOf(IdOf(4), over)], CancellationToken.None));
        Assert.Empty(await ReservationsAsync(bench));
    }

    [Fact]
    public async Task NeitherWhatIsRecordedNorWhatBorrowsFromTheLostIsReserved()
    {
        await using var bench = await WriterBench.OpenAsync();
        var over = (await bench.WriteAsync(DeltaCast.Input("abcd"))).Id;
        var recorded = (await bench.WriteAsync(DeltaCast.Input("abcx"))).Id;
        var lost = (await bench.WriteAsync(DeltaCast.Input("efgh"))).Id;
        await bench.MarkAsync(lost);

        var granted = await NewReserving(bench).ReserveAsync(
            [RowOf(recorded, over), RowOf(IdOf(1), lost), RowOf(IdOf(2), over)], CancellationToken.None);

        Assert.Equal([false, false, true], granted);
        Assert.Equal([IdOf(2)], Assert.Single(await ReservationsAsync(bench)).Blocks);
    }

    private static DeltaReserving NewReserving(WriterBench bench)
    {
        var run = new StoringRun(99, bench.Clock.GetUtcNow());
        var ledger = new BlockLedger(bench.Bench.Store, bench.Catalog, run, bench.Clock);
        return new DeltaReserving(bench.Bench.Store, bench.Catalog, ledger, run);
    }

    private static BlockId IdOf(byte number) => new(new Hash256([.. Enumerable.Repeat(number, Hash256.Size)]));

    private static BlockRow RowOf(BlockId id, BlockId lender)
    {
        var (lent, own) = (new FrameSet(DeltaCast.Frames), new FrameSet(DeltaCast.Frames));
        lent.Add(0);
        own.Add(1);
        return new BlockRow(
            id, "main", BlockForm.Delta, DeltaCast.Length, 1, 1, [new Loan(lender, lent)], own, false, ReferenceState.Live, default);
    }

    /// <summary>Two blocks of which each shares half of "abcd".</summary>
    private static async Task<(BlockId One, BlockId Other)> PutBasesAsync(WriterBench bench) => (
        (await bench.WriteAsync(DeltaCast.Input("abxx"))).Id, (await bench.WriteAsync(DeltaCast.Input("yycd"))).Id);

    private static async Task<BlockId> PlanAsync(BlockWriterLane lane, string letters, BlockId over)
    {
        var outcome = await lane.WriteAsync(DeltaCast.Input(letters, over), CancellationToken.None);
        Assert.Equal(BlockOutcomeKind.StoredDelta, outcome.Kind);
        return outcome.Id;
    }

    /// <summary>A run that is killed before or after its objects got their names, and before their rows.</summary>
    private static async Task<BlockId> DieAsync(WriterBench bench, BlockInput input, bool hasPut)
    {
        var lane = bench.NewWriter().StartLane();
        var id = (await lane.WriteAsync(input, CancellationToken.None)).Id;
        bench.Bench.Storage.BeforeCommit = hasPut ? null : _ => throw new TimeoutException("killed");
        bench.Bench.Storage.AfterCommit = hasPut ? () => throw new TimeoutException("killed") : null;
        await Assert.ThrowsAsync<TimeoutException>(() => lane.CompleteAsync(CancellationToken.None));
        bench.Bench.Storage.BeforeCommit = null;
        bench.Bench.Storage.AfterCommit = null;
        return id;
    }

    private static async Task AssertReadsAsync(WriterBench bench, BlockId id, string letters)
    {
        bench.Bench.Restart();
        Assert.Equal(DeltaCast.Of(letters), (await bench.Bench.ReadBlockAsync(id, DeltaCast.Length)).Bytes);
    }

    private static Task<IReadOnlyList<DeltaReservation>> ReservationsAsync(WriterBench bench) =>
        bench.Catalog.ReadAsync(transaction => transaction.DeltaReservations.List(), CancellationToken.None);
}
