using System.Buffers.Binary;
using Benji.Store.Blocks.Sealing;
using Benji.Store.Model;
using Benji.Testing;
using Benji.Testing.Blocks;
using Xunit;

namespace Benji.Tests.Blocks.Sealing;

/// <summary>Foreign bytes give the plaintext that was sealed or a <see cref="CorruptDataException"/>, nothing else.</summary>
public class OpenerTests
{
    private const int Frame = BlockGeometry.FrameSize;
    private const int Rounds = 300;

    [Theory]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public void EveryByteOfTheHeaderCounts(bool isEncrypted, bool isCompressed) => Seeded.Run(random =>
    {
        using var bench = new SealingBench(isEncrypted, isCompressed);
        var plaintext = Plaintext.Mixed(random, (3 * Frame) + 5);
        var bytes = bench.Seal(plaintext);
        var expected = bench.Expect(plaintext);
        var headerLength = BinaryPrimitives.ReadInt32LittleEndian(bytes.AsSpan(SealedHeader.HeaderLengthOffset));
        for (var position = 0; position < headerLength; position++)
        {
            AssertDamaged(bench, expected, Flip(bytes, position, (byte)(1 << random.Next(8))));
        }
    });

    [Theory]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public void ChangedAndCutBytesAreFound(bool isEncrypted, bool isCompressed) => Seeded.Run(random =>
    {
        using var bench = new SealingBench(isEncrypted, isCompressed);
        var plaintext = Plaintext.Mixed(random, (2 * Frame) + 99);
        var bytes = bench.Seal(plaintext);
        var expected = bench.Expect(plaintext);
        for (var round = 0; round < Rounds; round++)
        {
            var twin = random.Next(3) switch
            {
                0 => bytes[..random.Next(bytes.Length)],
                1 => [.. bytes, .. new byte[random.Next(1, 100)]],
                _ => Flip(bytes, random.Next(bytes.Length), (byte)random.Next(1, 256)),
            };
            if (isCompressed && !isEncrypted && twin.Length == bytes.Length)
            {
                // A zstd frame has bits that no decoder looks at; the plaintext's hash is what counts then.
                AssertDamagedOrEqual(bench, expected, twin, plaintext);
                continue;
            }

            AssertDamaged(bench, expected, twin);
        }
    });

    /// <summary>Someone who can make the check (there is no key without encryption) still gets nothing else past the parser.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void HeadersWithAMatchingCheckAreBoundedToo(bool isEncrypted) => Seeded.Run(random =>
    {
        using var bench = new SealingBench(isEncrypted, isCompressed: true);
        var plaintext = Plaintext.Mixed(random, (4 * Frame) + 1);
        var bytes = bench.Seal(plaintext);
        var expected = bench.Expect(plaintext);
        for (var round = 0; round < 5 * Rounds; round++)
        {
            var twin = bytes.AsSpan().ToArray();
            var headerLength = SealedHeader.LengthOf(5, 0);
            for (var change = random.Next(1, 4); change > 0; change--)
            {
                var value = random.Next(2) == 0 ? (byte)random.Next(256) : (byte)random.Next(4);
                twin[random.Next(headerLength - Hash256.Size)] = value;
            }

            SealedHeader.Check(bench.Keys, bench.StoreId, twin.AsSpan(0, headerLength - Hash256.Size))
                .CopyTo(twin.AsSpan(headerLength - Hash256.Size));
            AssertDamagedOrEqual(bench, expected, twin, plaintext);
        }
    });

    [Fact]
    public void NoiseNeverOpensAndNeverAllocatesByItsOwnNumbers() => Seeded.Run(random =>
    {
        using var bench = new SealingBench(isEncrypted: true, isCompressed: true);
        var expected = bench.Expect(Plaintext.Noise(random, Frame)) with { PlaintextLength = null };
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var round = 0; round < Rounds; round++)
        {
            var bytes = Plaintext.Noise(random, random.Next(400));
            if (bytes.Length > 16)
            {
                BinaryPrimitives.WriteUInt32LittleEndian(bytes, SealedHeader.Magic);
                bytes[SealedHeader.KindOffset] = 1;
                bytes[SealedHeader.VersionOffset] = 1;
            }

            AssertDamaged(bench, expected, bytes);
        }

        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, Rounds * 20_000L);
    });

    [Fact]
    public void AnotherBlocksObjectIsRefused() => Seeded.Run(random =>
    {
        using var bench = new SealingBench(isEncrypted: true, isCompressed: true);
        var asked = Plaintext.Noise(random, 1000);
        var other = Plaintext.Noise(random, 1000);

        AssertDamaged(bench, bench.Expect(asked), bench.Seal(other));
    });

    /// <summary>Whoever has the key, or needs none, can seal any bytes under a block's name.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void AnotherBlocksBytesUnderABlocksNameAreRefused(bool isEncrypted) => Seeded.Run(random =>
    {
        using var bench = new SealingBench(isEncrypted, isCompressed: true);
        var asked = Plaintext.Noise(random, (2 * Frame) + 1);
        byte[] swapped = [.. asked[Frame..(2 * Frame)], .. asked[..Frame], asked[^1]];
        foreach (var other in new[] { Plaintext.Noise(random, asked.Length), swapped })
        {
            var twin = bench.Seal(other, bench.Expect(asked).Name);

            var failure = Assert.Throws<CorruptDataException>(() => bench.Open(bench.Expect(asked), twin));
            Assert.Contains("do not hash to its name", failure.Message, StringComparison.Ordinal);
        }
    });

    [Fact]
    public void AnotherStoresObjectIsRefused() => Seeded.Run(random =>
    {
        using var bench = new SealingBench(isEncrypted: false, isCompressed: true);
        using var other = new SealingBench(isEncrypted: false, isCompressed: true, seed: 2);
        var plaintext = Plaintext.Noise(random, 1000);

        AssertDamaged(bench, other.Expect(plaintext), other.Seal(plaintext));
    });

    [Fact]
    public void AnObjectWithoutEncryptionIsRefusedWhereThereIsAKey() => Seeded.Run(random =>
    {
        using var bench = new SealingBench(isEncrypted: true, isCompressed: true);
        using var plain = new SealingBench(isEncrypted: false, isCompressed: true);
        var plaintext = Plaintext.Noise(random, 1000);

        // Both have the same input key, so that name, hashes and check agree.
        Assert.Equal(bench.Expect(plaintext).Name, plain.Expect(plaintext).Name);
        var failure = Assert.Throws<CorruptDataException>(
            () => bench.Open(bench.Expect(plaintext), plain.Seal(plaintext)));
        Assert.Contains("without encryption", failure.Message, StringComparison.Ordinal);
        AssertDamaged(plain, plain.Expect(plaintext), bench.Seal(plaintext));
    });

    [Theory]
    [InlineData(SealedHeader.VersionOffset, 2, "format version 2")]
    [InlineData(SealedHeader.KindOffset, 4, "kind 4")]
    [InlineData(SealedHeader.FirstTransformOffset, 3, "unknown transforms 3")]
    public void WhatIsNewerIsNamed(int offset, byte value, string words) => Seeded.Run(random =>
    {
        using var bench = new SealingBench(isEncrypted: true, isCompressed: true);
        var plaintext = Plaintext.Noise(random, 1000);
        var bytes = bench.Seal(plaintext);
        bytes[offset] = value;

        var failure = Assert.Throws<CorruptDataException>(() => bench.Open(bench.Expect(plaintext), bytes));
        Assert.Contains(words, failure.Message, StringComparison.Ordinal);
    });

    [Fact]
    public void SwappedFramesAreRefused() => Seeded.Run(random =>
    {
        using var bench = new SealingBench(isEncrypted: true, isCompressed: false);
        var plaintext = Plaintext.Noise(random, 2 * Frame);
        var bytes = bench.Seal(plaintext);
        var start = SealedHeader.LengthOf(2, 0);
        var stored = (bytes.Length - start) / 2;
        byte[] twin = [.. bytes[..start], .. bytes[(start + stored)..], .. bytes[start..(start + stored)]];

        AssertDamaged(bench, bench.Expect(plaintext), twin);
    });

    private static void AssertDamaged(SealingBench bench, in ExpectedObject expected, byte[] bytes)
    {
        var wanted = expected;
        Assert.Throws<CorruptDataException>(() => bench.Open(wanted, bytes));
    }

    private static void AssertDamagedOrEqual(
        SealingBench bench, in ExpectedObject expected, byte[] bytes, byte[] plaintext)
    {
        byte[] opened;
        try
        {
            opened = bench.Open(expected, bytes);
        }
        catch (CorruptDataException)
        {
            return;
        }

        // A change to the same value, or of the wrapped key of a store without one.
        Assert.Equal(plaintext, opened);
    }

    private static byte[] Flip(byte[] bytes, int position, byte mask)
    {
        var twin = bytes.AsSpan().ToArray();
        twin[position] ^= mask;
        return twin;
    }
}
