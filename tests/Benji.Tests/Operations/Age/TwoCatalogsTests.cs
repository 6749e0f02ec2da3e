using System.Security.Cryptography;
using Benji.Store.Model;
using Xunit;

namespace Benji.Tests.Operations.Age;

/// <summary>Two catalogs work on one storage: a copy of one beside it, and two that met the storage on their own.</summary>
public sealed class TwoCatalogsTests : IAsyncLifetime
{
    private readonly AgeWorld _world = new();
    private readonly byte[] _a = RandomNumberGenerator.GetBytes(3 * AgeWorld.BlockSize);
    private readonly byte[] _b = RandomNumberGenerator.GetBytes(2 * AgeWorld.BlockSize);
    private AgeCatalog _first = null!;
    private VersionRecord _ofA = null!;

    public async Task InitializeAsync()
    {
        _first = _world.NewCatalog();
        _world.Images.Set("a", _a);
        _world.Images.Set("b", _b);
        _ofA = await _world.BackupAsync(_first, "a");
        _world.Clock.Advance(TimeSpan.FromSeconds(1));
    }

    public async Task DisposeAsync() => await _world.DisposeAsync();

    [Fact]
    public async Task OneAtATimeTheOtherIsRefusedFromThenOn()
    {
        var second = _world.Fork(_first);
        await _world.BackupAsync(second, "b");
        var refusal = await Assert.ThrowsAsync<AgeMismatchException>(() => _world.BackupAsync(_first, "a"));
        Assert.Contains("another catalog", refusal.Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<AgeMismatchException>(() => _world.RemoveAsync(_first, _ofA.Name));
        await Assert.ThrowsAsync<AgeMismatchException>(() => _world.CleanUpAsync(_first));
        await _world.BackupAsync(second, "a");
    }

    [Theory]
    [InlineData("backup")]
    [InlineData("rm cleanup")]
    [InlineData("rm cleanup backup")]
    public async Task AtOnceOneOfThemIsRefusedAndNothingIsLost(string other)
    {
        // The backup finds what the other removes and stores what the other stores.
        _world.Images.Set("a", [.. _a, .. _b]);
        var (state, objects) = (_first.Place.State, _world.Main.Copy());
        for (var (at, isHit) = (0, true); isHit; at++)
        {
            _first.Place.State = state;
            _world.Main.PutBack(objects);
            var second = _world.Fork(_first);
            var done = new List<VersionRecord>();
            isHit = false;
            await TryAsync(async () => done.Add(await _world.BackupAsync(_first, "a", new Tripwire
            {
                At = at,
                Then = async () =>
                {
                    isHit = true;
                    await TryAsync(() => UseAsync(second, other, done));
                },
            })));
            await _world.RebuildAsync(_first);
            foreach (var version in done)
            {
                var source = version.Name.Volume == "a" ? _world.Images["a"].Content : _b;
                Assert.Equal(source, await _world.RestoreAsync(_first, version.Name));
            }
        }
    }

    [Fact]
    public async Task AManifestOfTheOtherIsNeitherReplacedNorTakenAway()
    {
        // Both back up one volume in one second, and so to one name.
        var (state, objects) = (_first.Place.State, _world.Main.Copy());
        for (var (at, isHit) = (0, true); isHit; at++)
        {
            _first.Place.State = state;
            _world.Main.PutBack(objects);
            var second = _world.Fork(_first);
            var done = new List<VersionRecord>();
            isHit = false;
            await TryAsync(async () => done.Add(await _world.BackupAsync(_first, "a", new Tripwire
            {
                At = at,
                Then = async () =>
                {
                    isHit = true;
                    await TryAsync(async () => done.Add(await _world.BackupAsync(second, "a")));
                },
            })));
            await _world.RebuildAsync(_first);
            var there = (await _world.DoAsync(_first, store => store.ListAsync(null))).Select(version => version.Id);
            Assert.Empty(done.Select(version => version.Id).Except(there));
        }
    }

    [Fact]
    public async Task ACatalogThatNeverMetTheStorageIsToldToRebuild()
    {
        var refusal = await Assert.ThrowsAsync<ConfigurationException>(
            () => _world.BackupAsync(_world.NewCatalog(), "b"));
        Assert.Contains("'benji rebuild'", refusal.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("marks/")]
    [InlineData("versions/")]
    public async Task OneOfMarksAndVersionsIsEnoughForThat(string lost)
    {
        await _world.Main.DeleteAsync(
            [.. _world.Main.Names.Where(name => name.Value.StartsWith(lost, StringComparison.Ordinal))],
            CancellationToken.None);
        var objects = _world.Objects;
        var refusal = await Assert.ThrowsAsync<ConfigurationException>(
            () => _world.BackupAsync(_world.NewCatalog(), "b"));
        Assert.Contains("'benji rebuild'", refusal.Message, StringComparison.Ordinal);
        Assert.Equal(objects, _world.Objects);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task ACatalogThatMeetsBlocksOfNobodyCountsOnThem(bool areThere)
    {
        await _world.Main.DeleteAsync(
            [.. _world.Main.Names.Where(name => !areThere || !name.Value.StartsWith("blocks/", StringComparison.Ordinal))
                .Where(name => name.Value != "store.json")],
            CancellationToken.None);
        var second = _world.NewCatalog();
        await _world.BackupAsync(second, "b");
        Assert.Equal(areThere, second.Place.State.Bindings["main"].HoldsStrays);
    }

    [Fact]
    public async Task TwoCatalogsThatMeetAnEmptyStorageTogetherDoNotBothWork()
    {
        await using var world = new AgeWorld();
        world.Images.Set("a", _a);
        world.Images.Set("b", _b);
        var empty = world.Main.Copy();
        for (var (at, isHit) = (0, true); isHit; at++)
        {
            world.Main.PutBack(empty);
            var (first, second) = (world.NewCatalog(), world.NewCatalog());
            var done = new List<VersionRecord>();
            isHit = false;
            await TryAsync(async () => done.Add(await world.BackupAsync(first, "a", new Tripwire
            {
                At = at,
                Then = async () =>
                {
                    isHit = true;
                    await TryAsync(async () => done.Add(await world.BackupAsync(second, "b")));
                },
            })));
            var both = await Record.ExceptionAsync(async () =>
            {
                await world.BackupAsync(first, "a");
                await world.BackupAsync(second, "b");
            });
            Assert.True(both is AgeMismatchException or ConfigurationException, $"{at}: {both}");
            await world.RebuildAsync(first);
            foreach (var version in done)
            {
                Assert.Equal(
                    world.Images[version.Name.Volume].Content, await world.RestoreAsync(first, version.Name));
            }
        }
    }

    [Fact]
    public async Task TwoProcessesOfOneCatalogMeetAnEmptyStorageTogether()
    {
        await using var world = new AgeWorld();
        world.Images.Set("a", _a);
        world.Images.Set("b", _b);
        var empty = world.Main.Copy();
        for (var (at, isHit) = (0, true); isHit; at++)
        {
            world.Main.PutBack(empty);
            var catalog = world.NewCatalog();
            isHit = false;
            var ofA = await world.BackupAsync(catalog, "a", new Tripwire
            {
                At = at,
                Then = async () =>
                {
                    isHit = true;
                    await world.BackupAsync(catalog, "b");
                },
            });
            Assert.Equal(_a, await world.RestoreAsync(catalog, ofA.Name));
        }
    }

    private async Task UseAsync(AgeCatalog catalog, string commands, List<VersionRecord> done)
    {
        foreach (var command in commands.Split(' '))
        {
            switch (command)
            {
                case "backup":
                    done.Add(await _world.BackupAsync(catalog, "b"));
                    break;
                case "rm":
                    await _world.RemoveAsync(catalog, _ofA.Name);
                    break;
                default:
                    await _world.CleanUpAsync(catalog);
                    await _world.CleanUpAsync(catalog);
                    break;
            }
        }
    }

    private static async Task TryAsync(Func<Task> work)
    {
        var failure = await Record.ExceptionAsync(work);
        Assert.True(failure is null or AgeMismatchException or ConfigurationException, $"{failure}");
    }
}
