using System.Security.Cryptography;
using Benji.Store.Blocks;
using Benji.Store.Catalogs;
using Benji.Store.Model;
using Benji.Store.Operations;
using Benji.Testing.Catalogs;
using Benji.Testing.Interleaving;
using Benji.Testing.Storages;
using Benji.Tests.Operations.Age;
using Xunit;

namespace Benji.Tests.Operations.Running;

/// <summary>What the next command makes of a version that was about to appear or to go when its run died.</summary>
public sealed class IntentRecoveryTests : IAsyncLifetime
{
    private readonly AgeWorld _world = new();
    private AgeCatalog _catalog = null!;
    private VersionRecord _first = null!;

    public async Task InitializeAsync()
    {
        _catalog = _world.NewCatalog();
        _world.Images.Set("a", RandomNumberGenerator.GetBytes(2 * AgeWorld.BlockSize));
        _first = await _world.BackupAsync(_catalog, "a");
        _world.Images["a"].Content[5] ^= 1;
        _world.Clock.Advance(TimeSpan.FromSeconds(1));
    }

    public async Task DisposeAsync() => await _world.DisposeAsync();

    [Fact]
    public async Task AVersionWhoseBlocksWereMarkedMeanwhileIsInvalid()
    {
        await _world.KillAfterManifestAsync(_catalog, "a");
        await MarkAsync();

        await StartAsync();

        var version = _catalog.Place.State.Versions.Values.Single(version => version.Id != _first.Id);
        await using var store = await _world.OpenMainAsync();
        var manifest = (await new ManifestStore(store).FindAsync(version.Name, CancellationToken.None))!;
        Assert.Equal((VersionStatus.Invalid, _first.Revision + 1), (version.Status, version.Revision));
        Assert.Equal((VersionStatus.Invalid, _first.Revision + 1), (manifest.Status, manifest.Revision));
    }

    [Fact]
    public async Task ABlockThatIsMarkedAtAnyStepIsNotMissed()
    {
        await _world.KillAfterManifestAsync(_catalog, "a");
        var (state, objects) = (_catalog.Place.State, _world.Main.Copy());
        var before = 0;
        for (var (at, isHit) = (0, true); isHit; at++)
        {
            _catalog.Place.State = state;
            _world.Main.PutBack(objects);
            var isThere = isHit = false;
            await StartAsync(new Tripwire
            {
                At = at,
                Then = async () =>
                {
                    (isHit, isThere) = (true, _catalog.Place.State.Versions.Count == 2);
                    await MarkAsync();
                },
            });

            // What could not be finished then, the next one finishes.
            await StartAsync();
            Assert.Empty(_catalog.Place.State.Intents);
            var version = _catalog.Place.State.Versions.Values.Single(version => version.Id != _first.Id);
            Assert.True(!isHit || isThere || version.Status == VersionStatus.Invalid, $"{at}");
            before += isHit && !isThere ? 1 : 0;
        }

        Assert.True(before > 3);
    }

    [Fact]
    public async Task TheIntentOfALivingRunIsLeftAlone()
    {
        var (state, objects) = (_catalog.Place.State, _world.Main.Copy());
        for (var (at, isHit) = (0, true); isHit; at++)
        {
            _catalog.Place.State = state;
            _world.Main.PutBack(objects);
            isHit = false;
            var version = await _world.BackupAsync(_catalog, "a", new Tripwire
            {
                At = at,
                Then = async () =>
                {
                    isHit = true;
                    await StartAsync();
                },
            });
            Assert.Contains(version.Id, _catalog.Place.State.Versions.Keys);
            Assert.Null(_catalog.Place.State.Bindings["main"].DoubtFrom);
        }
    }

    [Fact]
    public async Task ARecoveryThatIsTakenForDeadLeavesTheRestToAnother()
    {
        await _world.KillAfterManifestAsync(_catalog, "a");
        var (state, objects) = (_catalog.Place.State, _world.Main.Copy());
        for (var (at, isHit) = (0, true); isHit; at++)
        {
            _catalog.Place.State = state;
            _world.Main.PutBack(objects);
            isHit = false;
            await StartAsync(new Tripwire
            {
                At = at,
                Then = async () =>
                {
                    isHit = true;
                    _catalog.Place.State = _catalog.Place.State with { Leases = _catalog.Place.State.Leases.Clear() };
                    await StartAsync();
                },
            });
            Assert.Empty(_catalog.Place.State.Intents);
            Assert.Equal(2, _catalog.Place.State.Versions.Count);
        }
    }

    [Fact]
    public async Task TwoRecoveriesOfOneIntentMakeOneVersion()
    {
        await _world.KillAfterManifestAsync(_catalog, "a");
        var (state, objects) = (_catalog.Place.State, _world.Main.Copy());
        for (var (at, isHit) = (0, true); isHit; at++)
        {
            _catalog.Place.State = state;
            _world.Main.PutBack(objects);
            isHit = false;
            using var log = new WarningLog();
            var wire = new Tripwire
            {
                At = at,
                Then = async () =>
                {
                    isHit = true;
                    await (await _world.StartAsync(_catalog, logging: log)).DisposeAsync();
                },
            };
            await (await _world.StartAsync(_catalog, wire, logging: log)).DisposeAsync();
            Assert.Empty(log.Warnings);
            Assert.Empty(_catalog.Place.State.Intents);
            Assert.Equal(2, _catalog.Place.State.Versions.Count);
            Assert.Single(_catalog.Place.State.AgeMarks.Values, known => known.State == AgeMarkState.Required);
        }
    }

    [Fact]
    public async Task ARecoveryThatMeetsAnotherCatalogAddsNothing()
    {
        await _world.KillAfterManifestAsync(_catalog, "a");
        using var log = new WarningLog();
        var wire = new Tripwire
        {
            Fits = call => call is { Kind: StorageCallKind.Put, Name: var name }
                && name.StartsWith("marks/", StringComparison.Ordinal),
            Then = () => _world.Main.PutAsync(
                new($"marks/{new AgeMark(9, Guid.NewGuid())}"), new byte[1], CancellationToken.None),
        };
        await (await _world.StartAsync(_catalog, wire, logging: log)).DisposeAsync();
        Assert.Contains("another catalog", Assert.Single(log.Warnings), StringComparison.Ordinal);
        Assert.Single(_catalog.Place.State.Intents);
        Assert.Single(_catalog.Place.State.Versions);
    }

    [Fact]
    public async Task AnOverlayIsNotOpenedBeforeItIsDecidedWhetherItIsAVersion()
    {
        var overlay = await _world.DoAsync(_catalog, store => store.CreateOverlayAsync(_first.Name.ToString(), "fix"));
        for (var at = 0; _world.CountManifests() == 1; at++)
        {
            await Assert.ThrowsAsync<KilledException>(() => _world.DoAsync(
                _catalog,
                store => store.PromoteAsync(new PromoteRequest { Overlay = $"{_first.Name}@fix" }, NoProgress.Instance),
                new Tripwire { At = at }));
        }

        // At its start this process cannot finish the promotion, and a little later it can.
        var fails = true;
        await using var store = await _world.StartAsync(_catalog, new Tripwire
        {
            Fits = call => fails && call.Kind == StorageCallKind.Put,
            Fault = Fault.Permanent(),
        });
        Assert.Single(_catalog.Place.State.Intents);
        fails = false;
        await Assert.ThrowsAsync<NotFoundException>(
            async () => await store.OpenImages().OpenOverlayAsync(overlay, CancellationToken.None));
        Assert.Empty(_catalog.Place.State.Intents);
        Assert.Equal(2, _catalog.Place.State.Versions.Count);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task WhatIsFinishedIsNoticedByAnOlderCatalog(bool isRemoval)
    {
        var (state, objects) = (_catalog.Place.State, _world.Main.Copy());
        var finished = 0;
        for (var (at, isKilled) = (0, true); isKilled; at++)
        {
            _catalog.Place.State = state;
            _world.Main.PutBack(objects);
            var wire = new Tripwire { At = at };
            isKilled = await Record.ExceptionAsync(() => isRemoval
                ? _world.RemoveAsync(_catalog, _first.Name, wire)
                : _world.BackupAsync(_catalog, "a", wire)) is KilledException;
            await StartAsync();
            if (_catalog.Place.State.Versions.Count == (isRemoval ? 0 : 2))
            {
                finished++;
                Assert.Equal(isRemoval ? 0 : 2, _world.CountManifests());
                var older = _world.NewCatalog();
                older.Place.State = state;
                await Assert.ThrowsAsync<AgeMismatchException>(() => _world.BackupAsync(older, "a"));
            }
        }

        Assert.True(finished > 2);
    }

    private async Task StartAsync(Tripwire? wire = null) => await (await _world.StartAsync(_catalog, wire)).DisposeAsync();

    private async Task MarkAsync()
    {
        await using var catalog = new MemoryCatalog(_catalog.Place);
        await catalog.WriteAsync(
            transaction =>
            {
                transaction.BlockReferences.SetInvalid(
                    [.. transaction.BlockReferences.Scan(null, 10).Select(row => row.Id)], isInvalid: true);
                return true;
            },
            CancellationToken.None);
    }
}
