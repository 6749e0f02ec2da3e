using Benji.Store.Blocks.Sealing;
using Benji.Store.Model;
using Benji.Store.Transforms;

namespace Benji.Testing.Blocks;

/// <summary>A sealer and an opener with fixed keys, without a storage.</summary>
internal sealed class SealingBench : IDisposable
{
    private readonly ZstdTransform _zstd = new();

    public SealingBench(bool isEncrypted, bool isCompressed, byte seed = 1)
    {
        var input = new byte[StoreKeys.InputKeySize];
        input.AsSpan().Fill(seed);
        StoreId = new Guid(input.AsSpan(0, 16));
        Keys = isEncrypted ? StoreKeys.Encrypted(input, StoreId) : StoreKeys.Plain(input, StoreId);
        Sealer = new Sealer(Keys, StoreId, isCompressed ? _zstd : null, Pool, ObjectKey.NewRandom);
        Opener = new Opener(Keys, StoreId, _zstd);
    }

    public Guid StoreId { get; }

    public StoreKeys Keys { get; }

    public Sealer Sealer { get; }

    public Opener Opener { get; }

    public BlockBufferPool Pool { get; } = new(16 * 1024 * 1024);

    /// <summary>The id of a block and what to expect of its object.</summary>
    public ExpectedObject Expect(byte[] plaintext)
    {
        var id = BlockIds.Compute(Keys, plaintext.Length, Hash(plaintext));
        return new ExpectedObject(
            ObjectNames.Block(id, BlockForm.Whole), ObjectKind.Block, id.Hash, plaintext.Length);
    }

    /// <summary>The bytes of a whole block's object; sound in all but its name when another is given.</summary>
    public byte[] Seal(byte[] plaintext, Hash256? name = null)
    {
        var hashes = Hash(plaintext);
        var plan = new SealPlan
        {
            Kind = ObjectKind.Block,
            Name = name ?? BlockIds.Compute(Keys, plaintext.Length, hashes).Hash,
            Hashes = hashes,
        };
        using var buffer = Sealer.Seal(plan, plaintext, out _);
        return buffer.Span.ToArray();
    }

    /// <summary>Opens a whole block's object; the bytes are kept.</summary>
    public byte[] Open(in ExpectedObject expected, byte[] bytes) =>
        Opener.OpenWhole(expected, bytes.AsSpan().ToArray(), out _);

    public byte[] Hash(byte[] plaintext)
    {
        var hashes = new byte[BlockGeometry.FrameCount(plaintext.Length) * Hash256.Size];
        Keys.Frames.HashFrames(plaintext, hashes);
        return hashes;
    }

    public void Dispose()
    {
        Keys.Dispose();
        _zstd.Dispose();
    }
}
