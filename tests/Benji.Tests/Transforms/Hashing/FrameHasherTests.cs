using Benji.Store.Model;
using Benji.Store.Transforms.Hashing;
using Benji.Testing;
using NSec.Cryptography;
using Xunit;

namespace Benji.Tests.Transforms.Hashing;

public sealed class FrameHasherTests
{
    private const int FrameSize = BlockGeometry.FrameSize;

    /// <summary>Made with Python's hashlib: keyed BLAKE2b-256 of the frame of <see cref="PatternFrame"/>.</summary>
    private const string PatternHash = "dcf64c35cf906039f8d399d93d3173e7427b8a9a01d930109434e9cd20a8f7f1";

    private static readonly byte[] Key = [.. Enumerable.Range(0, 32).Select(i => (byte)i)];

    [Fact]
    public void EveryWidthGivesTheHashOfAnotherImplementation()
    {
        var block = new byte[9 * FrameSize];
        for (var frame = 0; frame < 9; frame++)
        {
            PatternFrame().CopyTo(block, frame * FrameSize);
        }

        foreach (var width in SupportedWidths())
        {
            var hashes = HashWith(width, Key, block);
            for (var frame = 0; frame < 9; frame++)
            {
                var hash = new Hash256(hashes.AsSpan(frame * Hash256.Size));
                Assert.Equal(PatternHash, hash.ToString());
            }
        }
    }

    [Fact]
    public void EveryWidthEqualsLibsodiumForAnyBlock() => Seeded.Run(random =>
    {
        for (var round = 0; round < 40; round++)
        {
            var key = new byte[Blake2bKey.Size];
            random.NextBytes(key);
            var block = RandomBlock(random);
            var expected = HashWithLibsodium(key, block);
            foreach (var width in SupportedWidths())
            {
                Assert.Equal(expected, HashWith(width, key, block));
            }
        }
    });

    [Fact]
    public void AnyNumberOfFramesThatAreNoHolesIsHashedTheSame() => Seeded.Run(random =>
    {
        // Every count of frames that can be left over beside full passes of lanes, scattered over a block.
        for (var count = 0; count <= 17; count++)
        {
            var block = new byte[24 * FrameSize];
            foreach (var frame in Enumerable.Range(0, 24).OrderBy(_ => random.Next()).Take(count))
            {
                random.NextBytes(block.AsSpan(frame * FrameSize, FrameSize));
            }

            var expected = HashWithLibsodium(Key, block);
            foreach (var width in SupportedWidths())
            {
                Assert.Equal(expected, HashWith(width, Key, block));
            }
        }
    });

    [Fact]
    public void OneByteThatIsNotZeroMakesAFrameNoHole()
    {
        using var hasher = new FrameHasher(Key);
        foreach (var position in new[] { 0, 1, 7, 8, FrameSize / 2, FrameSize - 9, FrameSize - 1 })
        {
            var frame = new byte[FrameSize];
            Assert.True(hasher.HashFrame(frame).IsZero);
            frame[position] = 0x80;
            Assert.Equal(new Hash256(HashWithLibsodium(Key, frame)), hasher.HashFrame(frame));
        }
    }

    [Fact]
    public void ZeroIsFoundAtAnyLengthAndAlignment()
    {
        var bytes = new byte[100];
        for (var start = 0; start < 9; start++)
        {
            for (var length = 0; length < 40; length++)
            {
                Assert.True(FrameHasher.IsZero(bytes.AsSpan(start, length)));
                for (var position = start; position < start + length; position++)
                {
                    bytes[position] = 1;
                    Assert.False(FrameHasher.IsZero(bytes.AsSpan(start, length)));
                    bytes[position] = 0;
                }

                // What stands beside the range does not count.
                bytes[start + length] = 1;
                Assert.True(FrameHasher.IsZero(bytes.AsSpan(start, length)));
                bytes[start + length] = 0;
            }
        }
    }

    [Fact]
    public void ShortFrameOfZerosIsAHole()
    {
        foreach (var width in SupportedWidths())
        {
            Assert.All(HashWith(width, Key, new byte[(3 * FrameSize) + 5]), value => Assert.Equal(0, value));
        }
    }

    [Fact]
    public void HashesOfAnotherLengthAreRefused()
    {
        using var hasher = new FrameHasher(Key);
        Assert.Throws<InvariantException>(() => hasher.HashFrames(new byte[FrameSize + 1], new byte[32]));
        Assert.Throws<InvariantException>(() => hasher.HashFrames(new byte[FrameSize], new byte[64]));
        Assert.Throws<InvariantException>(() => hasher.HashFrame(new byte[FrameSize + 1]));
    }

    [Fact]
    public void KeyOfAnotherLengthIsRefused()
    {
        Assert.Throws<ArgumentException>(() => new FrameHasher(new byte[31]));
        Assert.Throws<ArgumentException>(() => new Blake2bKey(new byte[33]));
    }

    [Fact]
    public void AutoTakesTheWidestThatTheProcessorHas()
    {
        using var hasher = new FrameHasher(Key);
        Assert.Equal(SupportedWidths().Max(), hasher.Width);
    }

    [Fact]
    public async Task ConcurrentCallsGiveTheSameHashes()
    {
        using var hasher = new FrameHasher(Key);
        var block = new byte[(11 * FrameSize) + 77];
        new Random(4).NextBytes(block);
        var expected = HashWithLibsodium(Key, block);
        await Parallel.ForAsync(0, 64, (_, _) =>
        {
            var hashes = new byte[expected.Length];
            hasher.HashFrames(block, hashes);
            Assert.Equal(expected, hashes);
            return ValueTask.CompletedTask;
        });
    }

    [Fact]
    public void NothingIsAllocatedByAHash()
    {
        // A pass of lanes, a frame beside it, a hole and a short frame, whatever the width.
        var block = new byte[(6 * FrameSize) + 100];
        new Random(3).NextBytes(block);
        block.AsSpan(FrameSize, FrameSize).Clear();
        var hashes = new byte[7 * Hash256.Size];
        foreach (var width in SupportedWidths())
        {
            using var hasher = new FrameHasher(Key, width);
            Allocation.IsNone(() => hasher.HashFrames(block, hashes), 200);
        }
    }

    private static LaneWidth[] SupportedWidths()
    {
        LaneWidth[] widths = [.. new[] { LaneWidth.Single, LaneWidth.Four, LaneWidth.Eight }
            .Where(FrameHasher.IsSupported)];
        Assert.Contains(LaneWidth.Single, widths);
        return widths;
    }

    private static byte[] HashWith(LaneWidth width, byte[] key, byte[] block)
    {
        using var hasher = new FrameHasher(key, width);
        var hashes = new byte[FrameHasher.FrameCount(block.Length) * Hash256.Size];
        hashes.AsSpan().Fill(0xee);
        hasher.HashFrames(block, hashes);
        return hashes;
    }

    /// <summary>The reference: one frame at a time through NSec alone, zero frames found byte by byte.</summary>
    private static byte[] HashWithLibsodium(byte[] key, byte[] block)
    {
        var algorithm = new Blake2bMac(32, 32);
        using var imported = NSec.Cryptography.Key.Import(algorithm, key, KeyBlobFormat.RawSymmetricKey);
        var hashes = new List<byte>();
        foreach (var frame in block.Chunk(FrameSize))
        {
            hashes.AddRange(frame.All(value => value == 0) ? new byte[32] : algorithm.Mac(imported, frame));
        }

        return [.. hashes];
    }

    /// <summary>1 byte to 1 MiB: random frames, frames of zeros, frames of one set bit; the last one short.</summary>
    private static byte[] RandomBlock(Random random)
    {
        var block = new byte[random.Next(1, (1 << 20) + 1)];
        for (var offset = 0; offset < block.Length; offset += FrameSize)
        {
            var frame = block.AsSpan(offset, Math.Min(FrameSize, block.Length - offset));
            switch (random.Next(4))
            {
                case 0:
                    break;
                case 1:
                    frame[random.Next(frame.Length)] = (byte)(1 << random.Next(8));
                    break;
                default:
                    random.NextBytes(frame);
                    break;
            }
        }

        return block;
    }

    private static byte[] PatternFrame() =>
        [.. Enumerable.Range(0, FrameSize).Select(i => (byte)(((i * 7) + (i >> 8)) & 255))];
}
