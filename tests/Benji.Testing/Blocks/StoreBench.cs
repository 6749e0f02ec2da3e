using Benji.Store.Blocks;
using Benji.Store.Blocks.Opening;
using Benji.Store.Blocks.Sealing;
using Benji.Store.Model;
using Benji.Testing.Storages;

namespace Benji.Testing.Blocks;

/// <summary>A new store in memory whose objects a test seals, damages and reads.</summary>
internal sealed class StoreBench : IAsyncDisposable
{
    private StoreBench(MemoryStorage? memory)
    {
        Memory = memory ?? new MemoryStorage();
        Storage = new WatchedStorage(Memory);
    }

    public MemoryStorage Memory { get; }

    public WatchedStorage Storage { get; }

    public OpenedStore Store { get; private set; } = null!;

    public BlockStore Reads { get; private set; } = null!;

    public static async Task<StoreBench> OpenAsync(
        bool isEncrypted = true, int? zstdLevel = 1, MemoryStorage? storage = null)
    {
        var bench = new StoreBench(storage);
        bench.Store = await OpenedStore.OpenAsync(
            new StoreOpening
            {
                Name = "main",
                Storage = bench.Storage,
                Key = isEncrypted ? new KeyMaterial { MasterKey = new byte[32] } : null,
                ZstdLevel = zstdLevel,
                MayCreate = true,
                Pool = new BlockBufferPool(64 * 1024 * 1024),
                Time = TimeProvider.System,
            },
            CancellationToken.None);
        bench.Reads = new BlockStore(bench.Store);
        return bench;
    }

    public byte[] Hash(byte[] plaintext)
    {
        var hashes = new byte[BlockGeometry.FrameCount(plaintext.Length) * Hash256.Size];
        Store.Keys.Frames.HashFrames(plaintext, hashes);
        return hashes;
    }

    public BlockId IdOf(byte[] plaintext) => BlockIds.Compute(Store.Keys, plaintext.Length, Hash(plaintext));

    /// <summary>Puts a block as a whole.</summary>
    public Task<BlockId> PutAsync(byte[] plaintext) => PutAsync(plaintext, [], _ => SealPlan.Own);

    /// <summary>Puts a block as a delta whose frames are own or borrowed as <paramref name="owner"/> says.</summary>
    public async Task<BlockId> PutAsync(byte[] plaintext, BlockId[] lenders, Func<int, byte> owner)
    {
        var hashes = Hash(plaintext);
        var id = BlockIds.Compute(Store.Keys, plaintext.Length, hashes);
        var plan = new SealPlan
        {
            Kind = ObjectKind.Block,
            Name = id.Hash,
            Hashes = hashes,
            Owners = Enumerable.Range(0, BlockGeometry.FrameCount(plaintext.Length)).Select(owner).ToArray(),
            Lenders = lenders,
        };
        using var bytes = Store.Sealer.Seal(plan, plaintext, out _);
        var form = lenders.Length == 0 ? BlockForm.Whole : BlockForm.Delta;
        await Storage.PutAsync(ObjectNames.Block(id, form), bytes.Memory, CancellationToken.None);
        return id;
    }

    public async Task<byte[]> ReadFramesAsync(BlockId id, int blockLength, int firstFrame, int frameCount)
    {
        var start = firstFrame * BlockGeometry.FrameSize;
        var end = Math.Min(blockLength, start + (frameCount * BlockGeometry.FrameSize));
        var bytes = new byte[end - start];
        await Reads.ReadFramesAsync(id, blockLength, firstFrame, bytes, CancellationToken.None);
        return bytes;
    }

    public async Task<(byte[] Bytes, IReadOnlyList<FrameDamage> Damages)> ReadBlockAsync(BlockId id, int blockLength)
    {
        var bytes = new byte[blockLength];
        bytes.AsSpan().Fill(0xaa);
        var reading = await Reads.ReadBlockAsync(id, blockLength, bytes, CancellationToken.None);
        return (bytes, reading.Damages);
    }

    /// <summary>Forgets every table.</summary>
    public void Restart()
    {
        Reads.Dispose();
        Reads = new BlockStore(Store);
    }

    public async ValueTask DisposeAsync()
    {
        Reads.Dispose();
        await Store.DisposeAsync();
    }
}
