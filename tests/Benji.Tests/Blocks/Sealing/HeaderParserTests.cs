using System.Buffers.Binary;
using Benji.Store.Blocks.Sealing;
using Benji.Store.Model;
using Benji.Store.Transforms;
using Benji.Testing.Blocks;
using Xunit;

namespace Benji.Tests.Blocks.Sealing;

/// <summary>Headers whose check matches, with one field that cannot be: each is refused for what it is, and not for what
/// follows from it.</summary>
public sealed class HeaderParserTests : IDisposable
{
    private const int Frame = BlockGeometry.FrameSize;
    private const int Length = (3 * Frame) + 5;
    private const int FrameCount = 4;
    private const int Stored = SealedHeader.EntryStoredOffset;
    private const int LendersStart = SealedHeader.FieldsLength + (FrameCount * SealedHeader.EntryLength);

    private readonly SealingBench _plain = new(isEncrypted: false, isCompressed: true);
    private readonly SealingBench _encrypted = new(isEncrypted: true, isCompressed: true);
    private readonly byte[] _hashes = new byte[FrameCount * Hash256.Size];

    public HeaderParserTests()
    {
        new Random(1).NextBytes(_hashes);

        // Frame 2 is a hole.
        _hashes.AsSpan(2 * Hash256.Size, Hash256.Size).Clear();
    }

    public void Dispose()
    {
        _plain.Dispose();
        _encrypted.Dispose();
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public void ASoundHeaderIsParsed(bool isEncrypted, bool isDelta)
    {
        var header = Parse(isEncrypted, isDelta, _ => { });
        Assert.Equal(Length, header.Table.BlockLength);
        Assert.Equal(isDelta ? 2 : 0, header.Table.Lenders.Count);
        Assert.Equal(FrameKind.Hole, header.Table.KindOf(2));
    }

    [Theory]
    [InlineData(SealedHeader.LengthOffset, 0, "a plaintext of 0 bytes")]
    [InlineData(SealedHeader.LengthOffset, Length - 1, "a plaintext of 196612 bytes")]
    [InlineData(SealedHeader.FrameSizeOffset, Frame / 2, "another frame size")]
    [InlineData(SealedHeader.HeaderLengthOffset, LendersStart, "a header length that its frames and lenders do not make")]
    [InlineData(SealedHeader.HeaderLengthOffset, LendersStart + 64, "a header length that its frames and lenders do not make")]
    [InlineData(SealedHeader.KeyIdOffset, 1, "the key id of another key")]
    [InlineData(SealedHeader.WrappedKeyOffset, 1, "a key without encryption")]
    public void AFieldThatCannotBeIsNamed(int offset, long value, string words) => AssertNamed(
        words, isEncrypted: false, isDelta: false, header => BinaryPrimitives.WriteInt32LittleEndian(header[offset..], (int)value));

    [Theory]
    [InlineData(SealedHeader.SecondTransformOffset, (int)TransformKind.AesGcm, "encrypted frames in a store without encryption")]
    [InlineData(SealedHeader.SecondTransformOffset, 1, "the unknown transforms 1 and 1")]
    [InlineData(SealedHeader.LendersOffset, 1, "a number of lenders that does not fit its form")]
    [InlineData(SealedHeader.LevelOffset, 1, "another level")]
    [InlineData(SealedHeader.ReservedOffset, 1, "reserved bytes that are not zero")]
    [InlineData(SealedHeader.FieldsLength - 1, 1, "reserved bytes that are not zero")]
    public void AByteThatCannotBeIsNamed(int offset, byte value, string words) =>
        AssertNamed(words, isEncrypted: false, isDelta: false, header => header[offset] = value);

    [Fact]
    public void FramesWithoutEncryptionAreRefusedWhereThereIsAKey() => AssertNamed(
        "frames without encryption in an encrypted store",
        isEncrypted: true,
        isDelta: false,
        header => header[SealedHeader.SecondTransformOffset] = 0);

    [Theory]
    [InlineData(0)]
    [InlineData(5)]
    [InlineData(255)]
    public void ADeltaHasOneToFourLenders(byte count) => AssertNamed(
        "a number of lenders that does not fit its form",
        isEncrypted: false,
        isDelta: true,
        header => header[SealedHeader.LendersOffset] = count);

    /// <summary>The kinds: 0 compressed and 1 raw, 2 a hole, 3 the raw and short last one.</summary>
    [Theory]
    [InlineData(0, 0, 9)]
    [InlineData(0, Stored, 0)]
    [InlineData(0, Stored, Frame)]
    [InlineData(0, Stored, int.MaxValue)]
    [InlineData(0, Stored, -1)]
    [InlineData(1, Stored, Frame - 1)]
    [InlineData(1, Stored, Frame + 1)]
    [InlineData(2, Stored, 1)]
    [InlineData(3, Stored, 4)]
    [InlineData(3, Stored, 6)]
    public void AFramesStoredBytesFitItsKind(int frame, int offset, int value)
    {
        foreach (var isEncrypted in new[] { false, true })
        {
            var tag = isEncrypted && value > 0 && frame != 2 ? ObjectKey.TagSize : 0;
            AssertEntryNamed(isEncrypted, isDelta: false, frame, entry =>
            {
                if (offset == 0)
                {
                    entry[0] = (byte)value;
                }
                else
                {
                    BinaryPrimitives.WriteInt32LittleEndian(entry[offset..], value == int.MaxValue ? value : value + tag);
                }
            });
        }
    }

    [Fact]
    public void AFrameHasTheStoredBytesThatItsTagMakesAtLeast() => AssertEntryNamed(
        isEncrypted: true,
        isDelta: false,
        frame: 0,
        entry => BinaryPrimitives.WriteInt32LittleEndian(entry[Stored..], ObjectKey.TagSize));

    [Theory]
    [InlineData(0, 2)]
    [InlineData(0, 255)]
    [InlineData(1, 1)]
    [InlineData(2, 1)]
    public void AFrameNamesALenderOnlyWhereItBorrows(int frame, byte lender) => AssertEntryNamed(
        isEncrypted: false, isDelta: true, frame, entry => entry[SealedHeader.EntryLenderOffset] = lender);

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void TheReservedBytesOfAFrameAreZero(int frame) => AssertEntryNamed(
        isEncrypted: false, isDelta: false, frame, entry => entry[SealedHeader.EntryStoredOffset - 1] = 1);

    [Fact]
    public void AHoleHasNoHash() => AssertEntryNamed(
        isEncrypted: false, isDelta: false, frame: 2, entry => entry[SealedHeader.EntryHashOffset] = 1);

    [Fact]
    public void AFrameOfDataHasAHash() => AssertEntryNamed(
        isEncrypted: false, isDelta: false, frame: 0, entry => entry[SealedHeader.EntryHashOffset..].Clear());

    [Fact]
    public void ACompressedFrameIsRefusedWhereNoCompressionIsNamed() => AssertNamed(
        "frame 0 of kind 1",
        isEncrypted: false,
        isDelta: false,
        header => header[SealedHeader.FirstTransformOffset] = 0);

    [Fact]
    public void ALenderIsAnotherBlockAndNamedOnce()
    {
        const string words = "a lender that cannot be one";
        AssertNamed(words, isEncrypted: false, isDelta: true, header => header.Slice(LendersStart, Hash256.Size).Clear());
        AssertNamed(words, isEncrypted: false, isDelta: true, header =>
            header.Slice(SealedHeader.NameOffset, Hash256.Size).CopyTo(header[LendersStart..]));
        AssertNamed(words, isEncrypted: false, isDelta: true, header =>
            header.Slice(LendersStart, Hash256.Size).CopyTo(header[(LendersStart + Hash256.Size)..]));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void FrameHashesThatDoNotHashToTheNameAreRefused(bool isDelta) => AssertNamed(
        "frame hashes that do not hash to its name",
        isEncrypted: false,
        isDelta,
        header => header[SealedHeader.FieldsLength + SealedHeader.EntryHashOffset] ^= 1);

    [Fact]
    public void AnObjectOfNothingButHolesIsRefused()
    {
        var table = new FrameTable(Frame, [FrameKind.Hole], [0], [0], new byte[Hash256.Size], []);
        var name = new Hash256(_hashes);
        AssertNamed("nothing but holes", Expect(name, isDelta: false) with { PlaintextLength = Frame }, Format(_plain, table, name));
    }

    [Fact]
    public void AnObjectHoldsSomething()
    {
        var bytes = Format(_plain, new FrameTable(0, [], [], [], [], []), new Hash256(_hashes));
        bytes[SealedHeader.KindOffset] = (byte)ObjectKind.Manifest;
        AssertNamed("a plaintext of 0 bytes", new(new("versions/a/b"), ObjectKind.Manifest, null, null), bytes);
    }

    [Fact]
    public void AHeaderThatIsCutIsRefused()
    {
        var table = new FrameTable(Frame, [FrameKind.Raw], [0], [Frame], _hashes.AsMemory(0, Hash256.Size).ToArray(), []);
        var name = BlockIds.Compute(_plain.Keys, Frame, table.Hashes).Hash;
        var (expected, bytes) = (Expect(name, isDelta: false) with { PlaintextLength = Frame }, Format(_plain, table, name));
        for (var length = 0; length < bytes.Length; length++)
        {
            AssertNamed(length < SealedHeader.FieldsLength ? "bytes, too few" : "fewer bytes", expected, bytes[..length]);
        }
    }

    [Fact]
    public void AHeaderThatStatesAnImpossibleLengthHasNone()
    {
        var bytes = new byte[SealedHeader.FieldsLength];
        var most = (uint)SealedHeader.LengthMax(BlockGeometry.BlockSizeMax);
        foreach (var (stated, length) in new[] { (most, (int)most), (most + 1, 0), (uint.MaxValue, 0) })
        {
            BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(SealedHeader.HeaderLengthOffset), stated);
            Assert.Equal(length, HeaderParser.StatedLength(bytes));
        }

        Assert.Equal(0, HeaderParser.StatedLength(bytes.AsSpan(1)));
    }

    [Fact]
    public void ABlockIsNoLongerThanTheLargest()
    {
        const int count = BlockGeometry.BlockSizeMax / Frame + 1;
        var hashes = new byte[count * Hash256.Size];
        hashes.AsSpan().Fill(1);
        var kinds = new FrameKind[count];
        kinds.AsSpan().Fill(FrameKind.Compressed);
        var stored = new int[count];
        stored.AsSpan().Fill(1);

        // One byte would be a frame of its own, which cannot be compressed.
        kinds[^1] = FrameKind.Raw;
        var table = new FrameTable(BlockGeometry.BlockSizeMax + 1, kinds, new byte[count], stored, hashes, []);
        var name = BlockIds.Compute(_plain.Keys, table.BlockLength, hashes).Hash;
        var expected = Expect(name, isDelta: false) with { PlaintextLength = null };
        AssertNamed("a plaintext of 67108865 bytes", expected, Format(_plain, table, name));
    }

    private static ExpectedObject Expect(Hash256 name, bool isDelta)
    {
        var form = isDelta ? BlockForm.Delta : BlockForm.Whole;
        return new(ObjectNames.Block(new BlockId(name), form), ObjectKind.Block, name, Length, Form: form);
    }

    private delegate void HeaderChange(Span<byte> header);

    private void AssertEntryNamed(bool isEncrypted, bool isDelta, int frame, HeaderChange change) => AssertNamed(
        $"frame {frame} of kind",
        isEncrypted,
        isDelta,
        header => change(header.Slice(SealedHeader.FieldsLength + (frame * SealedHeader.EntryLength), SealedHeader.EntryLength)));

    private void AssertNamed(string words, bool isEncrypted, bool isDelta, HeaderChange change)
    {
        var failure = Assert.Throws<CorruptDataException>(() => Parse(isEncrypted, isDelta, change));
        Assert.Contains(words, failure.Message, StringComparison.Ordinal);
    }

    private void AssertNamed(string words, ExpectedObject expected, byte[] bytes)
    {
        var failure = Assert.Throws<CorruptDataException>(() => new HeaderParser(_plain.Keys, _plain.StoreId).Parse(expected, bytes));
        Assert.Contains(words, failure.Message, StringComparison.Ordinal);
    }

    // The check is made again after the change, as whoever has the keys can.
    private SealedHeader Parse(bool isEncrypted, bool isDelta, HeaderChange change)
    {
        var bench = isEncrypted ? _encrypted : _plain;
        var tag = isEncrypted ? ObjectKey.TagSize : 0;
        var lenders = new[] { new BlockId(new Hash256(Enumerable.Repeat((byte)1, 32).ToArray())), new BlockId(new Hash256(Enumerable.Repeat((byte)2, 32).ToArray())) };
        FrameKind[] kinds = isDelta
            ? [FrameKind.Borrowed, FrameKind.Raw, FrameKind.Hole, FrameKind.Borrowed]
            : [FrameKind.Compressed, FrameKind.Raw, FrameKind.Hole, FrameKind.Raw];
        int[] stored = isDelta ? [0, Frame + tag, 0, 0] : [100 + tag, Frame + tag, 0, 5 + tag];
        var table = new FrameTable(Length, kinds, isDelta ? [0, 0, 0, 1] : new byte[4], stored, _hashes, isDelta ? lenders : []);
        var name = BlockIds.Compute(bench.Keys, Length, _hashes).Hash;
        var bytes = Format(bench, table, name);
        change(bytes);
        SealedHeader.Check(bench.Keys, bench.StoreId, bytes.AsSpan(0, bytes.Length - Hash256.Size))
            .CopyTo(bytes.AsSpan(bytes.Length - Hash256.Size));
        return new HeaderParser(bench.Keys, bench.StoreId).Parse(Expect(name, isDelta), bytes);
    }

    private static byte[] Format(SealingBench bench, FrameTable table, Hash256 name)
    {
        var header = new SealedHeader
        {
            Kind = ObjectKind.Block,
            Name = name,
            Level = 0,
            IsCompressed = true,
            WrappedKey = bench.Keys.IsEncrypted ? new byte[KeyWrap.WrappedSize] : ReadOnlyMemory<byte>.Empty,
            Table = table,
        };
        var bytes = new byte[table.HeaderLength];
        header.Format(bench.Keys, bench.StoreId, bytes);
        return bytes;
    }
}
