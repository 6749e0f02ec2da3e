using System.Buffers.Binary;
using Benji.Store.Blocks;
using Benji.Store.Blocks.Maps;
using Benji.Store.Blocks.Opening;
using Benji.Store.Blocks.Sealing;
using Benji.Store.Catalogs;
using Benji.Store.Model;
using Benji.Testing;
using Benji.Testing.Catalogs;
using Benji.Testing.Interleaving;
using Benji.Testing.Storages;
using Xunit;

namespace Benji.Tests.Operations;

/// <summary>A store in memory with several processes on it, and what each of its versions must hold.</summary>
/// <remarks>Blocks have real ids and rows; their objects are their ids' bytes, as nothing here opens them.</remarks>
internal sealed class CleanupWorld
{
    public const string Storage = "main";
    public const int BlockSize = BlockGeometry.BlockSizeMin;

    private readonly MemoryCatalogPlace _place;

    public CleanupWorld()
    {
        _place = new MemoryCatalogPlace(Clock);
        Objects = new MemoryStorage(Clock);
    }

    public ManualClock Clock { get; } = new();

    public MemoryStorage Objects { get; }

    public MemoryCatalogState State => _place.State;

    /// <summary>What each version that was ever about to appear holds: contents by index.</summary>
    public Dictionary<Guid, SortedDictionary<long, int>> Contents { get; } = [];

    public static BlockId IdOf(int content)
    {
        var bytes = new byte[Hash256.Size];
        new Random(content).NextBytes(bytes);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(28), content);
        return new BlockId(new Hash256(bytes));
    }

    /// <summary>Starts one more process on the store; with steps, each of its calls is one.</summary>
    public async Task<CleanupProcess> StartAsync(Interleaver? steps = null)
    {
        var catalog = new MemoryCatalog(_place);
        var store = await OpenAsync(Objects, Clock);
        if (steps is null)
        {
            return new CleanupProcess(this, catalog, catalog, store, Clock);
        }

        var clock = new SteppedClock(Clock, steps);
        await store.DisposeAsync();
        store = await OpenAsync(Objects, clock, steps);
        return new CleanupProcess(this, catalog, new SteppedCatalog(catalog, steps), store, clock);
    }

    /// <summary>Checks every published version against what it must hold, by its objects alone.</summary>
    public async Task CheckAsync()
    {
        var store = await OpenAsync(Objects, Clock);
        await using var empty = new MemoryCatalog(new MemoryCatalogPlace(Clock));
        var pages = new PageStore(store, empty, new PendingDeletions(store, empty, Clock), Clock);
        foreach (var version in State.Versions.Values)
        {
            var found = new SortedDictionary<long, BlockId>();
            var map = new MapReader(pages, version.Root, version.Geometry);
            await foreach (var run in map.ReadAsync(0, version.Geometry.BlockCount, CancellationToken.None))
            {
                for (var i = 0; i < run.Ids.Length; i++)
                {
                    if (!run.Ids.Span[i].IsHole)
                    {
                        found.Add(run.FirstBlock + i, run.Ids.Span[i]);
                        CheckBlock(run.Ids.Span[i]);
                    }
                }
            }

            Assert.Equal(Contents[version.Id].ToDictionary(block => block.Key, block => IdOf(block.Value)), found);
        }
    }

    /// <summary>The ids of all objects of blocks and pages that the versions need, and of those that are
    /// there.</summary>
    public async Task<(HashSet<Hash256> Needed, HashSet<Hash256> There)> CompareAsync()
    {
        await using var process = await StartAsync();
        var needed = new HashSet<Hash256>();
        var roots = State.Versions.Values
            .Select(version => new MarkRoot(process.Pages, version.Root, version.Geometry.Levels - 1))
            .ToList();
        await new MapMarker(roots, new MarkSets()).MarkAsync(
            (_, reached) =>
            {
                needed.UnionWith(State.Pages.Keys.Where(reached.Contains).Select(id => id.Hash));
                return Task.CompletedTask;
            },
            (_, reached) =>
            {
                needed.UnionWith(State.Blocks.Keys.Select(id => id.Hash).Where(reached.Contains));
                return Task.CompletedTask;
            },
            CancellationToken.None);
        for (var count = -1; count != needed.Count;)
        {
            count = needed.Count;
            needed.UnionWith(State.Blocks.Values.Where(row => needed.Contains(row.Id.Hash))
                .SelectMany(row => row.Lenders.Select(lender => lender.Hash)).ToList());
        }

        var there = new HashSet<Hash256>();
        foreach (var name in Objects.Names)
        {
            if (ObjectNames.TryParseBlock(name, out var block, out _))
            {
                there.Add(block.Hash);
            }

            if (ObjectNames.TryParsePage(name, out var page))
            {
                there.Add(page.Hash);
            }
        }

        return (needed, there);
    }

    private void CheckBlock(BlockId id)
    {
        Assert.True(State.Blocks.TryGetValue(id, out var row), $"Block {id} has no row.");
        Assert.NotEqual(ReferenceState.Deleting, row.State);
        var content = Objects[ObjectNames.Block(id, BlockForm.Whole)]
            ?? Objects[ObjectNames.Block(id, BlockForm.Delta)];
        Assert.True(content is not null, $"Block {id} has no object.");
        foreach (var lender in row.Lenders)
        {
            CheckBlock(lender);
        }
    }

    private static Task<OpenedStore> OpenAsync(MemoryStorage objects, TimeProvider clock, Interleaver? steps = null) =>
        OpenedStore.OpenAsync(
            new StoreOpening
            {
                Name = Storage,
                Storage = steps is null ? objects : new SteppedStorage(objects, steps),
                MayCreate = true,
                Pool = new BlockBufferPool(1 << 20),
                Time = clock,
            },
            CancellationToken.None);
}
