using System.Security.Cryptography;
using System.Text;
using Benji.Store.Model;
using Benji.Store.Transforms;
using Xunit;

namespace Benji.Tests.Transforms;

public sealed class StoreKeysTests
{
    private static readonly byte[] InputKey = [.. Enumerable.Range(0, 32).Select(i => (byte)i)];
    private static readonly Guid StoreId = Guid.Parse("00112233-4455-6677-8899-aabbccddeeff");

    // The values below were made with Python's hmac and hashlib and its cryptography package, not with this code.
    [Fact]
    public void KeysEqualAnotherImplementation()
    {
        var text = Encoding.ASCII.GetBytes("benji");
        using var keys = StoreKeys.Encrypted(InputKey, StoreId);
        Assert.Equal(
            "0c942df6f7c7bfa300f22647601cc62a86534755a357ca47dee54742d4fa141e", keys.Frames.HashFrame(text).ToString());
        Assert.Equal(
            "644235206e3ecf9c39d0a05fa39629cb41bf762220fa354e62a9c25703c6d1d4", keys.Block.Hash(text).ToString());
        Assert.Equal(
            "91b09d0d2d1340ad6aa4874ddd1a11e1cf45248a11c22f6d9e44872516217456", keys.Page.Hash(text).ToString());
        Assert.Equal(
            "49e325c03fd7bcbb3f646d48d7e3fa2f39662908fe64dc8525d3b8065dd8c170", keys.Manifest.Hash(text).ToString());
        Assert.Equal(
            "5b651f687b402808f8b2a96812fbe5769f74b0e59956f29f0be37a07c9ad96a1", keys.Header.Hash(text).ToString());
        Assert.Equal(
            "7ef9d459f60b4ecc2cb847b14574a2d5afab7e9f5abf575bde46e2097257e97d", keys.Store.Hash(text).ToString());
        Assert.Equal(17557553841386020819UL, keys.KeyId);

        var wrapped = new byte[KeyWrap.WrappedSize];
        keys.Wrap.Wrap(InputKey, wrapped);
        Assert.Equal(
            "c134e993e69a85f45c7cee2dfbdaae7f5daecc2017f94a655e5694cc7c067776e60d428c03c45b19",
            Convert.ToHexStringLower(wrapped));
    }

    [Fact]
    public void PlainStoreHashesTheSameAndHasNoWrappingKey()
    {
        using var plain = StoreKeys.Plain(InputKey, StoreId);
        using var encrypted = StoreKeys.Encrypted(InputKey, StoreId);
        Assert.False(plain.IsEncrypted);
        Assert.True(encrypted.IsEncrypted);
        Assert.Equal(0UL, plain.KeyId);
        Assert.Equal(encrypted.Block.Hash([1]), plain.Block.Hash([1]));
        Assert.Throws<InvariantException>(() => plain.Wrap);
    }

    [Fact]
    public void AnotherStoreHasOtherKeys()
    {
        using var one = StoreKeys.Encrypted(InputKey, StoreId);
        using var other = StoreKeys.Encrypted(InputKey, Guid.Parse("00112233-4455-6677-8899-aabbccddeefe"));
        Assert.NotEqual(one.KeyId, other.KeyId);
        Assert.NotEqual(one.Block.Hash([1]), other.Block.Hash([1]));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(31)]
    [InlineData(33)]
    public void KeyOfAnotherLengthIsRefused(int length) =>
        Assert.Throws<ConfigurationException>(() => StoreKeys.Encrypted(new byte[length], StoreId));

    [Fact]
    public void PlatformHkdfHoldsTheSpecificationsVector()
    {
        // RFC 5869, A.1.
        var derived = new byte[42];
        HKDF.DeriveKey(
            HashAlgorithmName.SHA256,
            Convert.FromHexString("0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b"),
            derived,
            Convert.FromHexString("000102030405060708090a0b0c"),
            Convert.FromHexString("f0f1f2f3f4f5f6f7f8f9"));
        Assert.Equal(
            "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865",
            Convert.ToHexStringLower(derived));
    }

    [Fact]
    public void DisposedKeysCannotBeUsed()
    {
        var keys = StoreKeys.Encrypted(InputKey, StoreId);
        keys.Dispose();
        Assert.Throws<ObjectDisposedException>(() => keys.Block.Hash([1]));
        Assert.Throws<ObjectDisposedException>(() => keys.Frames.HashFrame([1]));
        Assert.Throws<ObjectDisposedException>(() => keys.Frames.HashFrames(Full(8), new byte[8 * 32]));
        Assert.Throws<ObjectDisposedException>(() => keys.Wrap.Wrap(InputKey, new byte[KeyWrap.WrappedSize]));
        Assert.Throws<ObjectDisposedException>(
            () => keys.Wrap.TryUnwrap(new byte[KeyWrap.WrappedSize], new byte[ObjectKey.Size]));
    }

    private static byte[] Full(int frames)
    {
        var block = new byte[frames * BlockGeometry.FrameSize];
        block.AsSpan().Fill(1);
        return block;
    }
}
