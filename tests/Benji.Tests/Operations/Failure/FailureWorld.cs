using Benji.Cli;
using Benji.Store;
using Benji.Store.Model;
using Benji.Store.Operations;
using Benji.Testing.Serving;
using Benji.Testing.Storages;
using Benji.Tests.Operations.Age;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Benji.Tests.Operations.Failure;

/// <summary>Two versions of a disk in a storage whose calls fail as a script says, and every command that meets that.</summary>
internal sealed class FailureWorld : IAsyncDisposable
{
    private readonly AgeWorld _world = new();

    public AgeCatalog Catalog { get; private set; } = null!;

    public VersionRecord First { get; private set; } = null!;

    public VersionRecord Second { get; private set; } = null!;

    public byte[] Content { get; private set; } = null!;

    public MemoryStorage Objects => _world.Main;

    /// <summary>The commands; each answers whether it told of damage.</summary>
    public static IReadOnlyDictionary<string, Func<FailureWorld, BenjiStore, Task<bool>>> Commands { get; } =
        new Dictionary<string, Func<FailureWorld, BenjiStore, Task<bool>>>
        {
            ["scrub"] = (world, store) => world.ScrubAsync(store, isDeep: false),
            ["deep-scrub"] = (world, store) => world.ScrubAsync(store, isDeep: true),
            ["restore"] = (world, store) => world.RestoreAsync(store),
            ["image"] = (world, store) => world.ReadImageAsync(store),
            ["backup"] = (world, store) => world.BackUpAsync(store),
            ["cleanup"] = async (_, store) =>
            {
                await store.CleanupAsync(new CleanupRequest { OlderThan = TimeSpan.Zero }, NoProgress.Instance);
                return false;
            },
            ["label"] = async (world, store) =>
            {
                await store.LabelAsync(world.Second.Name.ToString(), new Dictionary<string, string> { ["x"] = "y" }, []);
                return false;
            },
        };

    public static async Task<FailureWorld> OpenAsync()
    {
        var world = new FailureWorld();
        var random = new Random(12);
        world.Catalog = world._world.NewCatalog();
        world.Content = new byte[6 * AgeWorld.BlockSize];
        random.NextBytes(world.Content);
        world._world.Images.Set("a", world.Content.ToArray());
        world.First = await world._world.BackupAsync(world.Catalog, "a");
        world._world.Clock.Advance(TimeSpan.FromSeconds(1));
        random.NextBytes(world.Content.AsSpan(AgeWorld.BlockSize));
        world._world.Images.Set("a", world.Content.ToArray());
        world.Second = await world._world.BackupAsync(world.Catalog, "a");

        // Something for a cleanup to delete.
        world._world.Clock.Advance(TimeSpan.FromSeconds(1));
        world._world.Images.Set("old", RandomBytes(random, 2 * AgeWorld.BlockSize));
        var old = await world._world.BackupAsync(world.Catalog, "old");
        await world._world.RemoveAsync(world.Catalog, old.Name);
        world._world.Clock.Advance(TimeSpan.FromSeconds(10));
        return world;
    }

    /// <summary>Runs a command in a process of its own.</summary>
    /// <returns>Its failure, whether it told of damage, and how many calls it made.</returns>
    public async Task<(Exception? Failure, bool IsDamaged, long Calls)> RunAsync(
        string command, Func<StorageCall, Fault?> script)
    {
        var (isDamaged, calls) = (false, 0L);
        var failure = await Record.ExceptionAsync(async () =>
        {
            await using var store = await OpenAsync(call =>
            {
                Interlocked.Increment(ref calls);
                return script(call);
            });
            isDamaged = await Commands[command](this, store);
        });
        return (failure, isDamaged, calls);
    }

    /// <summary>Makes a new catalog in a place of its own.</summary>
    public Task<RebuildResult> RebuildAsync(Func<StorageCall, Fault?> script) =>
        _world.RebuildAsync(_world.NewCatalog(), null, script);

    /// <summary>Makes a version that begins with holes.</summary>
    public async Task<VersionName> BackUpWithHolesAsync()
    {
        _world.Images.Set("holes", [.. new byte[3 * AgeWorld.BlockSize], .. Content]);
        return (await _world.BackupAsync(Catalog, "holes")).Name;
    }

    /// <summary>Restores a version over a disk of ones, in a process of its own.</summary>
    /// <returns>How it failed, and what the disk holds then.</returns>
    public async Task<(Exception? Failure, byte[] Target)> RestoreAsync(VersionName version, Func<StorageCall, Fault?> script)
    {
        var target = _world.Images.Set("over", [.. Enumerable.Repeat((byte)0xff, Content.Length + (3 * AgeWorld.BlockSize))]);
        var failure = await Record.ExceptionAsync(async () =>
        {
            await using var store = await OpenAsync(script);
            await store.RestoreAsync(
                new RestoreRequest { Version = version.ToString(), Target = "over", Force = true }, NoProgress.Instance);
        });
        return (failure, target.Content);
    }

    /// <summary>Nothing is marked in the catalog.</summary>
    public void AssertNothingIsMarked(string when)
    {
        Assert.True(Catalog.Place.State.Versions.Values.All(version => version.Status == VersionStatus.Valid), when);
        Assert.True(Catalog.Place.State.Blocks.Values.All(row => !row.IsInvalid), when);
    }

    /// <summary>A command either did it, or failed as a command does whose storage fails.</summary>
    public static void AssertIsFailureOfStorage(Exception? failure, bool isDamaged, string when)
    {
        Assert.True(failure is null || ExitCodes.Of(failure, isStopped: false) == ExitCodes.InputOutput, $"{when}: {failure}");
        Assert.False(isDamaged, when);
    }

    public ValueTask DisposeAsync() => _world.DisposeAsync();

    private Task<BenjiStore> OpenAsync(Func<StorageCall, Fault?> script)
    {
        var parts = _world.PartsOf(Catalog, new Tripwire());
        return BenjiStore.OpenAsync(
            _world.OptionsOf(Catalog),
            parts with { WrapStorage = inner => new FaultyStorage(parts.WrapStorage(inner), script) },
            StoreUse.Change,
            NullLoggerFactory.Instance,
            _world.Clock,
            CancellationToken.None);
    }

    private static byte[] RandomBytes(Random random, int length)
    {
        var bytes = new byte[length];
        random.NextBytes(bytes);
        return bytes;
    }

    private async Task<bool> ScrubAsync(BenjiStore store, bool isDeep)
    {
        var result = await store.ScrubAsync(
            new ScrubRequest { Version = Second.Name.ToString(), IsDeep = isDeep }, NoProgress.Instance);
        return result.Damage.Count > 0;
    }

    // Over a disk of ones: each byte is as it was, or right, but for damage that is told.
    private async Task<bool> RestoreAsync(BenjiStore store)
    {
        var target = _world.Images.Set("target", [.. Enumerable.Repeat((byte)0xff, Content.Length)]);
        IReadOnlyList<Damage> damage = [];
        try
        {
            var result = await store.RestoreAsync(
                new RestoreRequest { Version = Second.Name.ToString(), Target = "target", Force = true }, NoProgress.Instance);
            damage = result.Damage;
        }
        finally
        {
            for (var i = 0; i < Content.Length; i++)
            {
                if (target.Content[i] != Content[i] && target.Content[i] != 0xff)
                {
                    Assert.True(
                        damage.Any(range => i >= range.Offset && i < range.Offset + range.Length), $"Byte {i} was lost.");
                }
            }
        }

        return damage.Count > 0;
    }

    private async Task<bool> ReadImageAsync(BenjiStore store)
    {
        var images = store.OpenImages();
        var entry = await images.FindAsync(Second.Name.ToString(), CancellationToken.None);
        await using var image = await images.OpenVersionAsync(entry!, CancellationToken.None);
        try
        {
            Assert.Equal(Content, await image.ReadAllAsync());
            return false;
        }
        catch (DamagedImageException)
        {
            return true;
        }
    }

    private async Task<bool> BackUpAsync(BenjiStore store)
    {
        _world.Images["a"].Content[AgeWorld.BlockSize + 5] ^= 1;
        return (await AgeWorld.BackupAsync(store, "a")).Status != VersionStatus.Valid;
    }
}
