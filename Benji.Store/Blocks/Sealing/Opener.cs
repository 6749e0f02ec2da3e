using Benji.Store.Model;
using Benji.Store.Transforms;

namespace Benji.Store.Blocks.Sealing;

/// <summary>Turns the bytes of sealed objects back into plaintext and verifies it.</summary>
/// <remarks>Safe for concurrent calls; opening a frame allocates nothing. Format: docs/format.md, "Sealed object".</remarks>
/// <param name="keys">The keys of the store.</param>
/// <param name="storeId">The store's id.</param>
/// <param name="zstd">Decompresses frames of any level.</param>
internal sealed class Opener(StoreKeys keys, Guid storeId, ZstdTransform zstd)
{
    private static readonly AesGcmTransform Encryption = new();

    private readonly HeaderParser _parser = new(keys, storeId);

    /// <summary>Parses and verifies the header at the start of <paramref name="bytes"/>.</summary>
    /// <exception cref="CorruptDataException">It is not the expected object's header.</exception>
    public OpenedObject OpenHeader(in ExpectedObject expected, ReadOnlySpan<byte> bytes) =>
        new(expected.Object, _parser.Parse(expected, bytes));

    /// <summary>Decrypts and decompresses one own frame; <see cref="FindMismatch"/> then compares its hash.</summary>
    /// <param name="opened">The object.</param>
    /// <param name="frame">An own frame of it.</param>
    /// <param name="stored">Its stored bytes, which are overwritten.</param>
    /// <param name="destination">Receives the plaintext; exactly the frame's length. Undefined after an exception.</param>
    /// <exception cref="CorruptDataException">The bytes do not authenticate or decode to that length.</exception>
    public void OpenFrame(OpenedObject opened, int frame, Span<byte> stored, Span<byte> destination)
    {
        var table = opened.Table;
        Invariant.Holds(table.IsOwn(frame) && stored.Length == table.StoredLengthOf(frame));
        Invariant.Holds(destination.Length == table.LengthOf(frame));
        Span<byte> additionalData = stackalloc byte[FrameBinding.Length];
        FrameBinding.Write(additionalData, storeId, opened.Header.Kind, opened.Header.Name, frame);
        var context = new FrameContext
        {
            Key = opened.Header.IsEncrypted ? opened.Unwrap(keys.Wrap) : null,
            AdditionalData = additionalData,
            FrameIndex = (uint)frame,
        };
        if (table.KindOf(frame) == FrameKind.Raw)
        {
            if (context.Key is null)
            {
                stored.CopyTo(destination);
            }
            else
            {
                Encryption.Decode(context, stored, destination);
            }

            return;
        }

        var compressed = stored;
        if (context.Key is not null)
        {
            compressed = stored[..^ObjectKey.TagSize];
            Encryption.Decode(context, stored, compressed);
        }

        zstd.Decode(context, compressed, destination);
    }

    /// <summary>Finds the first frame at or behind <paramref name="from"/> whose plaintext has not the hash in the table.</summary>
    /// <param name="table">The table.</param>
    /// <param name="firstFrame">The frame that <paramref name="plaintext"/> starts with.</param>
    /// <param name="plaintext">Whole frames, the block's short last one apart.</param>
    /// <param name="hashes">32 bytes of room for each frame; holds the plaintext's hashes when <paramref name="from"/> is not
    /// the first frame.</param>
    /// <param name="from">Where to start.</param>
    /// <returns>A frame's index in the block, or -1 when all match.</returns>
    public int FindMismatch(
        FrameTable table, int firstFrame, ReadOnlySpan<byte> plaintext, Span<byte> hashes, int from)
    {
        if (from == firstFrame)
        {
            keys.Frames.HashFrames(plaintext, hashes);
        }

        var skipped = (from - firstFrame) * Hash256.Size;
        var common = hashes[skipped..].CommonPrefixLength(
            table.Hashes.Slice(from * Hash256.Size, hashes.Length - skipped));
        return common == hashes.Length - skipped ? -1 : from + (common / Hash256.Size);
    }

    /// <summary>Opens an object that was read as a whole and borrows nothing.</summary>
    /// <param name="expected">What it is expected to be.</param>
    /// <param name="bytes">The bytes of the object, which are overwritten.</param>
    /// <param name="header">The object's header.</param>
    /// <returns>The verified plaintext.</returns>
    /// <exception cref="CorruptDataException">It is not the expected object or is damaged.</exception>
    public byte[] OpenWhole(in ExpectedObject expected, Span<byte> bytes, out SealedHeader header)
    {
        var opened = OpenHeader(expected, bytes);
        header = opened.Header;
        var table = opened.Table;
        if (bytes.Length != table.ObjectLength)
        {
            throw HeaderParser.Corrupt(expected, $"{bytes.Length} bytes, expected {table.ObjectLength}");
        }

        var plaintext = new byte[table.BlockLength];
        for (var frame = 0; frame < table.FrameCount; frame++)
        {
            if (table.IsOwn(frame))
            {
                OpenFrame(
                    opened,
                    frame,
                    bytes.Slice(table.OffsetOf(frame), table.StoredLengthOf(frame)),
                    plaintext.AsSpan(frame * BlockGeometry.FrameSize, table.LengthOf(frame)));
            }
        }

        var mismatch = FindMismatch(table, 0, plaintext, new byte[table.Hashes.Length], 0);
        return mismatch < 0
            ? plaintext
            : throw HeaderParser.Corrupt(expected, $"frame {mismatch} with bytes that do not match its hash");
    }
}
