using Benji.Store.Model;
using Benji.Store.Transforms;

namespace Benji.Store.Blocks.Sealing;

/// <summary>What is to be sealed, beside the plaintext.</summary>
/// <remarks>Lent for the call.</remarks>
internal readonly ref struct SealPlan
{
    /// <summary>The answer of <see cref="Owners"/> for a frame that the object holds itself.</summary>
    public const byte Own = byte.MaxValue;

    /// <summary>What the object holds.</summary>
    public required ObjectKind Kind { get; init; }

    /// <summary>The block id, page id, or version id and 16 zero bytes.</summary>
    public required Hash256 Name { get; init; }

    /// <summary>The level of a map page, else 0.</summary>
    public int Level { get; init; }

    /// <summary>32 bytes for each frame, in order; zeros for a hole.</summary>
    public required ReadOnlySpan<byte> Hashes { get; init; }

    /// <summary>For each frame <see cref="Own"/> or the position of its lender; empty when all are own.</summary>
    public ReadOnlySpan<byte> Owners { get; init; }

    /// <summary>The blocks whose objects hold the borrowed frames.</summary>
    public BlockId[]? Lenders { get; init; }
}

/// <summary>Turns plaintext into the bytes of sealed objects.</summary>
/// <remarks>Safe for concurrent calls. Format: docs/format.md, "Sealed object".</remarks>
/// <param name="keys">The keys of the store.</param>
/// <param name="storeId">The store's id.</param>
/// <param name="zstd">Compresses frames; null to keep them raw.</param>
/// <param name="pool">Where the objects' memory comes from.</param>
/// <param name="newKey">Makes the key of each object: random but in tests of fixed bytes.</param>
internal sealed class Sealer(
    StoreKeys keys, Guid storeId, ZstdTransform? zstd, BlockBufferPool pool, Func<ObjectKey> newKey)
{
    private static readonly AesGcmTransform Encryption = new();

    /// <summary>Seals one object.</summary>
    /// <param name="plan">What it is and where its frames are; its hashes are those of the plaintext.</param>
    /// <param name="plaintext">The whole plaintext; frames that are holes or borrowed are not read.</param>
    /// <param name="table">Where the frames came to be.</param>
    /// <returns>The bytes of the object, which the caller disposes.</returns>
    public BlockBuffer Seal(in SealPlan plan, ReadOnlySpan<byte> plaintext, out FrameTable table)
    {
        var frameCount = BlockGeometry.FrameCount(plaintext.Length);
        var lenders = plan.Lenders ?? [];
        Invariant.Holds(lenders.Length <= SealedHeader.LendersMax);
        Invariant.Holds(plan.Hashes.Length == frameCount * Hash256.Size);
        Invariant.Holds(plan.Owners.IsEmpty || plan.Owners.Length == frameCount);
        var kinds = new FrameKind[frameCount];
        var lenderIndexes = new byte[frameCount];
        var storedLengths = new int[frameCount];
        var buffer = pool.Rent(LengthBound(plan, plaintext.Length, frameCount, lenders.Length));
        try
        {
            using var key = keys.IsEncrypted ? newKey() : null;
            var position = SealedHeader.LengthOf(frameCount, lenders.Length);
            Span<byte> additionalData = stackalloc byte[FrameBinding.Length];
            for (var frame = 0; frame < frameCount; frame++)
            {
                var owner = plan.Owners.IsEmpty ? SealPlan.Own : plan.Owners[frame];
                if (!plan.Hashes.Slice(frame * Hash256.Size, Hash256.Size).ContainsAnyExcept((byte)0))
                {
                    kinds[frame] = FrameKind.Hole;
                }
                else if (owner != SealPlan.Own)
                {
                    Invariant.Holds(owner < lenders.Length);
                    kinds[frame] = FrameKind.Borrowed;
                    lenderIndexes[frame] = owner;
                }
                else
                {
                    FrameBinding.Write(additionalData, storeId, plan.Kind, plan.Name, frame);
                    var context = new FrameContext
                    {
                        Key = key,
                        AdditionalData = additionalData,
                        FrameIndex = (uint)frame,
                    };
                    var source = plaintext.Slice(
                        frame * BlockGeometry.FrameSize, BlockGeometry.FrameLength(plaintext.Length, frame));
                    storedLengths[frame] = Encode(context, source, buffer.Span[position..], out kinds[frame]);
                    position += storedLengths[frame];
                }
            }

            table = new FrameTable(
                plaintext.Length, kinds, lenderIndexes, storedLengths, plan.Hashes.ToArray(), lenders);
            Invariant.Holds(position == table.ObjectLength && table.AllocatedBytes > 0);
            NewHeader(plan, table, key).Format(keys, storeId, buffer.Span[..table.HeaderLength]);
            buffer.Resize(position);
            return buffer;
        }
        catch
        {
            buffer.Dispose();
            throw;
        }
    }

    /// <summary>Returns the most bytes the object can have: its own frames raw, each with a tag.</summary>
    private static int LengthBound(in SealPlan plan, int plaintextLength, int frameCount, int lenderCount)
    {
        var bound = SealedHeader.LengthOf(frameCount, lenderCount);
        for (var frame = 0; frame < frameCount; frame++)
        {
            if (plan.Owners.IsEmpty || plan.Owners[frame] == SealPlan.Own)
            {
                bound += BlockGeometry.FrameLength(plaintextLength, frame) + ObjectKey.TagSize;
            }
        }

        return bound;
    }

    private SealedHeader NewHeader(in SealPlan plan, FrameTable table, ObjectKey? key)
    {
        ReadOnlyMemory<byte> wrapped = ReadOnlyMemory<byte>.Empty;
        if (key is not null)
        {
            var bytes = new byte[KeyWrap.WrappedSize];
            Span<byte> plain = stackalloc byte[ObjectKey.Size];
            key.CopyTo(plain);
            keys.Wrap.Wrap(plain, bytes);
            plain.Clear();
            wrapped = bytes;
        }

        return new SealedHeader
        {
            Kind = plan.Kind,
            Name = plan.Name,
            Level = plan.Level,
            IsCompressed = zstd is not null,
            WrappedKey = wrapped,
            Table = table,
        };
    }

    private int Encode(in FrameContext context, ReadOnlySpan<byte> source, Span<byte> destination, out FrameKind kind)
    {
        var compressed = zstd is null ? ITransform.KeepRaw : zstd.Encode(context, source, destination);
        kind = compressed == ITransform.KeepRaw ? FrameKind.Raw : FrameKind.Compressed;
        if (context.Key is null)
        {
            if (kind == FrameKind.Compressed)
            {
                return compressed;
            }

            source.CopyTo(destination);
            return source.Length;
        }

        // What was compressed is encrypted where it stands, what was not on its way here.
        return Encryption.Encode(
            context, kind == FrameKind.Compressed ? destination[..compressed] : source, destination);
    }
}
