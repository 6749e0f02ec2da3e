using System.Text;
using Benji.Store.Model;
using Benji.Store.Transforms;
using Benji.Testing;
using Xunit;

namespace Benji.Tests.Transforms;

public sealed class AesGcmTransformTests : IDisposable
{
    private static readonly byte[] KeyBytes = [.. Enumerable.Range(0, 32).Select(i => (byte)i)];
    private static readonly byte[] AdditionalData = Encoding.ASCII.GetBytes("store");

    private readonly AesGcmTransform _transform = new();
    private readonly ObjectKey _key = new(KeyBytes);

    public void Dispose() => _key.Dispose();

    [Fact]
    public void EncodedBytesEqualAnotherImplementation()
    {
        // Made with Python's cryptography package: nonce 07000000 and eight zero bytes, additional data "store".
        Assert.Equal(
            "8cbea180ecf44c167a8def1d0c66a2a40c800539a5",
            Convert.ToHexStringLower(Encode(Encoding.ASCII.GetBytes("benji"), 7)));
    }

    [Fact]
    public void AnyFrameComesBack() => Seeded.Run(random =>
    {
        for (var round = 0; round < 50; round++)
        {
            var plain = new byte[round == 0 ? 0 : random.Next(1, BlockGeometry.FrameSize + 1)];
            random.NextBytes(plain);
            var index = (uint)random.NextInt64(1L << 32);
            var encoded = Encode(plain, index);
            Assert.Equal(plain.Length + 16, encoded.Length);
            Assert.Equal(plain, Decode(_key, AdditionalData, index, encoded, plain.Length));
        }
    });

    [Fact]
    public void WorksInPlace()
    {
        var plain = new byte[BlockGeometry.FrameSize];
        new Random(5).NextBytes(plain);
        var buffer = new byte[_transform.EncodedLengthMax(plain.Length)];
        plain.CopyTo(buffer, 0);
        var written = _transform.Encode(Context(_key, AdditionalData, 3), buffer.AsSpan(0, plain.Length), buffer);
        Assert.Equal(Encode(plain, 3), buffer);
        Assert.Equal(plain.Length, _transform.Decode(
            Context(_key, AdditionalData, 3), buffer.AsSpan(0, written), buffer.AsSpan(0, plain.Length)));
        Assert.Equal(plain, buffer[..plain.Length]);
    }

    [Fact]
    public void EveryAlteredBitIsFound()
    {
        var encoded = Encode(Encoding.ASCII.GetBytes("sixteen bytes ok"), 1);
        for (var bit = 0; bit < 8 * encoded.Length; bit++)
        {
            encoded[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.Throws<CorruptDataException>(() => Decode(_key, AdditionalData, 1, encoded, 16));
            encoded[bit / 8] ^= (byte)(1 << (bit % 8));
        }
    }

    [Fact]
    public void AnotherKeyIndexOrAdditionalDataIsFound()
    {
        var encoded = Encode(Encoding.ASCII.GetBytes("benji"), 1);
        using var other = ObjectKey.NewRandom();
        Assert.Throws<CorruptDataException>(() => Decode(other, AdditionalData, 1, encoded, 5));
        Assert.Throws<CorruptDataException>(() => Decode(_key, AdditionalData, 2, encoded, 5));
        Assert.Throws<CorruptDataException>(() => Decode(_key, Encoding.ASCII.GetBytes("storf"), 1, encoded, 5));
        Assert.Throws<CorruptDataException>(() => Decode(_key, [], 1, encoded, 5));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(15)]
    [InlineData(20)]
    [InlineData(22)]
    [InlineData(70000)]
    public void StoredBytesOfAnotherLengthAreRefused(int storedLength) =>
        Assert.Throws<CorruptDataException>(() => Decode(_key, AdditionalData, 1, new byte[storedLength], 5));

    [Fact]
    public void ObjectKeyIsCopiedOutForWrappingAndClearedAfterwards()
    {
        var copy = new byte[ObjectKey.Size];
        var key = new ObjectKey(KeyBytes);
        key.CopyTo(copy);
        Assert.Equal(KeyBytes, copy);
        key.Dispose();
        Assert.Throws<ObjectDisposedException>(() => key.CopyTo(copy));
        Assert.Throws<ObjectDisposedException>(() => Decode(key, AdditionalData, 1, new byte[21], 5));
    }

    [Fact]
    public void RandomObjectKeysDiffer()
    {
        using var one = ObjectKey.NewRandom();
        using var other = ObjectKey.NewRandom();
        var oneBytes = new byte[ObjectKey.Size];
        var otherBytes = new byte[ObjectKey.Size];
        one.CopyTo(oneBytes);
        other.CopyTo(otherBytes);
        Assert.NotEqual(oneBytes, otherBytes);
        Assert.Contains(oneBytes, value => value != 0);
    }

    [Fact]
    public async Task ConcurrentCallsOfOneKeyDoNotDisturbEachOther()
    {
        var plain = new byte[5000];
        new Random(6).NextBytes(plain);
        var encoded = Encode(plain, 9);
        await Parallel.ForAsync(0, 500, (i, _) =>
        {
            Assert.Equal(plain, Decode(_key, AdditionalData, 9, encoded, plain.Length));
            Assert.Equal(encoded, Encode(plain, 9));
            return ValueTask.CompletedTask;
        });
    }

    [Fact]
    public void NothingIsAllocatedByAFrame()
    {
        var plain = new byte[4096];
        var encoded = new byte[_transform.EncodedLengthMax(plain.Length)];
        Allocation.IsNone(
            () =>
            {
                _transform.Encode(Context(_key, AdditionalData, 1), plain, encoded);
                _transform.Decode(Context(_key, AdditionalData, 1), encoded, plain);
            },
            1000);
    }

    private static FrameContext Context(ObjectKey key, byte[] additionalData, uint frameIndex) =>
        new() { Key = key, AdditionalData = additionalData, FrameIndex = frameIndex };

    private byte[] Encode(byte[] plain, uint frameIndex)
    {
        var encoded = new byte[_transform.EncodedLengthMax(plain.Length)];
        Assert.Equal(encoded.Length, _transform.Encode(Context(_key, AdditionalData, frameIndex), plain, encoded));
        return encoded;
    }

    private byte[] Decode(ObjectKey key, byte[] additionalData, uint frameIndex, byte[] encoded, int length)
    {
        var plain = new byte[length];
        Assert.Equal(length, _transform.Decode(Context(key, additionalData, frameIndex), encoded, plain));
        return plain;
    }
}
