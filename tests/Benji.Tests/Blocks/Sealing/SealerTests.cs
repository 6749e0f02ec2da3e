using Benji.Store.Blocks.Sealing;
using Benji.Store.Model;
using Benji.Testing;
using Benji.Testing.Blocks;
using Xunit;

namespace Benji.Tests.Blocks.Sealing;

public class SealerTests
{
    private const int Frame = BlockGeometry.FrameSize;

    public static TheoryData<int, bool, bool> Shapes
    {
        get
        {
            var shapes = new TheoryData<int, bool, bool>();
            foreach (var length in new[] { 1, 2, Frame - 1, Frame, Frame + 1, (5 * Frame) + 7, 64 * Frame })
            {
                foreach (var isEncrypted in new[] { false, true })
                {
                    shapes.Add(length, isEncrypted, true);
                    shapes.Add(length, isEncrypted, false);
                }
            }

            return shapes;
        }
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public void WhatIsSealedOpensToTheSameBytes(int length, bool isEncrypted, bool isCompressed) => Seeded.Run(random =>
    {
        using var bench = new SealingBench(isEncrypted, isCompressed);
        var plaintext = Plaintext.Mixed(random, length);

        var bytes = bench.Seal(plaintext);

        Assert.Equal(plaintext, bench.Open(bench.Expect(plaintext), bytes));
    });

    [Fact]
    public void TheLargestBlockFits() => Seeded.Run(random =>
    {
        using var bench = new SealingBench(isEncrypted: true, isCompressed: true);
        var plaintext = Plaintext.Noise(random, BlockGeometry.BlockSizeMax);

        var bytes = bench.Seal(plaintext);

        Assert.True(plaintext.AsSpan().SequenceEqual(bench.Open(bench.Expect(plaintext), bytes)));
        Assert.Equal(SealedHeader.ObjectLengthMax(plaintext.Length) - (4 * 32), bytes.Length);
    });

    [Fact]
    public void FramesThatDoNotShrinkAreKeptRaw() => Seeded.Run(random =>
    {
        using var bench = new SealingBench(isEncrypted: false, isCompressed: true);
        var plaintext = Plaintext.Mixed(random, 3 * Frame);

        var table = bench.Opener.OpenHeader(bench.Expect(plaintext), bench.Seal(plaintext)).Table;

        Assert.Equal([FrameKind.Compressed, FrameKind.Raw, FrameKind.Hole], Kinds(table));
        Assert.Equal(Frame, table.StoredLengthOf(1));
        Assert.InRange(table.StoredLengthOf(0), 1, Frame / 2);
        Assert.Equal(2 * Frame, table.AllocatedBytes);
    });

    [Fact]
    public void EachPutHasAKeyOfItsOwn() => Seeded.Run(random =>
    {
        using var bench = new SealingBench(isEncrypted: true, isCompressed: false);
        var plaintext = Plaintext.Noise(random, 100);

        Assert.NotEqual(bench.Seal(plaintext), bench.Seal(plaintext));
    });

    [Fact]
    public void ObjectsStandAtAlignedAddresses() => Seeded.Run(random =>
    {
        using var bench = new SealingBench(isEncrypted: true, isCompressed: false);
        var plaintext = Plaintext.Noise(random, 2 * Frame);
        var hashes = bench.Hash(plaintext);
        var plan = new SealPlan
        {
            Kind = ObjectKind.Block,
            Name = BlockIds.Compute(bench.Keys, plaintext.Length, hashes).Hash,
            Hashes = hashes,
        };

        using var buffer = bench.Sealer.Seal(plan, plaintext, out _);

        Assert.Equal(0, AddressOf(buffer.Span) % BlockBuffer.Alignment);
    });

    [Fact]
    public void AnObjectOfHolesIsNeverMade()
    {
        using var bench = new SealingBench(isEncrypted: true, isCompressed: true);
        var plaintext = new byte[2 * Frame];
        var name = new Hash256(Enumerable.Repeat((byte)7, 32).ToArray());

        Assert.Throws<InvariantException>(() => bench.Sealer.Seal(
            new SealPlan { Kind = ObjectKind.Block, Name = name, Hashes = bench.Hash(plaintext) }, plaintext, out _));
    }

    [Fact]
    public void PagesOpenToTheSameBytesOnlyUnderTheirIdAndLevel() => Seeded.Run(random =>
    {
        using var bench = new SealingBench(isEncrypted: true, isCompressed: true);
        var pages = new SealedPages(bench.Keys, bench.Sealer, bench.Opener);
        var content = Plaintext.Noise(random, BlockGeometry.PageSize);
        var id = pages.ComputeId(2, content);
        using var bytes = pages.Seal(id, 2, content);

        Assert.InRange(bytes.Length, 1, SealedPages.ObjectLengthMax);
        Assert.Equal(content, pages.Open(id, 2, bytes.Span.ToArray()));
        Assert.Throws<CorruptDataException>(() => pages.Open(id, 1, bytes.Span.ToArray()));
        Assert.Throws<CorruptDataException>(
            () => pages.Open(pages.ComputeId(1, content), 2, bytes.Span.ToArray()));
        Assert.Equal(PageId.Hole, pages.ComputeId(0, new byte[BlockGeometry.PageSize]));
    });

    private static FrameKind[] Kinds(FrameTable table) =>
        [.. Enumerable.Range(0, table.FrameCount).Select(table.KindOf)];

    private static unsafe long AddressOf(Span<byte> bytes)
    {
        fixed (byte* start = bytes)
        {
            return (long)start;
        }
    }
}
