using Benji.Store.Blocks;
using Benji.Store.Blocks.Sealing;
using Benji.Store.Catalogs;
using Benji.Store.Model;
using Benji.Testing.Blocks;
using Benji.Testing.Catalogs;
using Xunit;

namespace Benji.Tests.Blocks.Writing;

/// <summary>Which rows a run relies on: lenders that own what they lend, and objects that are there where there is doubt.</summary>
public class BlockLedgerTests
{
    [Fact]
    public Task ALenderThatIsWholeAgainLends() => AssertLendsAsync(row => row with { Own = null }, true);

    [Fact]
    public Task ALenderThatIsACandidateLends() =>
        AssertLendsAsync(row => row with { State = ReferenceState.Candidate }, true);

    [Fact]
    public Task ALenderThatIsADeltaOfTheseFramesLends() =>
        AssertLendsAsync(row => row with { Form = BlockForm.Delta, Own = SetOf(0, 1, 2) }, true);

    [Fact]
    public Task ALenderThatIsADeltaOfOtherFramesDoesNot() =>
        AssertLendsAsync(row => row with { Form = BlockForm.Delta, Own = SetOf(0, 1, 3) }, false);

    [Fact]
    public Task ALenderOfWhichNothingIsKnownDoesNot() =>
        AssertLendsAsync(row => row with { Form = BlockForm.Delta, Own = null }, false);

    [Fact]
    public Task AMarkedLenderDoesNot() => AssertLendsAsync(row => row with { IsInvalid = true }, false);

    [Fact]
    public Task ALenderInAnotherStorageDoesNot() => AssertLendsAsync(row => row with { Storage = "other" }, false);

    [Fact]
    public Task ALenderOfAnotherLengthDoesNot() => AssertLendsAsync(row => row with { Length = row.Length - 1 }, false);

    [Fact]
    public Task AnOrphanDoesNotLend() => AssertLendsAsync(row => row with { State = ReferenceState.Orphan }, false);

    [Fact]
    public Task ALenderThatIsBeingDeletedDoesNot() =>
        AssertLendsAsync(row => row with { State = ReferenceState.Deleting }, false);

    [Fact]
    public Task ALenderWithoutARowDoesNot() => AssertLendsAsync(_ => null, false);

    [Fact]
    public async Task ALenderThatCameBackAsAnotherDeltaIsNotBorrowedFromAnyMore()
    {
        await using var bench = await WriterBench.OpenAsync();
        var lender = (await bench.WriteAsync(DeltaCast.Input("abcd"))).Id;
        var borrower = (await bench.WriteAsync(DeltaCast.Input("abcx", lender))).Id;
        var third = (await bench.WriteAsync(DeltaCast.Input("abyy"))).Id;
        await bench.ChangeAsync(t => t.BlockReferences.Remove([lender]));
        await bench.Bench.Storage.DeleteAsync([ObjectNames.Block(lender, BlockForm.Whole)], CancellationToken.None);
        Assert.Equal(BlockOutcomeKind.StoredDelta, (await bench.WriteAsync(DeltaCast.Input("abcd", third))).Kind);

        Assert.Equal(BlockOutcomeKind.StoredWhole, (await bench.WriteAsync(DeltaCast.Input("abcx"))).Kind);

        await AssertReadsAsync(bench, borrower, "abcx");
        await AssertReadsAsync(bench, lender, "abcd");
    }

    [Fact]
    public async Task ACandidateIsMadeLiveWithAllThatItNeeds()
    {
        await using var bench = await WriterBench.OpenAsync();
        var ids = await PutChainAsync(bench);
        foreach (var id in ids)
        {
            await bench.ChangeAsync(id, row => row with { State = ReferenceState.Candidate });
        }

        // A fault may make rows that need each other.
        await bench.ChangeAsync(ids[0], row => row with { Loans = [new Loan(ids[2], SetOf(3))] });
        bench.Clock.Advance(TimeSpan.FromHours(1));

        Assert.Equal(BlockOutcomeKind.Deduplicated, (await bench.WriteAsync(DeltaCast.Input("abyz"))).Kind);

        foreach (var id in ids)
        {
            var row = (await bench.RowAsync(id))!;
            Assert.Equal((ReferenceState.Live, bench.Clock.GetUtcNow()), (row.State, row.Since));
        }
    }

    [Fact]
    public async Task WhatACleanupClaimsMeanwhileIsNotMadeLive()
    {
        await using var bench = await WriterBench.OpenAsync();
        var id = (await bench.WriteAsync(DeltaCast.Input("abcd"))).Id;
        await bench.ChangeAsync(id, row => row with { State = ReferenceState.Candidate });
        await using var catalog = new InterruptedCatalog(bench.OpenCatalog());
        await using var lane = bench.NewWriter(catalog).StartLane();

        // Between the look and the transaction that would make it live.
        catalog.Interrupt(1, () => bench.ChangeAsync(
            t => ClaimedDeletion.Begin(t, "main", [id], [], bench.Clock.GetUtcNow())));
        var outcome = await lane.WriteAsync(DeltaCast.Input("abcd"), CancellationToken.None);
        await lane.CompleteAsync(CancellationToken.None);

        Assert.True(catalog.Stop());
        Assert.Equal(BlockOutcomeKind.StoredWhole, outcome.Kind);
        Assert.Null(await bench.Catalog.ReadAsync(t => t.DeletionClaims.Find("main"), CancellationToken.None));
        await AssertReadsAsync(bench, id, "abcd");
    }

    [Theory]
    [InlineData(0, false)]
    [InlineData(1, false)]
    [InlineData(0, true)]
    [InlineData(1, true)]
    public async Task WhatIsInDoubtIsLookedForOnceARun(int doubted, bool isCandidate)
    {
        await using var bench = await WriterBench.OpenAsync();
        var lender = (await bench.WriteAsync(DeltaCast.Input("abcd"))).Id;
        var id = (await bench.WriteAsync(DeltaCast.Input("abcx", lender))).Id;
        await DoubtAsync(bench, doubted == 0 ? id : lender, isCandidate);
        var finds = bench.Bench.Storage.Finds;
        await using var lane = bench.NewWriter().StartLane();

        for (var i = 0; i < 3; i++)
        {
            var outcome = await lane.WriteAsync(DeltaCast.Input("abcx"), CancellationToken.None);
            Assert.Equal(BlockOutcomeKind.Deduplicated, outcome.Kind);
        }

        Assert.Equal(finds + 1, bench.Bench.Storage.Finds);
        Assert.Equal(ReferenceState.Live, (await bench.RowAsync(doubted == 0 ? id : lender))!.State);
    }

    [Theory]
    [InlineData(0, false, true)]
    [InlineData(1, false, true)]
    [InlineData(0, true, true)]
    [InlineData(1, true, true)]
    [InlineData(0, false, false)]
    [InlineData(1, true, false)]
    public async Task WhatIsNotThereIsStoredAgain(int doubted, bool isCandidate, bool isMissing)
    {
        await using var bench = await WriterBench.OpenAsync();
        var lender = (await bench.WriteAsync(DeltaCast.Input("abcd"))).Id;
        var id = (await bench.WriteAsync(DeltaCast.Input("abcx", lender))).Id;
        var name = doubted == 0 ? ObjectNames.Block(id, BlockForm.Delta) : ObjectNames.Block(lender, BlockForm.Whole);
        await DoubtAsync(bench, doubted == 0 ? id : lender, isCandidate);
        if (isMissing)
        {
            await bench.Bench.Storage.DeleteAsync([name], CancellationToken.None);
        }
        else
        {
            bench.Bench.Memory.Damage(name, bytes => bytes[..^1]);
        }

        Assert.Equal(BlockOutcomeKind.StoredWhole, (await bench.WriteAsync(DeltaCast.Input("abcx"))).Kind);

        Assert.Equal(BlockForm.Whole, (await bench.RowAsync(id))!.Form);
        await AssertReadsAsync(bench, id, "abcx");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task AnUnchangedBlockInDoubtIsLookedFor(bool isThere)
    {
        await using var bench = await WriterBench.OpenAsync();
        var id = (await bench.WriteAsync(DeltaCast.Input("abcd"))).Id;
        await DoubtAsync(bench, id, isCandidate: false);
        if (!isThere)
        {
            await bench.Bench.Storage.DeleteAsync([ObjectNames.Block(id, BlockForm.Whole)], CancellationToken.None);
        }

        var outcome = await bench.WriteAsync(DeltaCast.Input("abcd", id));

        Assert.Equal(isThere ? BlockOutcomeKind.Unchanged : BlockOutcomeKind.StoredWhole, outcome.Kind);
        Assert.NotNull(bench.ObjectOf(id, BlockForm.Whole));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task ALenderInDoubtIsLookedForBeforeItLends(bool isThere)
    {
        await using var bench = await WriterBench.OpenAsync();
        var lender = (await bench.WriteAsync(DeltaCast.Input("abcd"))).Id;
        var over = (await bench.WriteAsync(DeltaCast.Input("abcx", lender))).Id;
        await DoubtAsync(bench, lender, isCandidate: false);
        if (!isThere)
        {
            await bench.Bench.Storage.DeleteAsync([ObjectNames.Block(lender, BlockForm.Whole)], CancellationToken.None);
        }

        var outcome = await bench.WriteAsync(DeltaCast.Input("abyx", over));

        Assert.Equal(isThere ? BlockOutcomeKind.StoredDelta : BlockOutcomeKind.StoredWhole, outcome.Kind);
    }

    [Fact]
    public async Task WithoutDoubtNothingIsLookedFor()
    {
        await using var bench = await WriterBench.OpenAsync();
        await bench.BindAsync();
        var first = await bench.WriteAsync(DeltaCast.Input("abcd"));
        var reads = bench.Bench.Storage.Reads;
        Assert.Equal(BlockOutcomeKind.Deduplicated, (await bench.WriteAsync(DeltaCast.Input("abcd"))).Kind);
        Assert.Equal(BlockOutcomeKind.Unchanged, (await bench.WriteAsync(DeltaCast.Input("abcd", first.Id))).Kind);
        Assert.Equal(reads, bench.Bench.Storage.Reads);
        Assert.Equal(BlockOutcomeKind.StoredDelta, (await bench.WriteAsync(DeltaCast.Input("abce", first.Id))).Kind);

        // The header of the base, and nothing else.
        Assert.Equal((reads + 1, 0), (bench.Bench.Storage.Reads, bench.Bench.Storage.Finds));
    }

    [Fact]
    public async Task WhatTheRunHasPutItselfIsNotLookedFor()
    {
        await using var bench = await WriterBench.OpenAsync();
        await bench.BindAsync(doubtFrom: bench.Clock.GetUtcNow());
        await using var lane = bench.NewWriter().StartLane();
        await lane.WriteAsync(DeltaCast.Input("abcd"), CancellationToken.None);
        await lane.CompleteAsync(CancellationToken.None);

        var again = await lane.WriteAsync(DeltaCast.Input("abcd"), CancellationToken.None);

        Assert.Equal((BlockOutcomeKind.Deduplicated, 0), (again.Kind, bench.Bench.Storage.Finds));
    }

    /// <summary>"abcd" whole, "abcz" over it, "abyz" over that: each owns its own frame.</summary>
    private static async Task<BlockId[]> PutChainAsync(WriterBench bench)
    {
        var first = (await bench.WriteAsync(DeltaCast.Input("abcd"))).Id;
        var second = (await bench.WriteAsync(DeltaCast.Input("abcz", first))).Id;
        var third = (await bench.WriteAsync(DeltaCast.Input("abyz", second))).Id;
        return [first, second, third];
    }

    private static async Task AssertLendsAsync(Func<BlockRow, BlockRow?> change, bool mayLend)
    {
        await using var bench = await WriterBench.OpenAsync();
        var lender = (await bench.WriteAsync(DeltaCast.Input("abcd"))).Id;
        var id = (await bench.WriteAsync(DeltaCast.Input("abcx", lender))).Id;
        await bench.ChangeAsync(t =>
        {
            var changed = change(t.BlockReferences.Find([lender])[0]!);
            t.BlockReferences.Remove([lender]);
            t.BlockReferences.Put(changed is null ? [] : [changed]);
        });

        Assert.Equal(
            mayLend ? BlockOutcomeKind.Deduplicated : BlockOutcomeKind.StoredWhole,
            (await bench.WriteAsync(DeltaCast.Input("abcx"))).Kind);
        Assert.Equal(mayLend ? BlockForm.Delta : BlockForm.Whole, (await bench.RowAsync(id))!.Form);
    }

    private static async Task DoubtAsync(WriterBench bench, BlockId id, bool isCandidate)
    {
        bench.Clock.Advance(TimeSpan.FromHours(1));
        await bench.BindAsync(doubtFrom: isCandidate ? null : bench.Clock.GetUtcNow());
        var since = bench.Clock.GetUtcNow();
        await bench.ChangeAsync(id, row => isCandidate
            ? row with { State = ReferenceState.Candidate }
            : row with { Since = since });
    }

    private static FrameSet SetOf(params int[] frames)
    {
        var set = new FrameSet(DeltaCast.Frames);
        Array.ForEach(frames, set.Add);
        return set;
    }

    private static async Task AssertReadsAsync(WriterBench bench, BlockId id, string letters)
    {
        bench.Bench.Restart();
        Assert.Equal(DeltaCast.Of(letters), (await bench.Bench.ReadBlockAsync(id, DeltaCast.Length)).Bytes);
    }
}
