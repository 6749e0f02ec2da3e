using System.Security.Cryptography;
using Benji.Store;
using Benji.Store.Model;
using Benji.Store.Operations;
using Benji.Testing.Interleaving;
using Benji.Testing.Storages;
using Benji.Tests.Operations.Age;
using Xunit;

namespace Benji.Tests.Operations.Failure;

/// <summary>What dead or failed runs left is finished item by item, by commands that change something, and blocks nobody.</summary>
public sealed class UnfinishedWorkTests : IAsyncLifetime
{
    private readonly AgeWorld _world = new("main", "second");
    private readonly List<VersionRecord> _versions = [];
    private AgeCatalog _catalog = null!;

    public static TheoryData<string> Reading => ["ls", "overlay ls", "restore", "scrub", "deep-scrub", "image"];

    public async Task InitializeAsync()
    {
        _catalog = _world.NewCatalog();
        foreach (var (volume, storage) in new[] { ("a", "main"), ("b", "second"), ("c", "main"), ("d", "second") })
        {
            _world.Images.Set(volume, RandomNumberGenerator.GetBytes(2 * AgeWorld.BlockSize));
            _versions.Add(await _world.DoAsync(_catalog, store => AgeWorld.BackupAsync(store, volume, storage)));
        }

        _world.Clock.Advance(TimeSpan.FromSeconds(10));
    }

    public async Task DisposeAsync() => await _world.DisposeAsync();

    [Theory]
    [MemberData(nameof(Reading))]
    public async Task WhoReadsFinishesAndDeletesNothing(string command)
    {
        await KillRemovalAsync(_versions[0]);
        await KillRemovalAsync(_versions[1]);
        var discarded = Path.Combine(_catalog.Path, "overlays", $"{Guid.NewGuid():N}.discarded");
        Directory.CreateDirectory(Path.GetDirectoryName(discarded)!);
        await File.WriteAllTextAsync(discarded, "");
        var (intents, objects, wire) = (_catalog.Place.State.Intents, _world.Objects, new Tripwire());

        await using (var store = await _world.StartAsync(_catalog, wire, use: StoreUse.Read))
        {
            await ReadAsync(store, command);
        }

        Assert.Equal(intents, _catalog.Place.State.Intents);
        Assert.Equal(objects, _world.Objects);
        Assert.DoesNotContain(wire.StorageCalls, call => call.Kind is not (StorageCallKind.Find or StorageCallKind.Read or StorageCallKind.List));
        Assert.True(File.Exists(discarded));

        await (await _world.StartAsync(_catalog, use: StoreUse.Change)).DisposeAsync();
        Assert.Empty(_catalog.Place.State.Intents);
        Assert.False(File.Exists(discarded));
    }

    [Fact]
    public async Task EachItemIsFinishedForItself()
    {
        foreach (var version in _versions)
        {
            await KillRemovalAsync(version);
        }

        using var log = new WarningLog();
        var wire = new Tripwire { Fits = _ => true, Fault = Fault.Permanent() };
        var parts = _world.PartsOf(_catalog, new Tripwire());
        await using (var store = await BenjiStore.OpenAsync(
            _world.OptionsOf(_catalog),
            parts with
            {
                WrapStorage = inner => inner.Traits.Description.EndsWith("second", StringComparison.Ordinal)
                    ? new FaultyStorage(parts.WrapStorage(inner), wire.Pass)
                    : parts.WrapStorage(inner),
            },
            StoreUse.Change,
            log,
            _world.Clock,
            CancellationToken.None))
        {
            await AgeWorld.BackupAsync(store, "a");
        }

        Assert.Equal(2, log.Warnings.Count);
        Assert.Equal(
            [_versions[1].Id, _versions[3].Id],
            _catalog.Place.State.Intents.Keys.OrderBy(id => _versions.FindIndex(version => version.Id == id)));
        Assert.Equal(3, _catalog.Place.State.Versions.Count);
    }

    [Fact]
    public async Task ACleanupTellsOnceOfWhatItCannotFinish()
    {
        await KillRemovalAsync(_versions[1]);
        using var log = new WarningLog();
        await using var store = await OpenAsync(log, new Tripwire { Fits = _ => true, Fault = Fault.Permanent() });
        await Assert.ThrowsAsync<StorageException>(
            () => store.CleanupAsync(new CleanupRequest { OlderThan = TimeSpan.Zero }, NoProgress.Instance));
        Assert.Single(log.Warnings, warning => warning.Contains("What a dead run left", StringComparison.Ordinal));
    }

    [Fact]
    public async Task AStorageThatHangsHoldsUpNothingOfAnother()
    {
        await KillRemovalAsync(_versions[1]);
        await KillRemovalAsync(_versions[3]);
        await KillRemovalAsync(_versions[0]);
        using var log = new WarningLog();
        var hanging = new TaskCompletionSource();
        await using (var store = await OpenAsync(
            log, new Tripwire { Fits = _ => true, Fault = new Fault { Gate = hanging.Task } }))
        {
            await AgeWorld.BackupAsync(store, "c");
            Assert.Single(log.Warnings, warning => warning.Contains("second has not answered", StringComparison.Ordinal));
            Assert.DoesNotContain(_versions[0].Id, _catalog.Place.State.Intents.Keys);
            Assert.Contains(_versions[1].Id, _catalog.Place.State.Intents.Keys);
            Assert.Contains(_versions[3].Id, _catalog.Place.State.Intents.Keys);
            hanging.SetResult();
        }
    }

    [Theory]
    [InlineData(StorageCallKind.Delete)]
    [InlineData(StorageCallKind.Put)]
    public async Task ARemovalThatFailsSaysThatItIsPending(object kind)
    {
        using var log = new WarningLog();
        await Assert.ThrowsAsync<StorageException>(() => RemoveAsync(log, call => call.Kind == (StorageCallKind)kind));

        Assert.Collection(
            log.Warnings,
            warning => Assert.StartsWith($"The removal of {_versions[1].Name} is pending", warning, StringComparison.Ordinal),
            warning => Assert.StartsWith(
                $"Not removed, and no removal is pending: {_versions[3].Name}", warning, StringComparison.Ordinal));
        Assert.Contains(_versions[1].Id, _catalog.Place.State.Versions.Keys);
        Assert.Single(_catalog.Place.State.Intents);
    }

    [Fact]
    public async Task ARemovalThatDoesNotBeginSaysSo()
    {
        using var log = new WarningLog();
        await Assert.ThrowsAsync<StorageException>(() => RemoveAsync(log, call => call.Kind == StorageCallKind.List));

        Assert.StartsWith(
            $"Not removed, and no removal is pending: {_versions[1].Name}, {_versions[3].Name}",
            Assert.Single(log.Warnings),
            StringComparison.Ordinal);
        Assert.Empty(_catalog.Place.State.Intents);
    }

    private Task<BenjiStore> OpenAsync(WarningLog log, Tripwire wire)
    {
        var parts = _world.PartsOf(_catalog, new Tripwire());
        return BenjiStore.OpenAsync(
            _world.OptionsOf(_catalog),
            parts with
            {
                WrapStorage = inner => inner.Traits.Description.EndsWith("second", StringComparison.Ordinal)
                    ? new FaultyStorage(parts.WrapStorage(inner), wire.Pass)
                    : parts.WrapStorage(inner),
            },
            StoreUse.Change,
            log,
            _world.Clock,
            CancellationToken.None);
    }

    private async Task RemoveAsync(WarningLog log, Func<StorageCall, bool> fails)
    {
        await using var store = await _world.StartAsync(
            _catalog, new Tripwire { Fits = fails, Fault = Fault.Permanent() }, logging: log);
        await store.RemoveAsync(
            new RemoveRequest { Versions = [_versions[1].Name.ToString(), _versions[3].Name.ToString()], Force = true });
    }

    private async Task ReadAsync(BenjiStore store, string command)
    {
        foreach (var name in _versions.Select(version => version.Name.ToString()))
        {
            switch (command)
            {
                case "ls":
                    Assert.Equal(_versions.Count, (await store.ListAsync(null)).Count);
                    break;
                case "overlay ls":
                    Assert.Empty(await store.ListOverlaysAsync(null));
                    break;
                case "restore":
                    await store.RestoreAsync(
                        new RestoreRequest { Version = name, Target = $"{command}-{name}" }, NoProgress.Instance);
                    break;
                case "image":
                    var images = store.OpenImages();
                    await using (await images.OpenVersionAsync((await images.FindAsync(name, default))!, default))
                    {
                        break;
                    }

                default:
                    await store.ScrubAsync(
                        new ScrubRequest { Version = name, IsDeep = command == "deep-scrub" }, NoProgress.Instance);
                    break;
            }
        }
    }

    // Ends a removal at the first moment at which it is recorded: the manifest is still there.
    private async Task KillRemovalAsync(VersionRecord version)
    {
        var (state, objects) = (_catalog.Place.State, _world[version.Storage].Copy());
        for (var at = 0; !_catalog.Place.State.Intents.ContainsKey(version.Id); at++)
        {
            _catalog.Place.State = state;
            _world[version.Storage].PutBack(objects);
            await Assert.ThrowsAsync<KilledException>(async () =>
            {
                await using var store = await _world.StartAsync(_catalog, new Tripwire { At = at }, use: StoreUse.Read);
                await store.RemoveAsync(new RemoveRequest { Versions = [version.Name.ToString()], Force = true });
            });
        }
    }
}
