using System.Buffers.Binary;
using Benji.Store.Model;
using Benji.Store.Storages;
using Benji.Store.Transforms;

namespace Benji.Store.Blocks.Sealing;

/// <summary>What a reader knows of an object before it opens it; a null is not checked.</summary>
/// <param name="Object">The object's name, for messages.</param>
/// <param name="Kind">What it holds.</param>
/// <param name="Name">The block or page id that was asked for.</param>
/// <param name="PlaintextLength">Bytes of plaintext.</param>
/// <param name="Level">The level of a map page.</param>
/// <param name="Form">The form that the name of a block's object says.</param>
internal readonly record struct ExpectedObject(
    ObjectName Object, ObjectKind Kind, Hash256? Name, int? PlaintextLength, int Level = 0, BlockForm Form = BlockForm.Whole);

/// <summary>Parses and verifies the header of a sealed object.</summary>
/// <remarks>Safe for concurrent calls. Every length is bounded before it is used; any input gives a header or a
/// <see cref="CorruptDataException"/>. Format: docs/format.md, "Sealed object".</remarks>
internal sealed class HeaderParser(StoreKeys keys, Guid storeId)
{
    /// <summary>Parses the header at the start of <paramref name="bytes"/>, which may go on behind it.</summary>
    /// <exception cref="CorruptDataException">It is not the header of the expected object of this store.</exception>
    public SealedHeader Parse(in ExpectedObject expected, ReadOnlySpan<byte> bytes)
    {
        var length = CheckFields(expected, bytes);
        var frameCount = BlockGeometry.FrameCount(length);
        int lenderCount = bytes[SealedHeader.LendersOffset];
        var headerLength = SealedHeader.LengthOf(frameCount, lenderCount);
        var stated = BinaryPrimitives.ReadUInt32LittleEndian(bytes[SealedHeader.HeaderLengthOffset..]);
        Require(stated == headerLength, expected, "a header length that its frames and lenders do not make");
        Require(bytes.Length >= headerLength, expected, "fewer bytes than its header");
        var checkedBytes = bytes[..(headerLength - Hash256.Size)];
        var check = new Hash256(bytes[(headerLength - Hash256.Size)..]);
        Require(SealedHeader.Check(keys, storeId, checkedBytes) == check, expected,
            "a header that does not match its check: it is damaged or of another store");
        var name = new Hash256(bytes[SealedHeader.NameOffset..]);
        Require(expected.Name is null || name == expected.Name, expected, "another object's header");
        var isCompressed = bytes[SealedHeader.FirstTransformOffset] == (byte)TransformKind.Zstd;
        var lenders = ParseLenders(expected, bytes.Slice(
            SealedHeader.FieldsLength + (frameCount * SealedHeader.EntryLength), lenderCount * Hash256.Size), name);
        var table = ParseTable(expected, bytes[SealedHeader.FieldsLength..], length, isCompressed, lenders);
        CheckContent(expected, name, table);
        return new SealedHeader
        {
            Kind = expected.Kind,
            Name = name,
            Level = bytes[SealedHeader.LevelOffset],
            IsCompressed = isCompressed,
            WrappedKey = keys.IsEncrypted
                ? bytes.Slice(SealedHeader.WrappedKeyOffset, KeyWrap.WrappedSize).ToArray()
                : ReadOnlyMemory<byte>.Empty,
            Table = table,
        };
    }

    /// <summary>Returns the header length that foreign bytes state, or what is needed to read it when they are short.</summary>
    /// <returns>A bounded number; 0 when the bytes state an impossible one.</returns>
    public static int StatedLength(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < SealedHeader.FieldsLength)
        {
            return 0;
        }

        var stated = BinaryPrimitives.ReadUInt32LittleEndian(bytes[SealedHeader.HeaderLengthOffset..]);
        return stated <= SealedHeader.LengthMax(BlockGeometry.BlockSizeMax) ? (int)stated : 0;
    }

    private static void Require(bool condition, in ExpectedObject expected, string found)
    {
        if (!condition)
        {
            throw Corrupt(expected, found);
        }
    }

    internal static CorruptDataException Corrupt(in ExpectedObject expected, string found) =>
        new($"Object {expected.Object} has {found}.");

    /// <summary>Checks the fields before the table and returns the plaintext length.</summary>
    private int CheckFields(in ExpectedObject expected, ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < SealedHeader.FieldsLength)
        {
            throw Corrupt(expected, $"{bytes.Length} bytes, too few for a sealed object");
        }

        if (BinaryPrimitives.ReadUInt32LittleEndian(bytes) != SealedHeader.Magic)
        {
            throw Corrupt(expected, "no sealed object's first bytes");
        }

        var kind = bytes[SealedHeader.KindOffset];
        var version = bytes[SealedHeader.VersionOffset];
        if (version != SealedHeader.FormatVersion)
        {
            throw Corrupt(expected, $"format version {version}; this program reads {SealedHeader.FormatVersion}");
        }

        if (kind != (byte)expected.Kind)
        {
            throw Corrupt(expected, $"kind {kind}, expected {(byte)expected.Kind}");
        }

        var length = BinaryPrimitives.ReadUInt64LittleEndian(bytes[SealedHeader.LengthOffset..]);
        if (length == 0 || length > (ulong)LengthMaxOf(expected.Kind)
            || (expected.PlaintextLength is { } wanted && length != (ulong)wanted))
        {
            throw Corrupt(expected, $"a plaintext of {length} bytes, expected {expected.PlaintextLength ?? LengthMaxOf(expected.Kind)}");
        }

        Require(BinaryPrimitives.ReadUInt32LittleEndian(bytes[SealedHeader.FrameSizeOffset..])
            == BlockGeometry.FrameSize, expected, "another frame size");
        CheckTransforms(expected, bytes);
        var lenderCount = bytes[SealedHeader.LendersOffset];
        Require(lenderCount <= SealedHeader.LendersMax && lenderCount > 0 == (expected.Form == BlockForm.Delta),
            expected, "a number of lenders that does not fit its form");
        Require(bytes[SealedHeader.LevelOffset] == expected.Level, expected, "another level");
        Require(!bytes[SealedHeader.ReservedOffset..SealedHeader.FieldsLength].ContainsAnyExcept((byte)0),
            expected, "reserved bytes that are not zero");
        return (int)length;
    }

    private void CheckTransforms(in ExpectedObject expected, ReadOnlySpan<byte> bytes)
    {
        int first = bytes[SealedHeader.FirstTransformOffset];
        int second = bytes[SealedHeader.SecondTransformOffset];
        var isEncrypted = (first, second) switch
        {
            (0, 0) or ((int)TransformKind.Zstd, 0) => false,
            ((int)TransformKind.AesGcm, 0) or ((int)TransformKind.Zstd, (int)TransformKind.AesGcm) => true,
            _ => throw Corrupt(expected, $"the unknown transforms {first} and {second}"),
        };
        Require(isEncrypted == keys.IsEncrypted, expected,
            isEncrypted ? "encrypted frames in a store without encryption" : "frames without encryption in an encrypted store");
        var keyId = BinaryPrimitives.ReadUInt64LittleEndian(bytes[SealedHeader.KeyIdOffset..]);
        Require(keyId == keys.KeyId, expected, "the key id of another key");
        var wrapped = bytes.Slice(SealedHeader.WrappedKeyOffset, KeyWrap.WrappedSize);
        Require(isEncrypted || !wrapped.ContainsAnyExcept((byte)0), expected, "a key without encryption");
    }

    private static int LengthMaxOf(ObjectKind kind) => kind switch
    {
        ObjectKind.Block => BlockGeometry.BlockSizeMax,
        ObjectKind.MapPage => BlockGeometry.PageSize,
        _ => SealedHeader.ManifestLengthMax,
    };

    private static BlockId[] ParseLenders(in ExpectedObject expected, ReadOnlySpan<byte> bytes, Hash256 name)
    {
        var lenders = new BlockId[bytes.Length / Hash256.Size];
        for (var lender = 0; lender < lenders.Length; lender++)
        {
            var id = new BlockId(new Hash256(bytes[(lender * Hash256.Size)..]));
            Require(!id.IsHole && id.Hash != name && !lenders.AsSpan(0, lender).Contains(id), expected,
                "a lender that cannot be one");
            lenders[lender] = id;
        }

        return lenders;
    }

    private FrameTable ParseTable(
        in ExpectedObject expected, ReadOnlySpan<byte> bytes, int length, bool isCompressed, BlockId[] lenders)
    {
        var frameCount = BlockGeometry.FrameCount(length);
        var kinds = new FrameKind[frameCount];
        var lenderIndexes = new byte[frameCount];
        var storedLengths = new int[frameCount];
        var hashes = new byte[frameCount * Hash256.Size];
        for (var frame = 0; frame < frameCount; frame++)
        {
            var entry = bytes.Slice(frame * SealedHeader.EntryLength, SealedHeader.EntryLength);
            var stored = BinaryPrimitives.ReadUInt32LittleEndian(entry[SealedHeader.EntryStoredOffset..]);
            var hash = entry[SealedHeader.EntryHashOffset..];
            var (lengthMin, lengthMax) = StoredBounds(
                entry[0], BlockGeometry.FrameLength(length, frame), isCompressed);
            var lenderBound = entry[0] == (byte)FrameKind.Borrowed ? lenders.Length : 1;
            if (stored < lengthMin || stored > lengthMax
                || entry[SealedHeader.EntryLenderOffset] >= lenderBound
                || entry[SealedHeader.EntryReservedOffset..SealedHeader.EntryStoredOffset].ContainsAnyExcept((byte)0)
                || hash.ContainsAnyExcept((byte)0) == (entry[0] == (byte)FrameKind.Hole))
            {
                throw Corrupt(expected,
                    $"frame {frame} of kind {entry[0]} with {stored} stored bytes, which cannot be");
            }

            kinds[frame] = (FrameKind)entry[0];
            lenderIndexes[frame] = entry[SealedHeader.EntryLenderOffset];
            storedLengths[frame] = (int)stored;
            hash.CopyTo(hashes.AsSpan(frame * Hash256.Size));
        }

        return new FrameTable(length, kinds, lenderIndexes, storedLengths, hashes, lenders);
    }

    /// <summary>Returns the bounds of a frame's stored bytes; an unknown kind has none that a number can meet.</summary>
    private (int Min, int Max) StoredBounds(byte kind, int frameLength, bool isCompressed)
    {
        var tag = keys.IsEncrypted ? ObjectKey.TagSize : 0;
        return (FrameKind)kind switch
        {
            FrameKind.Hole or FrameKind.Borrowed => (0, 0),
            FrameKind.Compressed when isCompressed => (1 + tag, frameLength - 1 + tag),
            FrameKind.Raw => (frameLength + tag, frameLength + tag),
            _ => (1, 0),
        };
    }

    private void CheckContent(in ExpectedObject expected, Hash256 name, FrameTable table)
    {
        Require(table.AllocatedBytes > 0, expected, "nothing but holes");
        if (expected.Kind == ObjectKind.Block)
        {
            Require(BlockIds.Compute(keys, table.BlockLength, table.Hashes).Hash == name, expected,
                "frame hashes that do not hash to its name");
        }
    }
}
