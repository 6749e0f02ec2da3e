using Benji.Store.Blocks;
using Benji.Store.Blocks.Sealing;
using Benji.Store.Model;
using Benji.Store.Storages;
using Benji.Testing.Blocks;
using Xunit;

namespace Benji.Tests.Blocks.Reading;

/// <summary>A damaged whole object does not hide a good delta of its id, and damage names the object that failed.</summary>
public sealed class BlockSalvageTests : IAsyncLifetime
{
    private StoreBench _bench = null!;
    private BlockId _lender;
    private BlockId _id;

    private static readonly Func<byte[], byte[]>[] Damages =
    [
        bytes => [.. bytes[..50], (byte)(bytes[50] ^ 1), .. bytes[51..]],
        bytes => [.. bytes[..^5], (byte)(bytes[^5] ^ 1), .. bytes[^4..]],
        bytes => bytes[..70],
        bytes => bytes[..^1],
        _ => [],
    ];

    /// <summary>"abcd" whole; "abcx" whole and as a delta over it.</summary>
    public async Task InitializeAsync()
    {
        _bench = await StoreBench.OpenAsync(isEncrypted: false, zstdLevel: null);
        _lender = await _bench.PutAsync(DeltaCast.Of("abcd"));
        _id = await _bench.PutAsync(DeltaCast.Of("abcx"));
        await _bench.PutAsync(DeltaCast.Of("abcx"), [_lender], frame => frame == 3 ? SealPlan.Own : (byte)0);
    }

    public async Task DisposeAsync() => await _bench.DisposeAsync();

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public async Task TheDeltaIsReadWhereTheWholeObjectFails(int damage)
    {
        _bench.Memory.Damage(Whole(_id), Damages[damage]);

        var reading = await AssertReadsAsync(_id, "abcx");

        Assert.Equal([new FaultyObject(_id, BlockForm.Whole)], reading.Faults);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task TheDeltaOfALenderIsReadWhereItsWholeObjectFails(int damage)
    {
        var third = await _bench.PutAsync(DeltaCast.Of("xyyx"));
        await _bench.PutAsync(DeltaCast.Of("abcd"), [third], _ => SealPlan.Own);
        var borrower = await _bench.PutAsync(DeltaCast.Of("zbcd"), [_lender], frame => frame == 0 ? SealPlan.Own : (byte)0);
        _bench.Memory.Damage(Whole(_lender), Damages[damage]);

        var reading = await AssertReadsAsync(borrower, "zbcd");

        Assert.Equal([new FaultyObject(_lender, BlockForm.Whole)], reading.Faults);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public async Task AFrameThatFailsInALenderNamesTheLender(int damage)
    {
        await _bench.Storage.DeleteAsync([Whole(_id)], CancellationToken.None);
        var other = await _bench.PutAsync(DeltaCast.Of("ybcd"), [_lender], frame => frame == 0 ? SealPlan.Own : (byte)0);
        _bench.Memory.Damage(Whole(_lender), Damages[damage]);

        _bench.Restart();
        var reading = await _bench.Reads.ReadBlockAsync(other, DeltaCast.Length, new byte[DeltaCast.Length], CancellationToken.None);

        Assert.All(reading.Damages, frame => Assert.Equal(_lender, frame.Object.Block));
        Assert.Contains(reading.Damages, frame => frame.FrameIndex == 3);
        Assert.DoesNotContain(reading.Damages, frame => frame.FrameIndex == 0);
        Assert.Equal([_lender], reading.Faults.Select(fault => fault.Block).Distinct());
    }

    [Fact]
    public async Task AMissingLenderIsNamed()
    {
        await _bench.Storage.DeleteAsync([Whole(_id), Whole(_lender)], CancellationToken.None);

        var reading = await _bench.Reads.ReadBlockAsync(_id, DeltaCast.Length, new byte[DeltaCast.Length], CancellationToken.None);

        Assert.Equal([0, 1, 2], reading.Damages.Select(frame => frame.FrameIndex));
        Assert.Equal([new FaultyObject(_lender, null)], reading.Faults);
    }

    [Fact]
    public async Task ALenderThatDoesNotOwnTheFrameIsNotCalledDamaged()
    {
        await _bench.Storage.DeleteAsync([Whole(_id), Whole(_lender)], CancellationToken.None);
        var third = await _bench.PutAsync(DeltaCast.Of("abyy"));
        await _bench.PutAsync(DeltaCast.Of("abcd"), [third], frame => frame < 2 ? (byte)0 : SealPlan.Own);

        _bench.Restart();
        var reading = await _bench.Reads.ReadBlockAsync(_id, DeltaCast.Length, new byte[DeltaCast.Length], CancellationToken.None);

        Assert.Equal([0, 1], reading.Damages.Select(frame => frame.FrameIndex));
        Assert.Equal([new FaultyObject(_id, BlockForm.Delta)], reading.Faults);
    }

    [Fact]
    public async Task DamageIsToldRatherThanWhatIsMissing()
    {
        _bench.Memory.Damage(Whole(_id), Damages[2]);
        await _bench.Storage.DeleteAsync([Whole(_lender)], CancellationToken.None);

        var reading = await _bench.Reads.ReadBlockAsync(_id, DeltaCast.Length, new byte[DeltaCast.Length], CancellationToken.None);

        Assert.Equal([0, 1, 2], reading.Damages.Select(frame => frame.FrameIndex));
        Assert.All(reading.Damages, frame => Assert.Equal(new FaultyObject(_id, BlockForm.Whole), frame.Object));
    }

    [Fact]
    public async Task TheTableIsThatOfTheDeltaWhereTheWholeHeaderIsDamaged()
    {
        Assert.Empty((await _bench.Reads.ReadTableAsync(_id, DeltaCast.Length, CancellationToken.None)).Lenders);
        _bench.Memory.Damage(Whole(_id), Damages[0]);
        _bench.Restart();
        Assert.Equal([_lender], (await _bench.Reads.ReadTableAsync(_id, DeltaCast.Length, CancellationToken.None)).Lenders);

        _bench.Memory.Damage(ObjectNames.Block(_id, BlockForm.Delta), Damages[0]);
        _bench.Restart();
        var failure = await Assert.ThrowsAsync<CorruptDataException>(
            () => _bench.Reads.ReadTableAsync(_id, DeltaCast.Length, CancellationToken.None).AsTask());
        Assert.Contains(Whole(_id).Value, failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ALenderThatOwnsAnotherFrameIsNotCalledDamaged()
    {
        var id = await _bench.PutAsync(DeltaCast.Of("ybcx"), [_lender], frame => frame == 0 ? SealPlan.Own : (byte)0);

        var reading = await _bench.Reads.ReadBlockAsync(id, DeltaCast.Length, new byte[DeltaCast.Length], CancellationToken.None);

        Assert.Equal([3], reading.Damages.Select(frame => frame.FrameIndex));
        Assert.Equal([new FaultyObject(id, BlockForm.Delta)], reading.Faults);
    }

    [Fact]
    public async Task EveryFrameThatDoesNotMatchIsNamed()
    {
        // Sealed under the hashes of other bytes, as by a run whose memory rots.
        var hashes = _bench.Hash(DeltaCast.Of("efgh"));
        var id = BlockIds.Compute(_bench.Store.Keys, DeltaCast.Length, hashes);
        using (var bytes = _bench.Store.Sealer.Seal(
            new SealPlan { Kind = ObjectKind.Block, Name = id.Hash, Hashes = hashes }, DeltaCast.Of("exgx"), out _))
        {
            await _bench.Storage.PutAsync(Whole(id), bytes.Memory, CancellationToken.None);
        }

        var reading = await _bench.Reads.ReadBlockAsync(id, DeltaCast.Length, new byte[DeltaCast.Length], CancellationToken.None);

        Assert.Equal([1, 3], reading.Damages.Select(frame => frame.FrameIndex));
        Assert.Equal([new FaultyObject(id, BlockForm.Whole)], reading.Faults);
    }

    [Fact]
    public async Task WhatTheStorageFailsToReadIsNamedToo()
    {
        await _bench.Storage.DeleteAsync([Whole(_id)], CancellationToken.None);
        _bench.Storage.BeforeRead = name => name == Whole(_lender)
            ? throw new StorageException("A sector is bad.", isTransient: false) : Task.CompletedTask;
        var content = new byte[DeltaCast.Length];

        var reading = await _bench.Reads.SalvageBlockAsync(_id, content, "It cannot be read.", CancellationToken.None);

        Assert.Equal([0, 1, 2], reading.Damages.Select(frame => frame.FrameIndex));
        Assert.Equal([_lender], reading.Faults.Select(fault => fault.Block).Distinct());
        Assert.Equal(DeltaCast.Of("...x"), content);
    }

    [Fact]
    public async Task NothingMoreIsReadWhenAllIsWell()
    {
        var reads = _bench.Storage.Reads;
        await _bench.ReadBlockAsync(_id, DeltaCast.Length);
        Assert.Equal(reads + 1, _bench.Storage.Reads);
        await _bench.ReadFramesAsync(_id, DeltaCast.Length, 0, 2);
        await _bench.ReadFramesAsync(_id, DeltaCast.Length, 1, 2);
        Assert.Equal(reads + 4, _bench.Storage.Reads);
    }

    private static ObjectName Whole(BlockId id) => ObjectNames.Block(id, BlockForm.Whole);

    private async Task<BlockReading> AssertReadsAsync(BlockId id, string letters)
    {
        for (var frame = 0; frame < DeltaCast.Frames; frame++)
        {
            _bench.Restart();
            var expected = DeltaCast.Of(letters).AsSpan(frame * BlockGeometry.FrameSize);
            var length = Math.Min(BlockGeometry.FrameSize, expected.Length);
            Assert.Equal(expected[..length].ToArray(), await _bench.ReadFramesAsync(id, DeltaCast.Length, frame, 1));
        }

        _bench.Restart();
        var content = new byte[DeltaCast.Length];
        var reading = await _bench.Reads.ReadBlockAsync(id, content.Length, content, CancellationToken.None);
        Assert.Empty(reading.Damages);
        Assert.Equal(DeltaCast.Of(letters), content);
        return reading;
    }
}
