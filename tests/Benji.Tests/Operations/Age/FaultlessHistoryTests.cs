using Benji.Store;
using Benji.Store.Catalogs;
using Benji.Store.Model;
using Benji.Store.Operations;
using Benji.Testing;
using Benji.Testing.Interleaving;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Benji.Tests.Operations.Age;

/// <summary>Several processes back up, remove, label and clean up at once, in an order that a seed decides, some killed between
/// two steps: as nothing is put back and nothing copied, none of them is ever refused, and nothing is lost.</summary>
public sealed class FaultlessHistoryTests
{
    private const int Rounds = 4;
    private const int Contents = 4;

    [Fact]
    [Trait("Category", "Random")]
    public Task NothingIsRefusedWhenNobodyDies() => RunAsync(killsPerThousandMax: 0);

    [Fact]
    [Trait("Category", "Random")]
    public Task NothingIsRefusedWhenProcessesDie() => RunAsync(killsPerThousandMax: 60);

    private static Task RunAsync(int killsPerThousandMax) => Seeded.RunAsync(async random =>
    {
        for (var round = 0; round < Rounds; round++)
        {
            await using var world = new AgeWorld();
            var history = new History(world, random);
            var steps = new Interleaver(random)
            {
                KillsPerThousand = random.Next(killsPerThousandMax + 1),
                BeforeStep = () => world.Clock.Wait(TimeSpan.FromMilliseconds(random.Next(100) < 5 ? 6000 : random.Next(50))),
            };
            await steps.RunAsync(
                [.. Enumerable.Range(0, 4).Select(number => new Process(history, steps, random.Next(), number).Actor)]);
            await world.CheckAsync(history.Catalog, history.Possible, history.Done.Keys);
        }
    });

    /// <summary>What was begun and what was reported as done.</summary>
    private sealed class History(AgeWorld world, Random random)
    {
        private readonly Lock _doneLock = new();
        private readonly byte[][] _contents =
            [.. Enumerable.Range(0, Contents).Select(_ => Noise(random, AgeWorld.BlockSize))];

        private int _last;

        public AgeWorld World => world;

        public AgeCatalog Catalog { get; } = world.NewCatalog();

        public Dictionary<VersionName, byte[]> Possible { get; } = [];

        public Dictionary<VersionName, byte[]> Done { get; } = [];

        /// <summary>A new version of a volume: a disk of few blocks, which others have too.</summary>
        public (VersionName Name, byte[] Content) Begin(string volume, Random own)
        {
            lock (_doneLock)
            {
                var name = new VersionName(volume, $"v{_last++}");
                var content = Enumerable.Range(0, own.Next(1, 4)).SelectMany(_ => _contents[own.Next(Contents)]).ToArray();
                Possible.Add(name, content);
                world.Images.Set(name.Version, content);
                return (name, content);
            }
        }

        public void End(VersionName name, byte[]? content)
        {
            lock (_doneLock)
            {
                if (content is null)
                {
                    Done.Remove(name);
                }
                else
                {
                    Done.Add(name, content);
                }
            }
        }

        private static byte[] Noise(Random random, int length)
        {
            var noise = new byte[length];
            random.NextBytes(noise);
            return noise;
        }
    }

    private sealed class Process
    {
        private readonly History _history;
        private readonly Interleaver _steps;
        private readonly Random _random;
        private readonly int _number;
        private ICatalog? _catalog;
        private bool _isKilled;

        public Process(History history, Interleaver steps, int seed, int number)
        {
            (_history, _steps, _random, _number) = (history, steps, new Random(seed), number);
            Actor = new Actor(RunAsync, KillAsync);
        }

        public Actor Actor { get; }

        private async Task RunAsync()
        {
            await _steps.PassAsync();
            for (var i = _random.Next(1, 4); i > 0 && !_isKilled; i--)
            {
                try
                {
                    await using var store = await StartAsync();
                    await ActAsync(store);
                }
                catch (Exception failure) when (_isKilled || failure is InUseException or NotFoundException)
                {
                    // Whatever a dead process does; and what another one has claimed, or removed.
                }
            }
        }

        private async ValueTask KillAsync()
        {
            _isKilled = true;
            if (_catalog is not null)
            {
                await _catalog.DisposeAsync();
            }
        }

        private Task<BenjiStore> StartAsync()
        {
            var world = _history.World;
            var parts = world.PartsOf(_history.Catalog, new Tripwire());
            return BenjiStore.OpenAsync(
                world.OptionsOf(_history.Catalog) with { CatalogPath = world.PathOf($"p{_number}/catalog.db") },
                parts with
                {
                    WrapStorage = inner => new SteppedMarks(parts.WrapStorage(inner), _steps),
                    WrapCatalog = inner => _catalog = parts.WrapCatalog(inner),
                },
                StoreUse.Create,
                NullLoggerFactory.Instance,
                new PollingClock(world.Clock, _steps),
                CancellationToken.None);
        }

        private async Task ActAsync(BenjiStore store)
        {
            // The first always cleans up, the second always backs up.
            switch (_number switch { 0 => 0, 1 => 1, _ => _random.Next(5) })
            {
                case 0:
                    await store.CleanupAsync(new CleanupRequest { OlderThan = TimeSpan.Zero }, NoProgress.Instance);
                    break;
                case 1 or 2:
                    var (name, content) = _history.Begin($"volume{_number % 2}", _random);
                    await store.BackupAsync(
                        new BackupRequest { Source = name.Version, Volume = name.Volume, Version = name.Version },
                        NoProgress.Instance);
                    _history.End(name, content);
                    break;
                default:
                    await ChangeAsync(store);
                    break;
            }
        }

        private async Task ChangeAsync(BenjiStore store)
        {
            var versions = await store.ListAsync(null);
            if (versions.Count == 0)
            {
                return;
            }

            var name = versions[_random.Next(versions.Count)].Name;
            if (_random.Next(3) == 0)
            {
                await store.LabelAsync(
                    name.ToString(), new Dictionary<string, string> { ["by"] = $"{_number}" }, []);
                return;
            }

            // From the first call on it may be gone.
            _history.End(name, null);
            await store.RemoveAsync(new RemoveRequest { Versions = [name.ToString()], Force = true });
        }
    }
}
