using System.Buffers.Binary;
using Benji.Store.Model;
using Benji.Store.Transforms;

namespace Benji.Store.Blocks.Sealing;

/// <summary>Everything before the frames of a sealed object: what it is, how it was transformed, and its frame table.</summary>
/// <remarks>Immutable. Format: docs/format.md, "Sealed object"; the constants carry its offsets.</remarks>
internal sealed record SealedHeader
{
    /// <summary>The first four bytes of every sealed object, <c>BNJI</c>.</summary>
    public const uint Magic = 0x494a4e42;

    /// <summary>The only format version there is.</summary>
    public const byte FormatVersion = 1;

    /// <summary>The most lenders of a delta block.</summary>
    public const int LendersMax = 4;

    /// <summary>Bytes of the fields before the table.</summary>
    public const int FieldsLength = 112;

    /// <summary>Bytes of one table entry.</summary>
    public const int EntryLength = 40;

    /// <summary>The most levels of a block map; a page's level is less.</summary>
    public const int LevelsMax = 5;

    /// <summary>The largest plaintext of a manifest.</summary>
    public const int ManifestLengthMax = 1024 * 1024;

    internal const int KindOffset = 4;
    internal const int VersionOffset = 5;
    internal const int FirstTransformOffset = 6;
    internal const int SecondTransformOffset = 7;
    internal const int KeyIdOffset = 8;
    internal const int NameOffset = 16;
    internal const int LengthOffset = 48;
    internal const int FrameSizeOffset = 56;
    internal const int HeaderLengthOffset = 60;
    internal const int WrappedKeyOffset = 64;
    internal const int LendersOffset = 104;
    internal const int LevelOffset = 105;
    internal const int ReservedOffset = 106;

    internal const int EntryLenderOffset = 1;
    internal const int EntryReservedOffset = 2;
    internal const int EntryStoredOffset = 4;
    internal const int EntryHashOffset = 8;

    private const byte NoTransform = 0;

    /// <summary>What the object holds.</summary>
    public required ObjectKind Kind { get; init; }

    /// <summary>The block id, page id, or version id and 16 zero bytes.</summary>
    public required Hash256 Name { get; init; }

    /// <summary>The level of a map page, else 0.</summary>
    public required int Level { get; init; }

    /// <summary>True when the transforms name zstd.</summary>
    public required bool IsCompressed { get; init; }

    /// <summary>The object's key, wrapped; empty when the object is not encrypted.</summary>
    public required ReadOnlyMemory<byte> WrappedKey { get; init; }

    /// <summary>The frames.</summary>
    public required FrameTable Table { get; init; }

    /// <summary>True when the transforms name AES-256-GCM.</summary>
    public bool IsEncrypted => !WrappedKey.IsEmpty;

    /// <summary>Returns the bytes of a header with so many frames and lenders.</summary>
    public static int LengthOf(int frameCount, int lenderCount) =>
        FieldsLength + (EntryLength * frameCount) + (Hash256.Size * lenderCount) + Hash256.Size;

    /// <summary>Returns the most bytes that the header of an object of so much plaintext has.</summary>
    public static int LengthMax(int plaintextLength) =>
        LengthOf(BlockGeometry.FrameCount(plaintextLength), LendersMax);

    /// <summary>Returns the most bytes that an object of so much plaintext has.</summary>
    public static int ObjectLengthMax(int plaintextLength) =>
        LengthMax(plaintextLength) + plaintextLength
        + (BlockGeometry.FrameCount(plaintextLength) * ObjectKey.TagSize);

    /// <summary>Writes the header with its check.</summary>
    /// <param name="keys">The keys of the store.</param>
    /// <param name="storeId">The store's id, as the check covers it.</param>
    /// <param name="destination">Receives the header; exactly its length.</param>
    public void Format(StoreKeys keys, Guid storeId, Span<byte> destination)
    {
        Invariant.Holds(destination.Length == Table.HeaderLength);
        destination.Clear();
        BinaryPrimitives.WriteUInt32LittleEndian(destination, Magic);
        destination[KindOffset] = (byte)Kind;
        destination[VersionOffset] = FormatVersion;
        destination[FirstTransformOffset] = IsCompressed ? (byte)TransformKind.Zstd
            : IsEncrypted ? (byte)TransformKind.AesGcm : NoTransform;
        destination[SecondTransformOffset] = IsCompressed && IsEncrypted ? (byte)TransformKind.AesGcm : NoTransform;
        BinaryPrimitives.WriteUInt64LittleEndian(destination[KeyIdOffset..], keys.KeyId);
        Name.CopyTo(destination[NameOffset..]);
        BinaryPrimitives.WriteUInt64LittleEndian(destination[LengthOffset..], (ulong)Table.BlockLength);
        BinaryPrimitives.WriteUInt32LittleEndian(destination[FrameSizeOffset..], BlockGeometry.FrameSize);
        BinaryPrimitives.WriteUInt32LittleEndian(destination[HeaderLengthOffset..], (uint)Table.HeaderLength);
        WrappedKey.Span.CopyTo(destination[WrappedKeyOffset..]);
        destination[LendersOffset] = (byte)Table.Lenders.Count;
        destination[LevelOffset] = (byte)Level;
        FormatTable(destination[FieldsLength..]);
        Check(keys, storeId, destination[..^Hash256.Size]).CopyTo(destination[^Hash256.Size..]);
    }

    /// <summary>Returns the hash that stands behind a header's other bytes.</summary>
    internal static Hash256 Check(StoreKeys keys, Guid storeId, ReadOnlySpan<byte> header)
    {
        Span<byte> id = stackalloc byte[16];
        Invariant.Holds(storeId.TryWriteBytes(id, bigEndian: true, out _));
        return keys.Header.Hash(id, header);
    }

    private void FormatTable(Span<byte> destination)
    {
        for (var frame = 0; frame < Table.FrameCount; frame++)
        {
            var entry = destination.Slice(frame * EntryLength, EntryLength);
            entry[0] = (byte)Table.KindOf(frame);
            entry[EntryLenderOffset] =
                Table.KindOf(frame) == FrameKind.Borrowed ? (byte)Table.LenderIndexOf(frame) : (byte)0;
            BinaryPrimitives.WriteUInt32LittleEndian(entry[EntryStoredOffset..], (uint)Table.StoredLengthOf(frame));
            Table.HashOf(frame).CopyTo(entry[EntryHashOffset..]);
        }

        var lenders = destination[(Table.FrameCount * EntryLength)..];
        for (var lender = 0; lender < Table.Lenders.Count; lender++)
        {
            Table.Lenders[lender].Hash.CopyTo(lenders[(lender * Hash256.Size)..]);
        }
    }
}
