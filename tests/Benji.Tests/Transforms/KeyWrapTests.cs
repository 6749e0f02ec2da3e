using Benji.Store.Transforms;
using Xunit;

namespace Benji.Tests.Transforms;

public sealed class KeyWrapTests
{
    [Theory]
    [InlineData( // RFC 3394, 4.1
        "000102030405060708090A0B0C0D0E0F",
        "00112233445566778899AABBCCDDEEFF",
        "1FA68B0A8112B447AEF34BD8FB5A7B829D3E862371D2CFE5")]
    [InlineData( // 4.2
        "000102030405060708090A0B0C0D0E0F1011121314151617",
        "00112233445566778899AABBCCDDEEFF",
        "96778B25AE6CA435F92B5B97C050AED2468AB8A17AD84E5D")]
    [InlineData( // 4.3
        "000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F",
        "00112233445566778899AABBCCDDEEFF",
        "64E8C3F9CE0F5BA263E9777905818A2A93C8191E7D6E8AE7")]
    [InlineData( // 4.4
        "000102030405060708090A0B0C0D0E0F1011121314151617",
        "00112233445566778899AABBCCDDEEFF0001020304050607",
        "031D33264E15D33268F24EC260743EDCE1C6C7DDEE725A936BA814915C6762D2")]
    [InlineData( // 4.5
        "000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F",
        "00112233445566778899AABBCCDDEEFF0001020304050607",
        "A8F9BC1612C68B3FF6E6F4FBE30E71E4769C8B80A32CB8958CD5D17D6B254DA1")]
    [InlineData( // 4.6
        "000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F",
        "00112233445566778899AABBCCDDEEFF000102030405060708090A0B0C0D0E0F",
        "28C9F404C4B810F4CBCCB35CFB87F8263F5786E2D80ED326CBC7F0E71A99F43BFB988B9B7A02DD21")]
    public void VectorsOfTheSpecificationHold(string wrappingKey, string key, string wrapped)
    {
        using var wrap = new KeyWrap(Convert.FromHexString(wrappingKey));
        var plain = Convert.FromHexString(key);
        var actual = new byte[plain.Length + KeyWrap.Overhead];
        wrap.Wrap(plain, actual);
        Assert.Equal(wrapped, Convert.ToHexString(actual));

        var unwrapped = new byte[plain.Length];
        Assert.True(wrap.TryUnwrap(actual, unwrapped));
        Assert.Equal(plain, unwrapped);
    }

    [Fact]
    public void EveryAlteredBitIsFound()
    {
        using var wrap = new KeyWrap(Bytes(1, 32));
        var wrapped = new byte[KeyWrap.WrappedSize];
        wrap.Wrap(Bytes(2, 32), wrapped);
        var key = new byte[ObjectKey.Size];
        for (var bit = 0; bit < 8 * wrapped.Length; bit++)
        {
            wrapped[bit / 8] ^= (byte)(1 << (bit % 8));
            key.AsSpan().Fill(0xee);
            Assert.False(wrap.TryUnwrap(wrapped, key));
            Assert.Equal(new byte[ObjectKey.Size], key);
            wrapped[bit / 8] ^= (byte)(1 << (bit % 8));
        }

        Assert.True(wrap.TryUnwrap(wrapped, key));
    }

    [Fact]
    public void AnotherWrappingKeyDoesNotUnwrap()
    {
        using var wrap = new KeyWrap(Bytes(1, 32));
        using var other = new KeyWrap(Bytes(3, 32));
        var wrapped = new byte[KeyWrap.WrappedSize];
        wrap.Wrap(Bytes(2, 32), wrapped);
        Assert.False(other.TryUnwrap(wrapped, new byte[ObjectKey.Size]));
    }

    [Theory]
    [InlineData(32, 39)]
    [InlineData(32, 41)]
    [InlineData(8, 16)]
    [InlineData(31, 39)]
    [InlineData(72, 80)]
    public void OtherLengthsAreRefused(int keyLength, int wrappedLength)
    {
        using var wrap = new KeyWrap(Bytes(1, 32));
        Assert.Throws<ArgumentException>(() => wrap.Wrap(new byte[keyLength], new byte[wrappedLength]));
        Assert.Throws<ArgumentException>(() => wrap.TryUnwrap(new byte[wrappedLength], new byte[keyLength]));
    }

    [Fact]
    public async Task ConcurrentCallsDoNotDisturbEachOther()
    {
        using var wrap = new KeyWrap(Bytes(1, 32));
        await Parallel.ForAsync(0, 200, (i, _) =>
        {
            var wrapped = new byte[KeyWrap.WrappedSize];
            var key = new byte[ObjectKey.Size];
            wrap.Wrap(Bytes(i, 32), wrapped);
            Assert.True(wrap.TryUnwrap(wrapped, key));
            Assert.Equal(Bytes(i, 32), key);
            return ValueTask.CompletedTask;
        });
    }

    private static byte[] Bytes(int seed, int length)
    {
        var bytes = new byte[length];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }
}
