using Benji.Store.Blocks;
using Benji.Store.Blocks.Sealing;
using Benji.Store.Catalogs;
using Benji.Store.Model;
using Benji.Testing;
using Benji.Testing.Blocks;
using Xunit;

namespace Benji.Tests.Blocks;

/// <summary>When a block becomes a delta, whom it borrows from, and what it reads for that.</summary>
public class BlockWriterDeltaTests
{
    private const int Frame = BlockGeometry.FrameSize;
    private const int Frames = 16;
    private const int Length = ((Frames - 1) * Frame) + 77;

    [Fact]
    public Task OnlyTheChangedFramesAreReadAndStored() => Seeded.RunAsync(async random =>
    {
        await using var bench = await WriterBench.OpenAsync();
        var content = Plaintext.Noise(random, Length);
        var baseId = (await bench.WriteAsync(content)).Id;
        Change(random, content, 3, Frames - 1);
        var filler = new CountingFiller(content);

        var outcome = await bench.WriteAsync(WriterBench.Partial(content, baseId, filler, 3, Frames - 1));

        Assert.Equal(BlockOutcomeKind.StoredDelta, outcome.Kind);
        Assert.Equal((bench.Bench.IdOf(content), Length, (int?)Length), (outcome.Id, outcome.Allocated, outcome.BaseAllocated));
        Assert.InRange(outcome.StoredBytes, Frame + 77, Frame + 2000);
        Assert.Equal(0, filler.Frames);
        var row = (await bench.RowAsync(outcome.Id))!;
        Assert.Equal(BlockForm.Delta, row.Form);
        Assert.Equal([baseId], row.Lenders);
        Assert.Equal(content, (await bench.Bench.ReadBlockAsync(outcome.Id, Length)).Bytes);
    });

    [Fact]
    public Task FramesThatBecomeHolesNeedNoBytes() => Seeded.RunAsync(async random =>
    {
        await using var bench = await WriterBench.OpenAsync();
        var content = Plaintext.Noise(random, Length);
        var baseId = (await bench.WriteAsync(content)).Id;
        content.AsSpan(4 * Frame, 5 * Frame).Clear();

        var outcome = await bench.WriteAsync(content, baseId);

        Assert.Equal((BlockOutcomeKind.StoredDelta, Length - (5 * Frame)), (outcome.Kind, outcome.Allocated));
        Assert.Equal(SealedHeader.LengthOf(Frames, 1), outcome.StoredBytes);
        Assert.Equal(content, (await bench.Bench.ReadBlockAsync(outcome.Id, Length)).Bytes);
    });

    [Fact]
    public Task AHoleAsBaseLeavesHoles() => Seeded.RunAsync(async random =>
    {
        await using var bench = await WriterBench.OpenAsync();
        var content = new byte[Length];
        Change(random, content, 2);

        var outcome = await bench.WriteAsync(
            WriterBench.Partial(content, BlockId.Hole, new CountingFiller(content), 2));

        Assert.Equal((BlockOutcomeKind.StoredWhole, Frame, (int?)0), (outcome.Kind, outcome.Allocated, outcome.BaseAllocated));
        Assert.Equal(content, (await bench.Bench.ReadBlockAsync(outcome.Id, Length)).Bytes);
    });

    [Theory]
    [InlineData(8, BlockOutcomeKind.StoredDelta)]
    [InlineData(9, BlockOutcomeKind.StoredWhole)]
    public Task MoreThanHalfIsStoredWhole(int changed, object kind) => Seeded.RunAsync(async random =>
    {
        await using var bench = await WriterBench.OpenAsync();
        var content = Plaintext.Noise(random, Length);
        var baseId = (await bench.WriteAsync(content)).Id;
        var frames = Enumerable.Range(0, changed).ToArray();
        Change(random, content, frames);
        var filler = new CountingFiller(content);

        var outcome = await bench.WriteAsync(WriterBench.Partial(content, baseId, filler, frames));

        Assert.Equal((BlockOutcomeKind)kind, outcome.Kind);
        Assert.Equal(outcome.Kind == BlockOutcomeKind.StoredWhole ? Frames - changed : 0, filler.Frames);
        Assert.Equal(content, (await bench.Bench.ReadBlockAsync(outcome.Id, Length)).Bytes);
    });

    [Fact]
    public Task AFifthLenderCollapsesToTheLargest() => Seeded.RunAsync(async random =>
    {
        await using var bench = await WriterBench.OpenAsync();
        var content = Plaintext.Noise(random, Length);
        var first = (await bench.WriteAsync(content)).Id;
        var (latest, lenders) = (first, new List<int>());
        for (var day = 0; day < 6; day++)
        {
            Change(random, content, day);
            var filler = new CountingFiller(content);
            var outcome = await bench.WriteAsync(WriterBench.Partial(content, latest, filler, day));
            var row = (await bench.RowAsync(outcome.Id))!;
            lenders.Add(row.Loans.Count);
            Assert.Equal(BlockOutcomeKind.StoredDelta, outcome.Kind);
            Assert.Contains(first, row.Lenders);
            Assert.Equal(content, (await bench.Bench.ReadBlockAsync(outcome.Id, Length)).Bytes);

            // The fifth change would need the first block and four deltas: frames 0 to 3 are read again.
            Assert.Equal(day == 4 ? 4 : 0, filler.Frames);
            latest = outcome.Id;
        }

        Assert.Equal([1, 2, 3, 4, 1, 2], lenders);
    });

    [Fact]
    public Task ABaseThatMayNotLendGivesAWholeBlock() => Seeded.RunAsync(async random =>
    {
        await using var bench = await WriterBench.OpenAsync();
        var content = Plaintext.Noise(random, Length);
        var first = (await bench.WriteAsync(content)).Id;
        Change(random, content, 1);
        var second = (await bench.WriteAsync(content, first)).Id;

        Change(random, content, 2);
        var input = WriterBench.Whole(content) with { BaseId = second, BaseLength = Length, MayLend = false };
        Assert.Equal(BlockOutcomeKind.StoredWhole, (await bench.WriteAsync(input)).Kind);

        // A lender of the base is invalid, or on its way out.
        await bench.ChangeAsync(first, row => row with { IsInvalid = true });
        Change(random, content, 2);
        Assert.Equal(BlockOutcomeKind.StoredWhole, (await bench.WriteAsync(content, second)).Kind);
        await bench.ChangeAsync(first, row => row with { IsInvalid = false, State = ReferenceState.Candidate });
        Change(random, content, 2);
        Assert.Equal(BlockOutcomeKind.StoredWhole, (await bench.WriteAsync(content, second)).Kind);
        await bench.ChangeAsync(first, row => row with { State = ReferenceState.Live });
        Change(random, content, 2);
        Assert.Equal(BlockOutcomeKind.StoredDelta, (await bench.WriteAsync(content, second)).Kind);
    });

    [Fact]
    public Task ABaseOfAnotherLengthGivesAWholeBlock() => Seeded.RunAsync(async random =>
    {
        await using var bench = await WriterBench.OpenAsync();
        var content = Plaintext.Noise(random, Length);
        var baseId = (await bench.WriteAsync(content)).Id;
        var grown = Plaintext.Noise(random, Frames * Frame);
        content.CopyTo(grown.AsSpan());

        var outcome = await bench.WriteAsync(
            WriterBench.Whole(grown) with { BaseId = baseId, BaseLength = Length });

        Assert.Equal((BlockOutcomeKind.StoredWhole, (int?)null), (outcome.Kind, outcome.BaseAllocated));
        Assert.Equal(grown, (await bench.Bench.ReadBlockAsync(outcome.Id, grown.Length)).Bytes);
    });

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public Task AnUnreadableBaseIsReplacedByTheSource(bool isMissing) => Seeded.RunAsync(async random =>
    {
        await using var bench = await WriterBench.OpenAsync();
        var content = Plaintext.Noise(random, Length);
        var baseId = (await bench.WriteAsync(content)).Id;
        var name = ObjectNames.Block(baseId, BlockForm.Whole);
        if (isMissing)
        {
            await bench.Bench.Storage.DeleteAsync([name], CancellationToken.None);
        }
        else
        {
            bench.Bench.Memory.Damage(name, bytes => [.. bytes[..200], .. new byte[bytes.Length - 200]]);
        }

        Change(random, content, 5);
        var filler = new CountingFiller(content);
        var outcome = await bench.WriteAsync(WriterBench.Partial(content, baseId, filler, 5));

        Assert.Equal((BlockOutcomeKind.StoredWhole, Frames - 1), (outcome.Kind, filler.Frames));
        Assert.Equal(content, (await bench.Bench.ReadBlockAsync(outcome.Id, Length)).Bytes);
    });

    [Fact]
    public Task AFrameThatIsNotWhatTheBaseHasIsRefused() => Seeded.RunAsync(async random =>
    {
        await using var bench = await WriterBench.OpenAsync();
        var content = Plaintext.Noise(random, Length);
        var baseId = (await bench.WriteAsync(content)).Id;
        var changed = Enumerable.Range(0, 10).ToArray();
        Change(random, content, changed);
        var objects = bench.Bench.Memory.Names.Count;
        var lie = content.AsSpan().ToArray();
        Change(random, lie, 12);

        await Assert.ThrowsAsync<InputDataException>(
            () => bench.WriteAsync(WriterBench.Partial(content, baseId, new CountingFiller(lie), changed)));

        Assert.Equal(objects, bench.Bench.Memory.Names.Count);
        Assert.Equal(BlockOutcomeKind.StoredWhole, (await bench.WriteAsync(content)).Kind);
    });

    [Fact]
    public Task AWholeBlockOfAnotherRunKeepsItsRow() => Seeded.RunAsync(async random =>
    {
        await using var bench = await WriterBench.OpenAsync();
        var content = Plaintext.Noise(random, Length);
        var baseId = (await bench.WriteAsync(content)).Id;
        Change(random, content, 1);
        await using var lane = bench.NewWriter().StartLane();
        var outcome = await lane.WriteAsync(
            WriterBench.Whole(content) with { BaseId = baseId, BaseLength = Length }, CancellationToken.None);
        Assert.Equal(BlockOutcomeKind.StoredDelta, outcome.Kind);
        Assert.Equal(BlockOutcomeKind.StoredWhole, (await bench.WriteAsync(content)).Kind);

        await lane.CompleteAsync(CancellationToken.None);

        Assert.Equal(BlockForm.Whole, (await bench.RowAsync(outcome.Id))!.Form);
    });

    [Fact]
    public Task AnyHistoryReadsBack() => Seeded.RunAsync(async random =>
    {
        await using var bench = await WriterBench.OpenAsync(isEncrypted: false);
        var length = random.Next(1, 12 * Frame);
        var content = Plaintext.Mixed(random, length);
        var history = new List<(BlockId Id, byte[] Content)>();
        var latest = BlockId.Hole;
        for (var version = 0; version < 40; version++)
        {
            var frames = Enumerable.Range(0, BlockGeometry.FrameCount(length))
                .Where(_ => random.Next(4) == 0).ToArray();
            Change(random, content, frames);
            foreach (var frame in frames.Where(_ => random.Next(5) == 0))
            {
                content.AsSpan(frame * Frame, BlockGeometry.FrameLength(length, frame)).Clear();
            }

            var outcome = await bench.WriteAsync(version == 0
                ? WriterBench.Whole(content)
                : WriterBench.Partial(content, latest, new CountingFiller(content), frames));
            latest = outcome.Id;
            history.Add((latest, content.AsSpan().ToArray()));
        }

        bench.Bench.Restart();
        foreach (var (id, expected) in history.Where(version => !version.Id.IsHole))
        {
            var (bytes, damages) = await bench.Bench.ReadBlockAsync(id, length);
            Assert.Empty(damages);
            Assert.Equal(expected, bytes);
        }
    });

    private static void Change(Random random, byte[] content, params int[] frames)
    {
        foreach (var frame in frames)
        {
            random.NextBytes(content.AsSpan(frame * Frame, BlockGeometry.FrameLength(content.Length, frame)));
        }
    }
}
