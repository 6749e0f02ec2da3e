using System.Buffers.Binary;
using Benji.Store.Model;
using Benji.Store.Transforms;
using Benji.Testing;
using Xunit;
using ZstdSharp;
using ZstdSharp.Unsafe;

namespace Benji.Tests.Transforms;

/// <summary>What the zstd transform promises, over each implementation of zstd.</summary>
public abstract class ZstdTransformContract(bool mayBeNative) : IDisposable
{
    private readonly ZstdTransform _transform = new(mayBeNative: mayBeNative);

    public void Dispose()
    {
        _transform.Dispose();
        GC.SuppressFinalize(this);
    }

    [Theory]
    [InlineData(-3)]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(19)]
    public void AnyFrameComesBackAtEveryLevel(int level) => Seeded.Run(random =>
    {
        using var transform = new ZstdTransform(level, mayBeNative);
        for (var round = 0; round < 20; round++)
        {
            var plain = Compressible(random, random.Next(100, BlockGeometry.FrameSize + 1));
            var encoded = Encode(transform, plain);
            Assert.NotNull(encoded);
            Assert.True(encoded.Length < plain.Length);
            Assert.Equal(plain, Decode(encoded, plain.Length));
        }
    });

    [Fact]
    public void WhatDoesNotShrinkIsKeptRaw()
    {
        var random = new Random(1);
        foreach (var length in new[] { 0, 1, 2, 15, 255, 256, 4096, BlockGeometry.FrameSize })
        {
            var plain = new byte[length];
            random.NextBytes(plain);
            Assert.Null(Encode(_transform, plain));
        }
    }

    [Fact]
    public void WhateverShrinksIsSmallerThanItsSource() => Seeded.Run(random =>
    {
        // Random bytes that end in ever more zeros: somewhere compression begins to pay.
        var sizes = new List<int>();
        for (var zeros = 0; zeros < 64; zeros++)
        {
            var plain = new byte[1000];
            random.NextBytes(plain.AsSpan(0, plain.Length - zeros));
            if (Encode(_transform, plain) is { } encoded)
            {
                Assert.Equal(plain, Decode(encoded, plain.Length));
                sizes.Add(encoded.Length);
            }
        }

        Assert.InRange(sizes.Count, 1, 63);
        Assert.InRange(sizes.Max(), 970, 999);
    });

    [Fact]
    public void StoredFrameNamesItsSizeAndCarriesNoChecksumOrDictionary()
    {
        var encoded = Encode(_transform, new byte[BlockGeometry.FrameSize]);
        Assert.NotNull(encoded);
        Assert.Equal(0xfd2fb528u, BinaryPrimitives.ReadUInt32LittleEndian(encoded));

        // RFC 8878, 3.1.1.1: content size flag 1 (two bytes, 256 less), single segment, no checksum, no dictionary id.
        Assert.Equal(0x60, encoded[4]);
        Assert.Equal(BlockGeometry.FrameSize - 256, BinaryPrimitives.ReadUInt16LittleEndian(encoded.AsSpan(5)));
    }

    [Fact]
    public void AnotherLengthThanExpectedIsRefused()
    {
        var encoded = Encode(_transform, new byte[1000])!;
        Assert.Throws<CorruptDataException>(() => Decode(encoded, 999));
        Assert.Throws<CorruptDataException>(() => Decode(encoded, 1001));
        Assert.Throws<CorruptDataException>(() => Decode(encoded, 0));
        Assert.Equal(new byte[1000], Decode(encoded, 1000));
    }

    [Fact]
    public void EveryTruncationAndAppendedByteIsRefused()
    {
        var encoded = Encode(_transform, Compressible(new Random(2), 3000))!;
        for (var length = 0; length < encoded.Length; length++)
        {
            Assert.Throws<CorruptDataException>(() => Decode(encoded[..length], 3000));
        }

        Assert.Throws<CorruptDataException>(() => Decode([.. encoded, 0], 3000));
        Assert.Throws<CorruptDataException>(() => Decode([.. encoded, .. encoded], 3000));
        Assert.Throws<CorruptDataException>(() => Decode([.. encoded, .. encoded], 6000));

        // A skippable frame, empty, before or behind the real one (RFC 8878, 3.1.2).
        byte[] skippable = [0x50, 0x2a, 0x4d, 0x18, 0, 0, 0, 0];
        Assert.Throws<CorruptDataException>(() => Decode([.. encoded, .. skippable], 3000));
        Assert.Throws<CorruptDataException>(() => Decode([.. skippable, .. encoded], 3000));
        Assert.Throws<CorruptDataException>(() => Decode(skippable, 0));
    }

    [Fact]
    public void FrameThatPromisesTheWorldCostsNoMemory()
    {
        // Eight bytes of content size say 2^60; then a header whose window descriptor says 2^41.
        byte[] large = [0x28, 0xb5, 0x2f, 0xfd, 0xe0, 0, 0, 0, 0, 0, 0, 0, 0x10, 1, 0, 0];
        byte[] wide = [0x28, 0xb5, 0x2f, 0xfd, 0x40, 0xf8, 0, 0, 1, 0, 0];
        var before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Throws<CorruptDataException>(() => Decode(large, 4096));
        Assert.Throws<CorruptDataException>(() => Decode(wide, 256));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1 << 20);
    }

    [Fact]
    public void FrameWithoutItsSizeIsRefused()
    {
        using var compressor = new Compressor(1);
        compressor.SetParameter(ZSTD_cParameter.ZSTD_c_contentSizeFlag, 0);
        Assert.Throws<CorruptDataException>(() => Decode(compressor.Wrap(new byte[1000]).ToArray(), 1000));
    }

    [Fact]
    public void AnyDamageDecodesToTheFullLengthOrIsRefused() => Seeded.Run(random =>
    {
        var refused = 0;
        for (var round = 0; round < 3000; round++)
        {
            var plain = Compressible(random, random.Next(20, 5000));
            var encoded = Encode(_transform, plain) ?? plain;
            for (var hits = random.Next(1, 6); hits > 0; hits--)
            {
                // Mostly behind the magic, where the decoder goes deeper.
                var position = random.Next(random.Next(8) == 0 ? 0 : Math.Min(4, encoded.Length - 1), encoded.Length);
                encoded[position] = (byte)random.Next(256);
            }

            refused += Survives(encoded, plain.Length) ? 0 : 1;
        }

        Assert.InRange(refused, 1000, 3000);
    });

    [Fact]
    public void AnyBytesBehindAValidHeaderDecodeToTheFullLengthOrAreRefused() => Seeded.Run(random =>
    {
        for (var round = 0; round < 3000; round++)
        {
            var length = random.Next(256, 5000);
            var encoded = new byte[random.Next(8, 300)];
            random.NextBytes(encoded);
            new byte[] { 0x28, 0xb5, 0x2f, 0xfd, 0x60 }.CopyTo(encoded, 0);
            BinaryPrimitives.WriteUInt16LittleEndian(encoded.AsSpan(5), (ushort)(length - 256));

            // One block, the last, as long as the rest, of any type: the decoder sees its insides.
            if (encoded.Length > 10)
            {
                var header = ((encoded.Length - 10) << 3) | (random.Next(4) << 1) | 1;
                BinaryPrimitives.WriteUInt16LittleEndian(encoded.AsSpan(7), (ushort)header);
                encoded[9] = 0;
            }

            Survives(encoded, length);
        }
    });

    [Theory]
    [InlineData(0)]
    [InlineData(23)]
    [InlineData(int.MaxValue)]
    [InlineData(int.MinValue)]
    public void LevelThatZstdLacksIsRefused(int level) =>
        Assert.Throws<ConfigurationException>(() => new ZstdTransform(level, mayBeNative));

    [Fact]
    public async Task ConcurrentCallsDoNotDisturbEachOther()
    {
        await Parallel.ForAsync(0, 200, new ParallelOptions { MaxDegreeOfParallelism = 12 }, (i, _) =>
        {
            var plain = Compressible(new Random(i), 20_000 + i);
            Assert.Equal(plain, Decode(Encode(_transform, plain)!, plain.Length));
            return ValueTask.CompletedTask;
        });
    }

    [Fact]
    public void NothingIsAllocatedByAFrame()
    {
        var plain = Compressible(new Random(7), 20_000);
        var noise = new byte[20_000];
        new Random(8).NextBytes(noise);
        var encoded = new byte[plain.Length];
        Allocation.IsNone(
            () =>
            {
                var written = _transform.Encode(default, plain, encoded);
                _transform.Decode(default, encoded.AsSpan(0, written), plain);
                _transform.Encode(default, noise, encoded);
            },
            1000);
    }

    /// <summary>Decodes foreign bytes; they either fill the destination and nothing else, or are refused.</summary>
    private bool Survives(byte[] encoded, int length)
    {
        // Guards on both sides: a decoder that writes outside its destination is found.
        var buffer = new byte[length + 128];
        buffer.AsSpan().Fill(0xa5);
        bool decoded;
        try
        {
            Assert.Equal(length, _transform.Decode(default, encoded, buffer.AsSpan(64, length)));
            decoded = true;
        }
        catch (CorruptDataException)
        {
            decoded = false;
        }

        Assert.False(buffer.AsSpan(0, 64).ContainsAnyExcept((byte)0xa5));
        Assert.False(buffer.AsSpan(64 + length).ContainsAnyExcept((byte)0xa5));
        return decoded;
    }

    private static byte[] Compressible(Random random, int length)
    {
        var plain = new byte[length];
        for (var offset = 0; offset < length;)
        {
            var run = Math.Min(random.Next(1, 60), length - offset);
            if (offset > 60 && random.Next(3) != 0)
            {
                plain.AsSpan(random.Next(offset - run), run).CopyTo(plain.AsSpan(offset));
            }
            else
            {
                plain.AsSpan(offset, run).Fill((byte)random.Next(64));
            }

            offset += run;
        }

        return plain;
    }

    private static byte[]? Encode(ZstdTransform transform, byte[] plain)
    {
        var encoded = new byte[transform.EncodedLengthMax(plain.Length)];
        var written = transform.Encode(default, plain, encoded);
        return written == ITransform.KeepRaw ? null : encoded[..written];
    }

    private byte[] Decode(byte[] encoded, int length)
    {
        var plain = new byte[length];
        Assert.Equal(length, _transform.Decode(default, encoded, plain));
        return plain;
    }
}
