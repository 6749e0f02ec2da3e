using Benji.Store.Blocks.Sealing;
using Benji.Store.Model;
using Benji.Testing;
using Benji.Testing.Blocks;
using Xunit;

namespace Benji.Tests.Blocks;

public class BlockStoreTests
{
    private const int Frame = BlockGeometry.FrameSize;
    private const byte Own = SealPlan.Own;

    [Theory]
    [InlineData(1, true)]
    [InlineData(Frame - 1, false)]
    [InlineData(Frame, true)]
    [InlineData(Frame + 1, false)]
    [InlineData((8 * Frame) + 3, true)]
    [InlineData(64 * Frame, false)]
    public Task EveryRunOfFramesReadsBack(int length, bool isEncrypted) => Seeded.RunAsync(async random =>
    {
        await using var bench = await StoreBench.OpenAsync(isEncrypted);
        var plaintext = Plaintext.Mixed(random, length);
        var id = await bench.PutAsync(plaintext);
        var frames = BlockGeometry.FrameCount(length);
        for (var round = 0; round < 12; round++)
        {
            var first = random.Next(frames);
            var count = random.Next(1, frames - first + 1);
            var expected = plaintext[(first * Frame)..Math.Min(length, (first + count) * Frame)];
            Assert.Equal(expected, await bench.ReadFramesAsync(id, length, first, count));
        }

        var (bytes, damages) = await bench.ReadBlockAsync(id, length);
        Assert.Empty(damages);
        Assert.Equal(plaintext, bytes);
    });

    [Fact]
    public Task ARandomReadCostsTwoReadsThenOne() => Seeded.RunAsync(async random =>
    {
        await using var bench = await StoreBench.OpenAsync();
        var plaintext = Plaintext.Noise(random, 64 * Frame);
        var id = await bench.PutAsync(plaintext);
        var before = bench.Storage.Reads;

        await bench.ReadFramesAsync(id, plaintext.Length, 63, 1);
        Assert.Equal(2, bench.Storage.Reads - before);
        await bench.ReadFramesAsync(id, plaintext.Length, 7, 1);
        Assert.Equal(3, bench.Storage.Reads - before);
        await bench.ReadBlockAsync(id, plaintext.Length);
        Assert.Equal(4, bench.Storage.Reads - before);
    });

    [Fact]
    public Task BorrowedFramesComeFromTheirLenders() => Seeded.RunAsync(async random =>
    {
        await using var bench = await StoreBench.OpenAsync();
        var (plaintext, id, _) = await PutFamilyAsync(bench, random);

        bench.Restart();
        Assert.Equal(plaintext[(2 * Frame)..(5 * Frame)], await bench.ReadFramesAsync(id, plaintext.Length, 2, 3));
        var (bytes, damages) = await bench.ReadBlockAsync(id, plaintext.Length);
        Assert.Empty(damages);
        Assert.Equal(plaintext, bytes);
        Assert.Equal(2, (await bench.Reads.ReadTableAsync(id, plaintext.Length, CancellationToken.None)).Lenders.Count);
    });

    [Fact]
    public Task WhereBothFormsAreThereTheWholeOneIsRead() => Seeded.RunAsync(async random =>
    {
        await using var bench = await StoreBench.OpenAsync();
        var (plaintext, id, lenders) = await PutFamilyAsync(bench, random);
        await bench.PutAsync(plaintext);
        bench.Memory.Damage(ObjectNames.Block(id, BlockForm.Delta), _ => [1, 2, 3]);
        await bench.Storage.DeleteAsync([ObjectNames.Block(lenders[0], BlockForm.Whole)], CancellationToken.None);

        var (bytes, damages) = await bench.ReadBlockAsync(id, plaintext.Length);

        Assert.Empty(damages);
        Assert.Equal(plaintext, bytes);
        Assert.Equal(plaintext[..Frame], await bench.ReadFramesAsync(id, plaintext.Length, 0, 1));
    });

    [Fact]
    public Task AMissingLenderDamagesOnlyWhatItLends() => Seeded.RunAsync(async random =>
    {
        await using var bench = await StoreBench.OpenAsync();
        var (plaintext, id, lenders) = await PutFamilyAsync(bench, random);
        await bench.Storage.DeleteAsync([ObjectNames.Block(lenders[0], BlockForm.Whole)], CancellationToken.None);

        var (bytes, damages) = await bench.ReadBlockAsync(id, plaintext.Length);

        Assert.Equal([3, 4], damages.Select(damage => damage.FrameIndex));
        Assert.All(damages, damage => Assert.Contains(lenders[0].ToString(), damage.Reason, StringComparison.Ordinal));
        Assert.Equal(WithZeros(plaintext, 3, 4), bytes);
        await Assert.ThrowsAsync<CorruptDataException>(
            async () => await bench.ReadFramesAsync(id, plaintext.Length, 3, 1));
        Assert.Equal(plaintext[..Frame], await bench.ReadFramesAsync(id, plaintext.Length, 0, 1));
    });

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public Task ADamagedFrameCostsThatFrame(bool isEncrypted) => Seeded.RunAsync(async random =>
    {
        await using var bench = await StoreBench.OpenAsync(isEncrypted);
        var plaintext = Plaintext.Noise(random, 5 * Frame);
        var id = await bench.PutAsync(plaintext);
        var table = await bench.Reads.ReadTableAsync(id, plaintext.Length, CancellationToken.None);
        bench.Memory.Damage(ObjectNames.Block(id, BlockForm.Whole), bytes => Flip(bytes, table.OffsetOf(2) + 100));

        var (bytes, damages) = await bench.ReadBlockAsync(id, plaintext.Length);

        Assert.Equal(2, Assert.Single(damages).FrameIndex);
        Assert.Equal(WithZeros(plaintext, 2), bytes);
        await Assert.ThrowsAsync<CorruptDataException>(
            async () => await bench.ReadFramesAsync(id, plaintext.Length, 1, 2));
    });

    [Fact]
    public Task ATruncatedObjectKeepsItsFirstFrames() => Seeded.RunAsync(async random =>
    {
        await using var bench = await StoreBench.OpenAsync();
        var plaintext = Plaintext.Noise(random, 5 * Frame);
        var id = await bench.PutAsync(plaintext);
        var table = await bench.Reads.ReadTableAsync(id, plaintext.Length, CancellationToken.None);
        bench.Memory.Damage(ObjectNames.Block(id, BlockForm.Whole), bytes => bytes[..(table.OffsetOf(3) + 1)]);

        var (bytes, damages) = await bench.ReadBlockAsync(id, plaintext.Length);

        Assert.Equal([3, 4], damages.Select(damage => damage.FrameIndex));
        Assert.Equal(WithZeros(plaintext, 3, 4), bytes);
    });

    [Fact]
    public Task AMissingBlockIsNotFoundAndDamagesAllButKnownHoles() => Seeded.RunAsync(async random =>
    {
        await using var bench = await StoreBench.OpenAsync();
        var plaintext = Plaintext.Mixed(random, 4 * Frame);
        var id = await bench.PutAsync(plaintext);
        await bench.Reads.ReadTableAsync(id, plaintext.Length, CancellationToken.None);
        await bench.Storage.DeleteAsync([ObjectNames.Block(id, BlockForm.Whole)], CancellationToken.None);

        var (bytes, known) = await bench.ReadBlockAsync(id, plaintext.Length);
        Assert.Equal([0, 1, 3], known.Select(damage => damage.FrameIndex));
        Assert.Equal(new byte[plaintext.Length], bytes);
        bench.Restart();
        var (_, unknown) = await bench.ReadBlockAsync(id, plaintext.Length);
        Assert.Equal([0, 1, 2, 3], unknown.Select(damage => damage.FrameIndex));
        await Assert.ThrowsAsync<NotFoundException>(
            async () => await bench.ReadFramesAsync(id, plaintext.Length, 0, 1));
    });

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task ABlockOfAnotherLengthIsRefused(bool isKnown)
    {
        await using var bench = await StoreBench.OpenAsync();
        var id = await bench.PutAsync(new byte[] { 1, 2, 3 });
        if (isKnown)
        {
            await bench.Reads.ReadTableAsync(id, 3, CancellationToken.None);
        }

        await Assert.ThrowsAsync<CorruptDataException>(
            () => bench.Reads.ReadTableAsync(id, 4, CancellationToken.None).AsTask());
        await Assert.ThrowsAsync<CorruptDataException>(() => bench.ReadFramesAsync(id, Frame + 1, 0, 2));
    }

    [Fact]
    public Task AnObjectReplacedBetweenHeaderAndFrameIsReadAnew() => Seeded.RunAsync(async random =>
    {
        await using var bench = await StoreBench.OpenAsync();
        var (plaintext, id, _) = await PutFamilyAsync(bench, random);
        await bench.ReadFramesAsync(id, plaintext.Length, 0, 1);

        // Healed meanwhile: whole, with another key and other offsets, and the delta is gone.
        await bench.PutAsync(plaintext);
        await bench.Storage.DeleteAsync([ObjectNames.Block(id, BlockForm.Delta)], CancellationToken.None);
        Assert.Equal(plaintext[..Frame], await bench.ReadFramesAsync(id, plaintext.Length, 0, 1));

        await bench.PutAsync(plaintext);
        Assert.Equal(plaintext[..Frame], await bench.ReadFramesAsync(id, plaintext.Length, 0, 1));
    });

    [Fact]
    public Task ALenderReplacedMeanwhileIsReadAnew() => Seeded.RunAsync(async random =>
    {
        await using var bench = await StoreBench.OpenAsync();
        var (plaintext, id, lenders) = await PutFamilyAsync(bench, random);
        await bench.ReadFramesAsync(id, plaintext.Length, 3, 1);
        var (lender, _) = await bench.ReadBlockAsync(lenders[0], plaintext.Length);
        await bench.PutAsync(lender);

        Assert.Equal(plaintext[(3 * Frame)..(5 * Frame)], await bench.ReadFramesAsync(id, plaintext.Length, 3, 2));
        await bench.PutAsync(lender);
        Assert.Empty((await bench.ReadBlockAsync(id, plaintext.Length)).Damages);
    });

    [Fact]
    public Task TheHeaderOfADeltaIsReadWithoutItsLength() => Seeded.RunAsync(async random =>
    {
        await using var bench = await StoreBench.OpenAsync();
        var plaintext = Plaintext.Noise(random, 300 * Frame);
        var id = await bench.PutAsync(plaintext);
        var (small, delta, lenders) = await PutFamilyAsync(bench, random);

        Assert.Equal(300, (await bench.Reads.ReadTableAsync(id, BlockForm.Whole, CancellationToken.None)).FrameCount);
        var table = await bench.Reads.ReadTableAsync(delta, BlockForm.Delta, CancellationToken.None);
        Assert.Equal(lenders, table.Lenders);
        Assert.Equal(small.Length, table.BlockLength);
    });

    [Fact]
    public Task ReadingAKnownBlocksFrameAllocatesNothing() => Seeded.RunAsync(async random =>
    {
        await using var bench = await StoreBench.OpenAsync(storage: null);
        var plaintext = Plaintext.Mixed(random, 8 * Frame);
        var id = await bench.PutAsync(plaintext);
        var frame = new byte[Frame];
        for (var round = 0; round < 200; round++)
        {
            await bench.Reads.ReadFramesAsync(id, plaintext.Length, 3, frame, CancellationToken.None);
        }

        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var round = 0; round < 100; round++)
        {
            var read = bench.Reads.ReadFramesAsync(id, plaintext.Length, 3, frame, CancellationToken.None);
            Assert.True(read.IsCompletedSuccessfully);
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    });

    /// <summary>Two whole lenders and a delta: frame 0 own, 1 and 2 of the second lender, 3 and 4 of the first, 5 a hole.</summary>
    private static async Task<(byte[] Plaintext, BlockId Id, BlockId[] Lenders)> PutFamilyAsync(
        StoreBench bench, Random random)
    {
        var first = Plaintext.Noise(random, (6 * Frame) + 10);
        var second = Plaintext.Noise(random, first.Length);
        var plaintext = Plaintext.Noise(random, first.Length);
        second.AsSpan(Frame, 2 * Frame).CopyTo(plaintext.AsSpan(Frame));
        first.AsSpan(3 * Frame, 2 * Frame).CopyTo(plaintext.AsSpan(3 * Frame));
        plaintext.AsSpan(5 * Frame, Frame).Clear();
        BlockId[] lenders = [await bench.PutAsync(first), await bench.PutAsync(second)];
        var id = await bench.PutAsync(
            plaintext, lenders, frame => frame switch { 1 or 2 => 1, 3 or 4 => 0, _ => Own });
        return (plaintext, id, lenders);
    }

    private static byte[] WithZeros(byte[] plaintext, params int[] frames)
    {
        var bytes = plaintext.AsSpan().ToArray();
        foreach (var frame in frames)
        {
            bytes.AsSpan(frame * Frame, BlockGeometry.FrameLength(bytes.Length, frame)).Clear();
        }

        return bytes;
    }

    private static byte[] Flip(byte[] bytes, int position)
    {
        bytes[position] ^= 0x10;
        return bytes;
    }
}
