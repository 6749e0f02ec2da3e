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

    /// <summary>Says what the catalog is to know of the storage.</summary>
    public Task BindAsync(DateTimeOffset? doubtFrom = null, bool holdsStrays = false) => ChangeAsync(
        transaction => transaction.StorageBindings.Put(
            new StorageBinding("main", Bench.Store.StoreId, Bench.Store.IsEncrypted, doubtFrom, holdsStrays)));

    /// <summary>Changes the catalog behind the writer's back.</summary>
    public Task ChangeAsync(Action<ICatalogTransaction> change) => Catalog.WriteAsync(
        transaction =>
        {
            change(transaction);
            return true;
        },
        CancellationToken.None);

    /// <summary>Marks a block as damaged, as a scrub does.</summary>
    public Task MarkAsync(BlockId id) => ChangeAsync(t => t.BlockReferences.SetInvalid([id], isInvalid: true));

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
    /// <summary>What the source holds; a test changes it.</summary>
    public byte[] Content => content;

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
    private int _writes;

    /// <summary>Called whenever the generation is asked for.</summary>
    public Action? OnReadGeneration { get; set; }

    /// <summary>Called after each writing transaction with its number, from 1.</summary>
    public Func<int, Task>? AfterWrite { get; set; }

    /// <summary>Writing transactions begun.</summary>
    public int Writes => _writes;

    public LeaseOwner Owner => inner.Owner;

    public Task<T> ReadAsync<T>(Func<ICatalogTransaction, T> work, CancellationToken cancellationToken) =>
        inner.ReadAsync(work, cancellationToken);

    public async Task<T> WriteAsync<T>(Func<ICatalogTransaction, T> work, CancellationToken cancellationToken)
    {
        var number = Interlocked.Increment(ref _writes);
        var result = await inner.WriteAsync(work, cancellationToken);
        if (AfterWrite is not null)
        {
            await AfterWrite(number);
        }

        return result;
    }

    public long ReadGeneration()
    {
        OnReadGeneration?.Invoke();
        return inner.ReadGeneration();
    }

    public ValueTask DisposeAsync() => inner.DisposeAsync();
}
