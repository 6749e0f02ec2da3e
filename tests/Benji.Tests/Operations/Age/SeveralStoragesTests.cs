using System.Security.Cryptography;
using Benji.Store.Model;
using Benji.Testing.Interleaving;
using Xunit;

namespace Benji.Tests.Operations.Age;

/// <summary>A catalog with two storages: what is wrong with one of them stops nothing in the other.</summary>
public sealed class SeveralStoragesTests : IAsyncLifetime
{
    private readonly AgeWorld _world = new("main", "second");
    private readonly byte[] _a = RandomNumberGenerator.GetBytes(3 * AgeWorld.BlockSize);
    private AgeCatalog _catalog = null!;
    private VersionRecord _inMain = null!;
    private VersionRecord _inSecond = null!;

    public async Task InitializeAsync()
    {
        _catalog = _world.NewCatalog();
        _world.Images.Set("a", _a);
        _world.Images.Set("b", _a);
        _inMain = await _world.BackupAsync(_catalog, "a");
        _inSecond = await _world.DoAsync(_catalog, store => AgeWorld.BackupAsync(store, "b", "second"));
        _world.Clock.Advance(TimeSpan.FromSeconds(1));
    }

    public async Task DisposeAsync() => await _world.DisposeAsync();

    [Fact]
    public async Task OneThatIsOlderStopsChangesThereOnly()
    {
        var old = _world["second"].Copy();
        await _world.DoAsync(_catalog, store => AgeWorld.BackupAsync(store, "b"));
        _world["second"].PutBack(old);
        await Assert.ThrowsAsync<AgeMismatchException>(
            () => _world.DoAsync(_catalog, store => AgeWorld.BackupAsync(store, "b")));
        await Assert.ThrowsAsync<AgeMismatchException>(() => _world.CleanUpAsync(_catalog));
        var again = await _world.BackupAsync(_catalog, "a");
        await _world.RemoveAsync(_catalog, _inMain.Name);
        Assert.Equal(_a, await _world.RestoreAsync(_catalog, again.Name));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task WhatADeadRunLeftInOneThatIsAwayStaysAndStopsNothing(bool isConfigured)
    {
        await KillRemovalAsync();
        using var log = new WarningLog();
        var wire = new Tripwire();
        await using (var store = await _world.StartAsync(
            _catalog,
            wire,
            options => isConfigured ? Misplaced(options) : options with { Storages = [options.Storages[0]] },
            log))
        {
            await AgeWorld.BackupAsync(store, "a");
            var warning = Assert.Single(log.Warnings);
            Assert.Contains("cannot be finished now", warning, StringComparison.Ordinal);
            Assert.Contains(_inSecond.Name.ToString(), warning, StringComparison.Ordinal);
            Assert.Contains("second", warning, StringComparison.Ordinal);
        }

        Assert.Single(_catalog.Place.State.Intents);
        await (await _world.StartAsync(_catalog)).DisposeAsync();
        Assert.Empty(_catalog.Place.State.Intents);
        Assert.DoesNotContain(_inSecond.Id, _catalog.Place.State.Versions.Keys);
    }

    [Fact]
    public async Task WhatADeadRunLeftInOneThatIsOlderStaysAndStopsNothing()
    {
        var old = _world["second"].Copy();
        await _world.DoAsync(_catalog, store => AgeWorld.BackupAsync(store, "b"));
        await KillRemovalAsync();
        _world["second"].PutBack(old);
        using var log = new WarningLog();
        await _world.DoAsync(_catalog, store => AgeWorld.BackupAsync(store, "a"), logging: log);
        Assert.Contains("is older than the catalog", Assert.Single(log.Warnings), StringComparison.Ordinal);
        Assert.Single(_catalog.Place.State.Intents);
    }

    // A directory that does not exist and is not to be made.
    private static Store.StoreOptions Misplaced(Store.StoreOptions options) => options with
    {
        Storages =
        [
            options.Storages[0],
            options.Storages[1] with { Path = "/nonexistent/second", MayCreate = false },
        ],
    };

    private async Task KillRemovalAsync()
    {
        var (state, objects) = (_catalog.Place.State, _world["second"].Copy());
        for (var at = 0; _catalog.Place.State.Intents.IsEmpty; at++)
        {
            _catalog.Place.State = state;
            _world["second"].PutBack(objects);
            await Assert.ThrowsAsync<KilledException>(
                () => _world.RemoveAsync(_catalog, _inSecond.Name, new Tripwire { At = at }));
        }
    }
}
