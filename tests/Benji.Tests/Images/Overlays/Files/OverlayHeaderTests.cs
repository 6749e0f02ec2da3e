using System.Buffers.Binary;
using System.Security.Cryptography;
using Benji.Store.Images.Overlays.Files;
using Benji.Store.Model;
using Benji.Testing;
using Xunit;

namespace Benji.Tests.Images.Overlays.Files;

public sealed class OverlayHeaderTests
{
    private const int Rounds = 3000;
    private const int CheckOffset = OverlayHeader.Length - 32;

    [Fact]
    public void EveryHeaderParsesToItself() => Seeded.Run(random =>
    {
        for (var round = 0; round < 500; round++)
        {
            var header = Next(random);
            var bytes = header.Format();
            Assert.Equal(OverlayHeader.Length, bytes.Length);
            Assert.Equal(header, OverlayHeader.Parse(bytes, "file"));
        }
    });

    [Fact]
    public void AnyBytesParseOrAreRefused() => Seeded.Run(random =>
    {
        var parsed = 0;
        for (var round = 0; round < Rounds; round++)
        {
            var bytes = Next(random).Format();
            for (var change = random.Next(3); change >= 0; change--)
            {
                bytes[random.Next(random.Next(2) == 0 ? 130 : CheckOffset)] = (byte)random.Next(256);
            }

            // The check is right, so that the fields are looked at.
            SHA256.HashData(bytes.AsSpan(0, CheckOffset), bytes.AsSpan(CheckOffset));
            var content = random.Next(10) == 0 ? bytes[..random.Next(bytes.Length)] : bytes;
            var failure = Record.Exception(() => Assert.Equal(bytes, OverlayHeader.Parse(content, "file").Format()));
            Assert.True(failure is null or CorruptDataException, failure?.ToString());
            parsed += failure is null ? 1 : 0;
        }

        Assert.InRange(parsed, 1, Rounds - 1);
    });

    [Theory]
    [InlineData(96, -1)]
    [InlineData(96, long.MaxValue)]
    [InlineData(104, -1)]
    [InlineData(104, long.MaxValue)]
    public void ValuesOutsideTheLimitsAreRefused(int offset, long value)
    {
        var bytes = Next(new Random(1)).Format();
        BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(offset), value);
        SHA256.HashData(bytes.AsSpan(0, CheckOffset), bytes.AsSpan(CheckOffset));
        var refusal = Assert.Throws<CorruptDataException>(() => OverlayHeader.Parse(bytes, "file"));
        Assert.Contains("outside the limits", refusal.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(BlockGeometry.BlockSizeMin / 2)]
    [InlineData(BlockGeometry.BlockSizeMax * 2)]
    [InlineData(BlockGeometry.BlockSizeMin + 1)]
    [InlineData(int.MinValue)]
    public void ABlockSizeOutsideTheLimitsIsRefused(int blockSize)
    {
        var bytes = Next(new Random(1)).Format();
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(12), blockSize);
        SHA256.HashData(bytes.AsSpan(0, CheckOffset), bytes.AsSpan(CheckOffset));
        var refusal = Assert.Throws<CorruptDataException>(() => OverlayHeader.Parse(bytes, "file"));
        Assert.Contains("outside the limits", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void EveryBitOfTheHeaderCounts()
    {
        var bytes = Next(new Random(1)).Format();
        for (var bit = 0; bit < 8 * bytes.Length; bit++)
        {
            bytes[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.Throws<CorruptDataException>(() => OverlayHeader.Parse(bytes, "file"));
            bytes[bit / 8] ^= (byte)(1 << (bit % 8));
        }

        Assert.Equal(bytes, OverlayHeader.Parse(bytes, "file").Format());
    }

    [Theory]
    [InlineData(0, 0, 4096)]
    [InlineData(1, 1, 3 * 4096)]
    [InlineData(4096, 1, 3 * 4096)]
    [InlineData(64L << 20, 1, (64L << 20) + (2 * 4096))]
    [InlineData((64L << 20) + 1, 2, (64L << 20) + (4 * 4096))]
    [InlineData(16L << 40, 262_144, (16L << 40) + (262_145L * 4096))]
    public void AFileHoldsItsHeaderItsMarksAndItsUnits(long size, long pages, long length)
    {
        var layout = new OverlayLayout(size);
        Assert.Equal(pages, layout.PageCount);
        Assert.Equal(length, layout.FileLength);
        Assert.Equal(4096 * (1 + pages), layout.DataStart);
    }

    private static OverlayHeader Next(Random random)
    {
        var hash = new byte[Hash256.Size];
        random.NextBytes(hash);
        return new OverlayHeader
        {
            Id = Guid.NewGuid(),
            Name = Name(random, 100),
            Created = DateTimeOffset.UnixEpoch.AddMicroseconds(random.NextInt64(1L << 50)),
            BaseId = Guid.NewGuid(),
            BaseName = new VersionName($"{Name(random, 99)}/{Name(random, 100)}", Name(random, 100)),
            BaseRoot = new PageId(new Hash256(hash)),
            StoreId = Guid.NewGuid(),
            Size = random.NextInt64(BlockGeometry.SizeMax + 1),
            BlockSize = 1 << random.Next(
                int.Log2(BlockGeometry.BlockSizeMin), int.Log2(BlockGeometry.BlockSizeMax) + 1),
        };
    }

    private static string Name(Random random, int lengthMax) => new('a', random.Next(1, lengthMax + 1));
}
