using Benji.Store.Blocks;
using Benji.Store.Blocks.Sealing;
using Benji.Store.Catalogs;
using Benji.Store.Model;
using Benji.Testing;
using Benji.Testing.Blocks;
using Xunit;

namespace Benji.Tests.Blocks;

/// <summary>What is stored and what is not: holes, unchanged and known blocks, and every standing of a row.</summary>
public class BlockWriterTests
{
    private const int Frame = BlockGeometry.FrameSize;
    private const int Length = (6 * Frame) + 100;

    [Fact]
    public async Task AHoleIsStoredNowhere()
    {
        await using var bench = await WriterBench.OpenAsync();

        var outcome = await bench.WriteAsync(new byte[Length]);

        Assert.Equal(new BlockOutcome(BlockId.Hole, BlockOutcomeKind.Hole, 0, 0, 0), outcome);
        Assert.Equal([ObjectNames.StoreFile], bench.Bench.Memory.Names);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public Task ANewBlockIsStoredWholeAndRecorded(bool isEncrypted) => Seeded.RunAsync(async random =>
    {
        await using var bench = await WriterBench.OpenAsync(isEncrypted);
        var content = Plaintext.Mixed(random, Length);

        var outcome = await bench.WriteAsync(content);

        var stored = bench.ObjectOf(outcome.Id, BlockForm.Whole)!.Length;
        Assert.Equal(new BlockOutcome(
            bench.Bench.IdOf(content), BlockOutcomeKind.StoredWhole, Length - (2 * Frame), 0, stored), outcome);
        Assert.Equal(new BlockRow(
            outcome.Id, "main", BlockForm.Whole, Length, Length - (2 * Frame), stored, [], null, false, ReferenceState.Live,
            bench.Clock.GetUtcNow()), await bench.RowAsync(outcome.Id) is { } row ? row with { Loans = [] } : null);
        Assert.Equal(content, (await bench.Bench.ReadBlockAsync(outcome.Id, Length)).Bytes);
    });

    [Fact]
    public Task TheBasesBlockIsUnchangedWithoutARead() => Seeded.RunAsync(async random =>
    {
        await using var bench = await WriterBench.OpenAsync();
        var content = Plaintext.Noise(random, Length);
        var id = bench.Bench.IdOf(content);
        var reads = bench.Bench.Storage.Reads;

        var outcome = await bench.WriteAsync(content, id);

        Assert.Equal(new BlockOutcome(id, BlockOutcomeKind.Unchanged, Length, Length, 0), outcome);
        Assert.Equal(reads, bench.Bench.Storage.Reads);
    });

    [Fact]
    public Task WhatIsOnItsWayInAnotherLaneIsNotStoredTwice() => Seeded.RunAsync(async random =>
    {
        await using var bench = await WriterBench.OpenAsync();
        var content = Plaintext.Noise(random, Length);
        var writer = bench.NewWriter();
        await using var first = writer.StartLane();
        await using var second = writer.StartLane();

        Assert.Equal(BlockOutcomeKind.StoredWhole, await KindAsync(first, content));
        Assert.Equal(BlockOutcomeKind.Deduplicated, await KindAsync(second, content));
        Assert.Equal(BlockOutcomeKind.Deduplicated, await KindAsync(first, content));
        await first.CompleteAsync(CancellationToken.None);
        await second.CompleteAsync(CancellationToken.None);
        Assert.Equal(BlockOutcomeKind.Deduplicated, await KindAsync(second, content));
    });

    [Fact]
    public Task LanesAtOncePutEachBlockOnce() => Seeded.RunAsync(async random =>
    {
        await using var bench = await WriterBench.OpenAsync(isEncrypted: false);
        var contents = Enumerable.Range(0, 40).Select(_ => Plaintext.Noise(random, 500)).ToArray();
        var writer = bench.NewWriter();
        var kinds = await Task.WhenAll(Enumerable.Range(0, 4).Select(async lane =>
        {
            await using var mine = writer.StartLane();
            var seen = new List<BlockOutcomeKind>();
            for (var i = 0; i < contents.Length; i++)
            {
                seen.Add(await KindAsync(mine, contents[((i * 7) + lane) % contents.Length]));
            }

            await mine.CompleteAsync(CancellationToken.None);
            return seen;
        }));

        Assert.Equal(contents.Length, kinds.Sum(seen => seen.Count(kind => kind == BlockOutcomeKind.StoredWhole)));
        foreach (var content in contents)
        {
            Assert.Equal(ReferenceState.Live, (await bench.RowAsync(bench.Bench.IdOf(content)))!.State);
        }
    });

    [Fact]
    public Task RowsFollowTheirDurableObjects() => Seeded.RunAsync(async random =>
    {
        await using var bench = await WriterBench.OpenAsync();
        var objectsMax = bench.Bench.Storage.Traits.BatchObjects;
        var contents = Enumerable.Range(0, objectsMax + 1).Select(_ => Plaintext.Noise(random, 300)).ToArray();
        var groups = new List<int>();
        bench.Bench.Storage.BeforeCommit = async count =>
        {
            groups.Add(count);
            Assert.Null(await bench.RowAsync(bench.Bench.IdOf(contents[^count])));
        };
        await using (var lane = bench.NewWriter().StartLane())
        {
            foreach (var content in contents)
            {
                await KindAsync(lane, content);
            }

            Assert.Equal([objectsMax], groups);
            Assert.NotNull(await bench.RowAsync(bench.Bench.IdOf(contents[0])));
            Assert.Null(await bench.RowAsync(bench.Bench.IdOf(contents[^1])));
        }

        // Given up: neither object nor row.
        Assert.Null(bench.ObjectOf(bench.Bench.IdOf(contents[^1]), BlockForm.Whole));
        Assert.Null(await bench.RowAsync(bench.Bench.IdOf(contents[^1])));
    });

    [Fact]
    public Task AFailedCommitRecordsNothing() => Seeded.RunAsync(async random =>
    {
        await using var bench = await WriterBench.OpenAsync();
        var content = Plaintext.Noise(random, 300);
        bench.Bench.Storage.BeforeCommit = _ => throw new StorageException("Disk full.", isTransient: false);

        await Assert.ThrowsAsync<StorageException>(() => bench.WriteAsync(content));

        Assert.Null(await bench.RowAsync(bench.Bench.IdOf(content)));
        bench.Bench.Storage.BeforeCommit = null;
        Assert.Equal(BlockOutcomeKind.StoredWhole, (await bench.WriteAsync(content)).Kind);
    });

    [Fact]
    public Task ACandidateIsMadeLiveWithItsLenders() => Seeded.RunAsync(async random =>
    {
        await using var bench = await WriterBench.OpenAsync();
        var (first, content) = await PutDeltaAsync(bench, random);
        var id = bench.Bench.IdOf(content);
        await bench.ChangeAsync(first, row => row with { State = ReferenceState.Candidate });
        await bench.ChangeAsync(id, row => row with { State = ReferenceState.Candidate });
        bench.Clock.Advance(TimeSpan.FromHours(1));

        Assert.Equal(BlockOutcomeKind.Deduplicated, (await bench.WriteAsync(content)).Kind);

        foreach (var used in new[] { id, first })
        {
            var row = await bench.RowAsync(used);
            Assert.Equal((ReferenceState.Live, bench.Clock.GetUtcNow()), (row!.State, row.Since));
        }
    });

    [Theory]
    [InlineData(ReferenceState.Candidate, BlockOutcomeKind.Deduplicated, ReferenceState.Live)]
    [InlineData(ReferenceState.Orphan, BlockOutcomeKind.StoredWhole, ReferenceState.Orphan)]
    public Task ALiveDeltaIsReliedOnOnlyWithItsLender(
        object state, object kind, object then) => Seeded.RunAsync(async random =>
    {
        await using var bench = await WriterBench.OpenAsync();
        var (first, content) = await PutDeltaAsync(bench, random);
        await bench.ChangeAsync(first, row => row with { State = (ReferenceState)state });

        Assert.Equal((BlockOutcomeKind)kind, (await bench.WriteAsync(content)).Kind);
        Assert.Equal((ReferenceState)then, (await bench.RowAsync(first))!.State);
    });

    [Fact]
    public Task AnOrphanIsPutAnew() => Seeded.RunAsync(async random =>
    {
        await using var bench = await WriterBench.OpenAsync();
        var content = Plaintext.Noise(random, Length);
        var id = (await bench.WriteAsync(content)).Id;
        await bench.ChangeAsync(id, row => row with { State = ReferenceState.Orphan });
        var before = bench.ObjectOf(id, BlockForm.Whole);

        // From the moment it was found, cleanup has no row by which to delete what is about to be put.
        bench.Bench.Storage.BeforeCommit = async _ => Assert.Null(await bench.RowAsync(id));
        Assert.Equal(BlockOutcomeKind.StoredWhole, (await bench.WriteAsync(content)).Kind);

        Assert.NotEqual(before, bench.ObjectOf(id, BlockForm.Whole));
        Assert.Equal(ReferenceState.Live, (await bench.RowAsync(id))!.State);
    });

    [Theory]
    [InlineData(ReferenceState.Live, true)]
    [InlineData(ReferenceState.Candidate, false)]
    public Task AnInvalidBlockIsHealedByItsContent(object state, bool hasBase) => Seeded.RunAsync(async random =>
    {
        await using var bench = await WriterBench.OpenAsync();
        var (_, content) = await PutDeltaAsync(bench, random);
        var id = bench.Bench.IdOf(content);
        bench.Bench.Memory.Damage(ObjectNames.Block(id, BlockForm.Delta), bytes => bytes[..50]);
        await bench.ChangeAsync(id, row => row with { IsInvalid = true, State = (ReferenceState)state });

        var input = WriterBench.Whole(content);
        input = hasBase ? input with { BaseId = id, BaseLength = content.Length, MayLend = false } : input;
        var outcome = await bench.WriteAsync(input);

        Assert.Equal(BlockOutcomeKind.StoredWhole, outcome.Kind);
        var row = (await bench.RowAsync(id))!;
        Assert.Equal((false, BlockForm.Whole, ReferenceState.Live, 0), (row.IsInvalid, row.Form, row.State, row.Loans.Count));
        var (bytes, damages) = await bench.Bench.ReadBlockAsync(id, content.Length);
        Assert.Empty(damages);
        Assert.Equal(content, bytes);
    });

    [Fact]
    public Task ABlockThatIsBeingDeletedIsWaitedForAndPutAnew() => Seeded.RunAsync(async random =>
    {
        await using var bench = await WriterBench.OpenAsync();
        var content = Plaintext.Noise(random, Length);
        var id = (await bench.WriteAsync(content)).Id;
        await using var other = bench.OpenCatalog();
        var lease = await other.WriteAsync(
            transaction =>
            {
                Assert.True(transaction.Leases.TryAcquire(
                    LeaseResource.Cleanup, LeaseMode.Exclusive, "cleanup", out var held, out _));
                return held;
            },
            CancellationToken.None);
        await other.WriteAsync(
            transaction =>
            {
                ClaimedDeletion.Begin(transaction, "main", [id], [], bench.Clock.GetUtcNow());
                return true;
            },
            CancellationToken.None);
        var write = Task.Run(async () => await bench.WriteAsync(content));
        await Assert.ThrowsAsync<TimeoutException>(() => write.WaitAsync(TimeSpan.FromMilliseconds(200)));
        await new ClaimedDeletion(bench.Bench.Store, other, bench.Clock).FinishAsync(lease, CancellationToken.None);

        Assert.Equal(BlockOutcomeKind.StoredWhole, (await write).Kind);
        Assert.Equal(ReferenceState.Live, (await bench.RowAsync(id))!.State);
        Assert.Equal(content, (await bench.Bench.ReadBlockAsync(id, Length)).Bytes);
    });

    [Fact]
    public Task WhatADeadCleanupWasDeletingIsDeletedThenPutAnew() => Seeded.RunAsync(async random =>
    {
        await using var bench = await WriterBench.OpenAsync();
        var content = Plaintext.Noise(random, Length);
        var id = (await bench.WriteAsync(content)).Id;
        await bench.ChangeAsync(id, row => row with { State = ReferenceState.Deleting });

        Assert.Equal(BlockOutcomeKind.StoredWhole, (await bench.WriteAsync(content)).Kind);

        Assert.Equal(ReferenceState.Live, (await bench.RowAsync(id))!.State);
        Assert.Equal(content, (await bench.Bench.ReadBlockAsync(id, Length)).Bytes);
    });

    /// <summary>A whole block and a delta over it.</summary>
    private static async Task<(BlockId Base, byte[] Content)> PutDeltaAsync(WriterBench bench, Random random)
    {
        var content = Plaintext.Noise(random, Length);
        var first = (await bench.WriteAsync(content)).Id;
        random.NextBytes(content.AsSpan(Frame, 10));
        Assert.Equal(BlockOutcomeKind.StoredDelta, (await bench.WriteAsync(content, first)).Kind);
        return (first, content);
    }

    private static async Task<BlockOutcomeKind> KindAsync(BlockWriterLane lane, byte[] content) =>
        (await lane.WriteAsync(WriterBench.Whole(content), CancellationToken.None)).Kind;
}
