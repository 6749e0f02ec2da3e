using Benji.Store.Blocks;
using Benji.Store.Blocks.Sealing;
using Benji.Store.Blocks.Writing;
using Benji.Store.Catalogs;
using Benji.Store.Model;
using Benji.Testing.Blocks;
using Xunit;

namespace Benji.Tests.Blocks.Writing;

/// <summary>What happens between the plan of a block and its row: nobody's mark is written over, and no lender is trusted
/// that changed.</summary>
public class BlockRecordingTests
{
    private static readonly BlockRow Row = new(
        new BlockId(new Hash256([.. Enumerable.Repeat((byte)1, 32)])), "main", BlockForm.Whole, 100, 100, 50, [], null, false,
        ReferenceState.Live, new DateTimeOffset(2100, 1, 1, 0, 0, 0, TimeSpan.Zero));

    private static readonly BlockRow Delta = Row with { Form = BlockForm.Delta, StoredLength = 20 };

    /// <summary>The row that was put, seen and is there, and whether it may be recorded.</summary>
    [Fact]
    public void ARowIsRecordedOverWhatWasSeen()
    {
        var marked = Row.Marked();
        (BlockRow Put, BlockRow? Seen, BlockRow? Now, bool MayRecord)[] cases =
        [
            (Row, null, null, true),
            (Delta, null, null, true),
            (Row, Row, null, false),
            (Row, null, Row with { State = ReferenceState.Orphan }, true),
            (Delta, null, Row with { State = ReferenceState.Orphan }, true),
            (Delta, null, Row, false),
            (Delta, null, Delta, false),
            (Row, null, Row, true),
            (Row, null, Delta, true),
            (Row, null, Row with { StoredLength = 51 }, false),
            (Row, null, marked, false),
            (Row, Row, marked, false),
            (Row, marked, marked, true),
            (Row, marked, marked.Marked(), false),
            (Row, marked, marked with { IsInvalid = false }, true),
            (Row, marked, marked with { IsInvalid = false, StoredLength = 51 }, false),
            (Row, marked, marked with { IsInvalid = false, Marks = 2 }, false),
            (Row, null, Row with { State = ReferenceState.Deleting }, false),
            (Row, marked, marked with { Storage = "other" }, false),
        ];

        foreach (var (put, seen, now, mayRecord) in cases)
        {
            Assert.True(mayRecord == BlockRecording.MayRecord(put, seen, now), $"{put} {seen} {now}");
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task ALenderThatIsMarkedMeanwhileIsNotBorrowedFrom(bool isBeforeTheReservation)
    {
        await using var bench = await WriterBench.OpenAsync();
        await AssertStoredWholeAsync(
            bench, isBeforeTheReservation, lender => bench.MarkAsync(lender), isWhole: true);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task ALenderThatIsAnotherDeltaMeanwhileIsNotBorrowedFrom(bool isBeforeTheReservation)
    {
        await using var bench = await WriterBench.OpenAsync();
        var third = (await bench.WriteAsync(DeltaCast.Input("ab.."))).Id;
        await AssertStoredWholeAsync(
            bench,
            isBeforeTheReservation,
            async lender =>
            {
                await bench.ChangeAsync(t => t.BlockReferences.Remove([lender]));
                await bench.Bench.Storage.DeleteAsync(
                    [ObjectNames.Block(lender, BlockForm.Whole)], CancellationToken.None);
                Assert.Equal(BlockOutcomeKind.StoredDelta, (await bench.WriteAsync(DeltaCast.Input("abcd", third))).Kind);
            },
            isWhole: true);
    }

    [Fact]
    public async Task ALenderThatIsHealedMeanwhileLends()
    {
        await using var bench = await WriterBench.OpenAsync();
        await AssertStoredWholeAsync(
            bench,
            isBeforeTheReservation: true,
            async lender =>
            {
                await bench.MarkAsync(lender);
                Assert.Equal(BlockOutcomeKind.StoredWhole, (await bench.WriteAsync(DeltaCast.Input("abcd"))).Kind);
            },
            isWhole: false);
    }

    [Fact]
    public async Task ABlockThatIsMarkedAgainWhileItIsHealedIsStoredOnceMore()
    {
        await using var bench = await WriterBench.OpenAsync();
        var id = (await bench.WriteAsync(DeltaCast.Input("abcd"))).Id;
        await bench.MarkAsync(id);
        var commits = 0;
        bench.Bench.Storage.AfterCommit = async () =>
        {
            if (++commits == 1)
            {
                await bench.MarkAsync(id);
            }
            else
            {
                Assert.True((await bench.RowAsync(id))!.IsInvalid);
            }
        };

        await bench.WriteAsync(DeltaCast.Input("abcd"));

        var row = (await bench.RowAsync(id))!;
        Assert.Equal((2, false, 2), (commits, row.IsInvalid, row.Marks));
    }

    [Fact]
    public async Task ARowOfAnotherObjectThanThereIsIsNotBelieved()
    {
        await using var bench = await WriterBench.OpenAsync();
        await using var lane = bench.NewWriter().StartLane();
        var id = (await lane.WriteAsync(DeltaCast.Input("abcd"), CancellationToken.None)).Id;

        // Another run put the block too, before this one did, and records it first.
        bench.Bench.Storage.AfterCommit = async () =>
        {
            bench.Bench.Storage.AfterCommit = null;
            await bench.ChangeAsync(t => t.BlockReferences.Put(
                [Row with { Id = id, Length = DeltaCast.Length, StoredLength = 12345, Since = bench.Clock.GetUtcNow() }]));
        };

        await lane.CompleteAsync(CancellationToken.None);

        Assert.Equal(bench.ObjectOf(id, BlockForm.Whole)!.Length, (await bench.RowAsync(id))!.StoredLength);
    }

    [Fact]
    public async Task ABlockThatIsMarkedEveryTimeFailsTheRun()
    {
        await using var bench = await WriterBench.OpenAsync();
        var id = (await bench.WriteAsync(DeltaCast.Input("abcd"))).Id;
        await bench.MarkAsync(id);
        bench.Bench.Storage.AfterCommit = () => bench.MarkAsync(id);

        var failure = await Assert.ThrowsAsync<StorageException>(() => bench.WriteAsync(DeltaCast.Input("abcd")));

        Assert.Contains(id.ToString(), failure.Message, StringComparison.Ordinal);
        Assert.True((await bench.RowAsync(id))!.IsInvalid);
    }

    [Fact]
    public async Task ASourceThatChangedMeanwhileFailsTheRun()
    {
        await using var bench = await WriterBench.OpenAsync();
        var lender = (await bench.WriteAsync(DeltaCast.Input("abcd"))).Id;
        var input = DeltaCast.Input("abcx", lender);
        await using var lane = bench.NewWriter().StartLane();
        var id = (await lane.WriteAsync(input, CancellationToken.None)).Id;
        await bench.MarkAsync(lender);
        ((CountingFiller)input.Filler!).Content[5] ^= 1;

        await Assert.ThrowsAsync<InputDataException>(() => lane.CompleteAsync(CancellationToken.None));

        Assert.Null(await bench.RowAsync(id));
    }

    [Fact]
    public async Task WhatNobodyCanReadAgainIsKept()
    {
        await using var bench = await WriterBench.OpenAsync();
        var lender = (await bench.WriteAsync(DeltaCast.Input("abcd"))).Id;
        var input = DeltaCast.Input("abcx", lender) with { Filler = null };
        await using var lane = bench.NewWriter().StartLane();
        var id = (await lane.WriteAsync(input, CancellationToken.None)).Id;
        input.Content.Span.Clear();
        await bench.MarkAsync(lender);

        await lane.CompleteAsync(CancellationToken.None);

        Assert.Equal(DeltaCast.Of("abcx"), (await bench.Bench.ReadBlockAsync(id, DeltaCast.Length)).Bytes);
    }

    [Fact]
    public async Task WhoWasToldThatABlockIsOnItsWayFindsItWhole()
    {
        await using var bench = await WriterBench.OpenAsync();
        var lender = (await bench.WriteAsync(DeltaCast.Input("abcd"))).Id;
        var writer = bench.NewWriter();
        await using var first = writer.StartLane();
        await using var second = writer.StartLane();
        var id = (await first.WriteAsync(DeltaCast.Input("abcx", lender), CancellationToken.None)).Id;
        Assert.Equal(
            BlockOutcomeKind.Deduplicated,
            (await second.WriteAsync(DeltaCast.Input("abcx", lender), CancellationToken.None)).Kind);
        await second.CompleteAsync(CancellationToken.None);
        await bench.MarkAsync(lender);

        await first.CompleteAsync(CancellationToken.None);

        Assert.Equal((BlockForm.Whole, false), ((await bench.RowAsync(id))!.Form, (await bench.RowAsync(id))!.IsInvalid));
    }

    [Theory]
    [InlineData(2, 0, true)]
    [InlineData(64, 0, false)]
    [InlineData(64, -1000, true)]
    [InlineData(1024, 0, false)]
    public async Task BlocksOfAllSizesAreStoredAgain(int frames, int more, bool isEncrypted)
    {
        await using var bench = await WriterBench.OpenAsync(isEncrypted);
        var content = Plaintext.Noise(new Random(frames), (frames * BlockGeometry.FrameSize) + more);
        var lender = (await bench.WriteAsync(content)).Id;
        content[^1] ^= 1;
        var input = WriterBench.Partial(content, lender, new CountingFiller(content), frames - 1);
        await using var lane = bench.NewWriter().StartLane();
        var outcome = await lane.WriteAsync(input, CancellationToken.None);
        Assert.Equal(BlockOutcomeKind.StoredDelta, outcome.Kind);
        await bench.MarkAsync(lender);

        await lane.CompleteAsync(CancellationToken.None);

        await bench.Bench.Storage.DeleteAsync([ObjectNames.Block(lender, BlockForm.Whole)], CancellationToken.None);
        bench.Bench.Restart();
        Assert.Equal(content, (await bench.Bench.ReadBlockAsync(outcome.Id, content.Length)).Bytes);
    }

    /// <summary>Plans "abcx" over "abcd", lets something happen to the lender, completes.</summary>
    private static async Task AssertStoredWholeAsync(
        WriterBench bench, bool isBeforeTheReservation, Func<BlockId, Task> change, bool isWhole)
    {
        var lender = (await bench.WriteAsync(DeltaCast.Input("abcd"))).Id;
        await using var lane = bench.NewWriter().StartLane();
        var id = (await lane.WriteAsync(DeltaCast.Input("abcx", lender), CancellationToken.None)).Id;
        if (isBeforeTheReservation)
        {
            await change(lender);
        }
        else
        {
            bench.Bench.Storage.AfterCommit = async () =>
            {
                bench.Bench.Storage.AfterCommit = null;
                await change(lender);
            };
        }

        await lane.CompleteAsync(CancellationToken.None);

        Assert.Equal(isWhole ? BlockForm.Whole : BlockForm.Delta, (await bench.RowAsync(id))!.Form);
        bench.Bench.Restart();
        Assert.Equal(DeltaCast.Of("abcx"), (await bench.Bench.ReadBlockAsync(id, DeltaCast.Length)).Bytes);
    }
}
