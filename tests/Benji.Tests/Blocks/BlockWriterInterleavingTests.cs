using Benji.Store.Blocks;
using Benji.Store.Blocks.Opening;
using Benji.Store.Catalogs;
using Benji.Store.Model;
using Benji.Store.Storages;
using Benji.Testing;
using Benji.Testing.Blocks;
using Benji.Testing.Catalogs;
using Benji.Testing.Interleaving;
using Benji.Testing.Storages;
using Xunit;

namespace Benji.Tests.Blocks;

/// <summary>Several runs that store the same blocks over different bases, step by step in any order, some killed, while
/// blocks are marked: every row says what its object holds, and what a run was told is there can be read.</summary>
public sealed class BlockWriterInterleavingTests
{
    private const int Rounds = 60;
    private const string Letters = "abcx";

    [Fact]
    public Task NothingIsPutOverAnythingWhenNobodyDies() => RunAsync(killsPerThousand: 0);

    [Fact]
    public Task NothingIsPutOverAnythingWhenRunsDie() => RunAsync(killsPerThousand: 60);

    private static Task RunAsync(int killsPerThousand) => Seeded.RunAsync(async random =>
    {
        for (var round = 0; round < Rounds; round++)
        {
            var world = new World();
            await world.SeedAsync();
            var steps = new Interleaver(random) { KillsPerThousand = random.Next(killsPerThousand + 1) };
            Actor[] runs = [.. Enumerable.Range(0, 3).Select(_ => world.NewRun(steps, new Random(random.Next())))];
            var marker = random.Next(2) == 0 ? [] : new[] { world.NewMarker(steps, new Random(random.Next())) };
            await steps.RunAsync([.. runs, .. marker]);
            await world.CheckAsync();

            // Whoever died is found dead: from then on the storage may hold strays.
            await world.BindAsync(holdsStrays: runs.Any(run => run.IsDead));
            await world.StoreAllAsync();
            await world.CheckAsync();
        }
    });

    private sealed class World
    {
        private readonly ManualClock _clock = new();
        private readonly MemoryCatalogPlace _place;
        private readonly MemoryStorage _objects;
        private readonly List<(BlockId Id, string Letters)> _bases = [];
        private readonly Dictionary<BlockId, string> _contents = [];
        private readonly HashSet<BlockId> _told = [];
        private long _runs;

        public World()
        {
            _place = new MemoryCatalogPlace(_clock);
            _objects = new MemoryStorage(_clock);
        }

        /// <summary>Stores blocks that share frames with all others, in both forms.</summary>
        public async Task SeedAsync()
        {
            foreach (var letters in new[] { "aaaa", "bbbb", "aabb" })
            {
                var over = _bases.Count < 2 ? default : _bases[0].Id;
                var id = await StoreAsync(null, lane => lane.WriteAsync(DeltaCast.Input(letters, over), CancellationToken.None));
                _bases.Add((id, letters));
                Note(id, letters);
            }
        }

        public Actor NewRun(Interleaver steps, Random random)
        {
            var catalog = new MemoryCatalog(_place);
            return new Actor(
                async () =>
                {
                    await steps.PassAsync();
                    for (var i = random.Next(1, 4); i > 0; i--)
                    {
                        await RunAsync(new SteppedCatalog(catalog, steps), steps, random);
                    }
                },
                () => catalog.DisposeAsync());
        }

        public Actor NewMarker(Interleaver steps, Random random) => new(async () =>
        {
            await steps.PassAsync();
            var catalog = new SteppedCatalog(new MemoryCatalog(_place), steps);
            for (var i = random.Next(1, 6); i > 0; i--)
            {
                await catalog.WriteAsync(
                    transaction =>
                    {
                        var rows = transaction.BlockReferences.Scan(null, 100);
                        transaction.BlockReferences.SetInvalid([rows[random.Next(rows.Count)].Id], isInvalid: true);
                        return true;
                    },
                    CancellationToken.None);
            }
        });

        public async Task BindAsync(bool holdsStrays)
        {
            await using var catalog = new MemoryCatalog(_place);
            await catalog.WriteAsync(
                transaction =>
                {
                    transaction.StorageBindings.Put(new StorageBinding("main", Guid.Empty, false, null, holdsStrays));
                    return true;
                },
                CancellationToken.None);
        }

        /// <summary>One more run stores every content that there was, over another.</summary>
        public async Task StoreAllAsync()
        {
            foreach (var letters in _contents.Values.ToArray())
            {
                var over = _contents.Keys.First(id => _contents[id] != letters);
                var id = await StoreAsync(null, lane => lane.WriteAsync(DeltaCast.Input(letters, over), CancellationToken.None));
                Assert.False(_place.State.Blocks[id].IsInvalid);
                _told.Add(id);
            }
        }

        /// <summary>Every sound row says what its object holds, and reads back; so does all that was told to be there and
        /// was not marked since.</summary>
        public async Task CheckAsync()
        {
            await using var store = await OpenAsync(_objects);
            using var adoption = new BlockAdoption(store);
            foreach (var row in _place.State.Blocks.Values.Where(row => !row.IsInvalid))
            {
                var lenders = row.Lenders.Select(lender => _place.State.Blocks.GetValueOrDefault(lender)).ToArray();
                var made = await adoption.ReadAsync(row.Id, row.Form, row.StoredLength, default, CancellationToken.None);
                Assert.Equal(made.Loans.ToHashSet(), row.Loans.ToHashSet());
                Assert.Equal(made.Own, row.Own);
                Assert.All(row.Loans.Zip(lenders), pair => Assert.True(pair.Second!.Owns(pair.First.Frames)));
                using var reads = new BlockStore(store);
                var content = new byte[DeltaCast.Length];
                await reads.ReadFramesAsync(row.Id, content.Length, 0, content, CancellationToken.None);
                Assert.Equal(DeltaCast.Of(_contents[row.Id]), content);
            }

            Assert.All(_told, id => Assert.True(_place.State.Blocks.ContainsKey(id)));
        }

        private async Task RunAsync(ICatalog catalog, Interleaver steps, Random random)
        {
            var planned = new List<BlockId>();
            await StoreAsync(
                (catalog, new SteppedStorage(_objects, steps), new SteppedClock(_clock, steps)),
                async lane =>
                {
                    BlockOutcome outcome = default;
                    for (var i = random.Next(1, 4); i > 0; i--)
                    {
                        var letters = string.Concat(Enumerable.Range(0, 4).Select(_ => Letters[random.Next(2 + random.Next(3))]));
                        var input = DeltaCast.Input(letters, _bases[random.Next(_bases.Count)].Id);
                        outcome = await lane.WriteAsync(input, CancellationToken.None);
                        Note(outcome.Id, letters);
                        if (outcome.Kind != BlockOutcomeKind.Unchanged)
                        {
                            planned.Add(outcome.Id);
                        }
                    }

                    return outcome;
                });
            _told.UnionWith(planned);
        }

        private void Note(BlockId id, string letters)
        {
            lock (_contents)
            {
                _contents[id] = letters;
            }
        }

        private async Task<BlockId> StoreAsync(
            (ICatalog Catalog, IStorage Storage, TimeProvider Time)? parts, Func<BlockWriterLane, ValueTask<BlockOutcome>> write)
        {
            await using var plain = new MemoryCatalog(_place);
            var (catalog, storage, time) = parts ?? (plain, _objects, _clock);
            await using var store = await OpenAsync(storage);
            using var reads = new BlockStore(store);
            var run = new StoringRun(Interlocked.Increment(ref _runs), _clock.GetUtcNow());
            await using var lane = new BlockWriter(store, catalog, reads, run, time).StartLane();
            var outcome = await write(lane);
            await lane.CompleteAsync(CancellationToken.None);
            return outcome.Id;
        }

        private static Task<OpenedStore> OpenAsync(IStorage storage) => OpenedStore.OpenAsync(
            new StoreOpening
            {
                Name = "main",
                Storage = storage,
                Key = null,
                ZstdLevel = null,
                MayCreate = true,
                Pool = new BlockBufferPool(1 << 24),
                Time = TimeProvider.System,
            },
            CancellationToken.None);
    }
}
