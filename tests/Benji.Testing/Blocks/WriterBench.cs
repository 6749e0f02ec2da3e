using Benji.Store.Blocks;
using Benji.Store.Blocks.Sealing;
using Benji.Store.Catalogs;
using Benji.Store.Model;
using Benji.Testing.Catalogs;

namespace Benji.Testing.Blocks;

/// <summary>A store in memory and a catalog, written to as a backup does.</summary>
internal sealed class WriterBench : IAsyncDisposable
{
    private readonly MemoryCatalogPlace _place;
    private long _runs;

    private WriterBench(StoreBench bench)
    {
        Bench = bench;
        _place = new MemoryCatalogPlace(Clock);
        Catalog = new WatchedCatalog(OpenCatalog());
    }

    public StoreBench Bench { get; }

    public WatchedCatalog Catalog { get; }

    public ManualClock Clock { get; } = new();

    public static async Task<WriterBench> OpenAsync(bool isEncrypted = true, int? zstdLevel = 1) =>
        new(await StoreBench.OpenAsync(isEncrypted, zstdLevel));

    /// <summary>Opens the catalog as another process would.</summary>
    public ICatalog OpenCatalog() => new MemoryCatalog(_place);

    /// <summary>Starts a run of its own.</summary>
    public BlockWriter NewWriter() => NewWriter(Catalog);

    /// <summary>Starts a run of another process.</summary>
    public BlockWriter NewWriter(ICatalog catalog) =>
        new(Bench.Store, catalog, Bench.Reads, new StoringRun(Interlocked.Increment(ref _runs), Clock.GetUtcNow()), Clock);

    /// <summary>Writes one block in a lane of its own and completes it.</summary>
    public async Task<BlockOutcome> WriteAsync(BlockInput input)
    {
        await using var lane = NewWriter().StartLane();
        var outcome = await lane.WriteAsync(input, CancellationToken.None);
        await lane.CompleteAsync(CancellationToken.None);
        return outcome;
    }

    /// <summary>Writes a block without a base.</summary>
    public Task<BlockOutcome> WriteAsync(byte[] content) => WriteAsync(Whole(content));

    /// <summary>Writes a block that was read whole over a base.</summary>
    public Task<BlockOutcome> WriteAsync(byte[] content, BlockId baseId) =>
        WriteAsync(Whole(content) with { BaseId = baseId, BaseLength = content.Length });

    public static BlockInput Whole(byte[] content) => new(
        content.AsSpan().ToArray(), BlockId.Hole, 0, FrameSet.All(BlockGeometry.FrameCount(content.Length)), null, true);

    /// <summary>A block of which only some frames were read; the others are rubbish until the filler is asked.</summary>
    public static BlockInput Partial(byte[] content, BlockId baseId, CountingFiller filler, params int[] changed)
    {
        var rubbish = Enumerable.Repeat((byte)0x5a, content.Length).ToArray();
        var frames = new FrameSet(BlockGeometry.FrameCount(content.Length));
        foreach (var frame in changed)
        {
            frames.Add(frame);
            var start = frame * BlockGeometry.FrameSize;
            content.AsSpan(start, BlockGeometry.FrameLength(content.Length, frame)).CopyTo(rubbish.AsSpan(start));
        }

        return new BlockInput(rubbish, baseId, content.Length, frames, filler, MayLend: true);
    }

    public async Task<BlockRow?> RowAsync(BlockId id) =>
        (await Catalog.ReadAsync(transaction => transaction.BlockReferences.Find([id]), CancellationToken.None))[0];

    /// <summary>Changes a row behind the writer's back.</summary>
    public Task ChangeAsync(BlockId id, Func<BlockRow, BlockRow> change) => Catalog.WriteAsync(
        transaction =>
        {
            transaction.BlockReferences.Put([change(transaction.BlockReferences.Find([id])[0]!)]);
            return true;
        },
        CancellationToken.None);

    public byte[]? ObjectOf(BlockId id, BlockForm form) => Bench.Memory[ObjectNames.Block(id, form)];

    public async ValueTask DisposeAsync()
    {
        await Catalog.DisposeAsync();
        await Bench.DisposeAsync();
    }
}

/// <summary>A source that counts the frames it is asked for.</summary>
internal sealed class CountingFiller(byte[] content) : IFrameFiller
{
    public int Frames { get; private set; }

    public ValueTask FillAsync(
        int firstFrame, int frameCount, Memory<byte> destination, CancellationToken cancellationToken)
    {
        Frames += frameCount;
        content.AsMemory(firstFrame * BlockGeometry.FrameSize, destination.Length).CopyTo(destination);
        return ValueTask.CompletedTask;
    }
}

/// <summary>A catalog that tells a test when somebody waits for it to change.</summary>
internal sealed class WatchedCatalog(ICatalog inner) : ICatalog
{
    /// <summary>Called whenever the generation is asked for.</summary>
    public Action? OnReadGeneration { get; set; }

    public LeaseOwner Owner => inner.Owner;

    public Task<T> ReadAsync<T>(Func<ICatalogTransaction, T> work, CancellationToken cancellationToken) =>
        inner.ReadAsync(work, cancellationToken);

    public Task<T> WriteAsync<T>(Func<ICatalogTransaction, T> work, CancellationToken cancellationToken) =>
        inner.WriteAsync(work, cancellationToken);

    public long ReadGeneration()
    {
        OnReadGeneration?.Invoke();
        return inner.ReadGeneration();
    }

    public ValueTask DisposeAsync() => inner.DisposeAsync();
}
