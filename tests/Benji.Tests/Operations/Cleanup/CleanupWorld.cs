using Benji.Store.Blocks;
using Benji.Store.Blocks.Opening;
using Benji.Store.Blocks.Sealing;
using Benji.Store.Catalogs;
using Benji.Store.Model;
using Benji.Store.Storages;
using Benji.Testing;
using Benji.Testing.Catalogs;
using Benji.Testing.Interleaving;
using Benji.Testing.Storages;
using Xunit;
using LogLines = Benji.Tests.Nbd.Session.LogLines;

namespace Benji.Tests.Operations.Cleanup;

/// <summary>A store in memory with several processes on it, and what each of its versions must hold.</summary>
/// <remarks>A content is a number whose four digits to the base 4 are the values of the block's four frames: blocks that differ in
/// one digit are deltas of each other, and several ways lead to each.</remarks>
internal sealed class CleanupWorld
{
    public const string Storage = "main";
    public const int Frames = 4;
    public const int FrameValues = 4;
    public const int BlockSize = Frames * BlockGeometry.FrameSize;

    private readonly MemoryCatalogPlace _place;
    private readonly StoreOpening _opening;
    private readonly Dictionary<int, BlockId> _ids = [];

    private CleanupWorld(ManualClock clock)
    {
        Clock = clock;
        _place = new MemoryCatalogPlace(clock);
        Objects = new MemoryStorage(clock);
        _opening = new StoreOpening
        {
            Name = Storage,
            Storage = Objects,
            ZstdLevel = 1,
            MayCreate = true,
            Pool = new BlockBufferPool(16 << 20),
            Time = clock,
        };
    }

    public ManualClock Clock { get; }

    public MemoryStorage Objects { get; }

    public MemoryCatalogState State
    {
        get => _place.State;
        set => _place.State = value;
    }

    /// <summary>The store, for looking at it from outside; no process uses it.</summary>
    public OpenedStore Store { get; private set; } = null!;

    /// <summary>What each version that was ever about to appear holds: contents by index.</summary>
    public Dictionary<Guid, SortedDictionary<long, int>> Contents { get; } = [];

    /// <summary>The versions whose backups reported success.</summary>
    public HashSet<Guid> Published { get; } = [];

    /// <summary>The versions whose backups failed without being killed: they must not appear.</summary>
    public HashSet<Guid> Failed { get; } = [];

    /// <summary>The versions that somebody began to remove.</summary>
    public HashSet<Guid> Removing { get; } = [];

    /// <summary>The versions that somebody removed.</summary>
    public HashSet<Guid> Removed { get; } = [];

    /// <summary>What processes warned of: nothing here calls for a warning.</summary>
    public LogLines Log { get; } = new();

    public static async Task<CleanupWorld> OpenAsync()
    {
        var world = new CleanupWorld(new ManualClock());
        world.Store = await OpenedStore.OpenAsync(world._opening, CancellationToken.None);
        world.State = world.State with
        {
            Bindings = world.State.Bindings.Add(
                Storage, new StorageBinding(Storage, world.Store.StoreId, world.Store.IsEncrypted)),
        };
        return world;
    }

    /// <summary>The bytes of a content.</summary>
    public static byte[] BytesOf(int content)
    {
        var bytes = new byte[BlockSize];
        for (var frame = 0; frame < Frames; frame++, content /= FrameValues)
        {
            bytes.AsSpan(frame * BlockGeometry.FrameSize, BlockGeometry.FrameSize).Fill((byte)(content % FrameValues));
        }

        return bytes;
    }

    /// <summary>The content of these frames.</summary>
    public static int Of(params int[] frames) => frames.Reverse().Aggregate(0, (content, frame) => (content * FrameValues) + frame);

    /// <summary>A content with another value in one frame.</summary>
    public static int With(int content, int frame, int value)
    {
        var place = (int)Math.Pow(FrameValues, frame);
        return content + ((value - (content / place % FrameValues)) * place);
    }

    /// <summary>The id of a content's block.</summary>
    public BlockId IdOf(int content)
    {
        lock (_ids)
        {
            if (!_ids.TryGetValue(content, out var id))
            {
                var hashes = new byte[Frames * Hash256.Size];
                Store.Keys.Frames.HashFrames(BytesOf(content), hashes);
                _ids.Add(content, id = BlockIds.Compute(Store.Keys, BlockSize, hashes));
            }

            return id;
        }
    }

    /// <summary>True while somebody reads without a lease.</summary>
    public bool HasReaders
    {
        set => _place.HasReaders = value;
    }

    /// <summary>A catalog of one more process.</summary>
    public MemoryCatalog OpenCatalog() => new(_place);

    /// <summary>Starts one more process on the store.</summary>
    /// <param name="wrapCatalog">Puts something around its catalog.</param>
    /// <param name="wrapStorage">Puts something around its storage.</param>
    public async Task<CleanupProcess> StartAsync(
        Func<ICatalog, ICatalog>? wrapCatalog = null, Func<IStorage, IStorage>? wrapStorage = null)
    {
        var catalog = OpenCatalog();
        var store = await OpenedStore.OpenAsync(
            _opening with { Storage = wrapStorage is null ? Objects : wrapStorage(Objects) }, CancellationToken.None);
        return new CleanupProcess(this, catalog, wrapCatalog is null ? catalog : wrapCatalog(catalog), store, Clock);
    }

    /// <summary>Starts one more process on the store, each of whose calls is a step.</summary>
    public async Task<CleanupProcess> StartAsync(Interleaver steps)
    {
        var catalog = OpenCatalog();
        var clock = new SteppedClock(Clock, steps);
        var store = await OpenedStore.OpenAsync(
            _opening with { Storage = new SteppedStorage(Objects, steps), Time = clock }, CancellationToken.None);
        return new CleanupProcess(this, catalog, new SteppedCatalog(catalog, steps), store, clock);
    }

    /// <summary>The newest published version.</summary>
    public VersionRecord Newest => State.Versions.Values.OrderBy(version => version.Date).Last();

    /// <summary>Backs up volume a, of 6,000 blocks, with some of them changed; a second lies before and after it.</summary>
    public async Task BackUpAsync(CleanupProcess process, params (long Index, int Content)[] changes)
    {
        Clock.Advance(TimeSpan.FromSeconds(1));
        Assert.NotNull(await process.BackUpAsync(
            "a",
            6000,
            contents => Array.ForEach(changes, change => contents[change.Index] = change.Content),
            new Random(1)));
        Clock.Advance(TimeSpan.FromSeconds(1));
    }
}
