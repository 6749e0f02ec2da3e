using System.Security.Cryptography;
using Benji.Store.Blocks;
using Benji.Store.Catalogs;
using Benji.Store.Model;
using Benji.Store.Operations;
using Benji.Testing.Catalogs;
using Benji.Testing.Storages;
using Xunit;

namespace Benji.Tests.Operations.Age;

/// <summary>The last steps of a run: what it does when it was taken for dead, and what others do with what it left.</summary>
public sealed class PublicationTests : IAsyncLifetime
{
    private readonly AgeWorld _world = new();
    private readonly byte[] _a = RandomNumberGenerator.GetBytes(2 * AgeWorld.BlockSize);
    private AgeCatalog _catalog = null!;
    private VersionRecord _first = null!;

    public async Task InitializeAsync()
    {
        _catalog = _world.NewCatalog();
        _world.Images.Set("a", _a);
        _first = await _world.BackupAsync(_catalog, "a");
        _world.Clock.Advance(TimeSpan.FromSeconds(1));
    }

    public async Task DisposeAsync() => await _world.DisposeAsync();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task ARunThatIsTakenForDeadPublishesNothingAndLeavesNothing(bool isRecovered)
    {
        var (state, objects) = (_catalog.Place.State, _world.Main.Copy());
        var losses = 0;
        for (var (at, isHit) = (0, true); isHit; at++)
        {
            _catalog.Place.State = state;
            _world.Main.PutBack(objects);
            isHit = false;
            VersionRecord? done = null;
            var failure = await Record.ExceptionAsync(async () => done = await _world.BackupAsync(_catalog, "a", new Tripwire
            {
                At = at,
                Then = async () =>
                {
                    isHit = true;
                    Supersede(LeaseResource.VolumePrefix);
                    if (isRecovered)
                    {
                        await (await _world.StartAsync(_catalog)).DisposeAsync();
                    }
                },
            }));
            Assert.True(failure is null or LeaseLostException, $"{at}: {failure}");
            losses += failure is null ? 0 : 1;
            Assert.Empty(_catalog.Place.State.Intents);
            await CheckAsync(done);
        }

        Assert.True(losses > 3);
    }

    [Fact]
    public async Task ARunThatIsTakenForDeadBeforeItsManifestPutsNone()
    {
        _world.Images["a"].Content[5] ^= 1;
        var wire = new Tripwire
        {
            Fits = call => call.Kind == StorageCallKind.Commit,
            Then = () =>
            {
                Supersede(LeaseResource.VolumePrefix);
                return Task.CompletedTask;
            },
        };
        await Assert.ThrowsAsync<LeaseLostException>(() => _world.BackupAsync(_catalog, "a", wire));
        Assert.DoesNotContain(wire.StorageCalls, call => call.Kind == StorageCallKind.Create);
    }

    [Fact]
    public async Task TheBaseOfABackupIsNotRemovedMeanwhile()
    {
        Exception? refusal = null;
        var wire = new Tripwire
        {
            Fits = call => call.Kind == StorageCallKind.Create,
            Then = async () => refusal = await Record.ExceptionAsync(() => _world.RemoveAsync(_catalog, _first.Name)),
        };
        await _world.BackupAsync(_catalog, "a", wire);
        Assert.IsType<InUseException>(refusal);
    }

    [Fact]
    public async Task APromotionThatLostItsOverlayPublishesNothing()
    {
        await _world.DoAsync(_catalog, store => store.CreateOverlayAsync(_first.Name.ToString(), "fix"));
        var wire = new Tripwire
        {
            Fits = call => call is { Kind: StorageCallKind.Put, Name: var name }
                && name.StartsWith("marks/", StringComparison.Ordinal),
            Then = () =>
            {
                Supersede(LeaseResource.OverlayPrefix);
                return Task.CompletedTask;
            },
        };
        await Assert.ThrowsAsync<LeaseLostException>(() => _world.DoAsync(
            _catalog,
            store => store.PromoteAsync(new PromoteRequest { Overlay = $"{_first.Name}@fix" }, NoProgress.Instance),
            wire));
        Assert.Single(_catalog.Place.State.Overlays);
        await CheckAsync(null);
    }

    [Fact]
    public async Task ARefusedPromotionLeavesTheOverlayAsItWas()
    {
        await _world.DoAsync(_catalog, store => store.CreateOverlayAsync(_first.Name.ToString(), "fix"));
        var files = OverlayFiles();
        var wire = new Tripwire
        {
            Fits = call => call is { Kind: StorageCallKind.Create, Name: var name }
                && name.StartsWith("versions/", StringComparison.Ordinal),
            Then = () => _world.Main.PutAsync(
                new($"marks/{new AgeMark(1, Guid.NewGuid())}"), new byte[1], CancellationToken.None),
        };
        await Assert.ThrowsAsync<AgeMismatchException>(() => _world.DoAsync(
            _catalog,
            store => store.PromoteAsync(new PromoteRequest { Overlay = $"{_first.Name}@fix" }, NoProgress.Instance),
            wire));
        Assert.Equal(files, OverlayFiles());
        Assert.Single(_catalog.Place.State.Overlays);
        Assert.Empty(_catalog.Place.State.Intents);
        Assert.Equal(1, _world.CountManifests());
        Assert.Equal(2, _world.Main.Names.Count(IsMark));
        Assert.DoesNotContain(_catalog.Place.State.AgeMarks.Values, known => known.State == AgeMarkState.Pending);
        var binding = Assert.Single(_catalog.Place.State.Bindings.Values);
        Assert.True(binding is { DoubtFrom: not null, HoldsStrays: true });
    }

    [Fact]
    public async Task ARefusedPromotionThatCannotBeTakenBackIsDecidedByAnother()
    {
        await _world.DoAsync(_catalog, store => store.CreateOverlayAsync(_first.Name.ToString(), "fix"));
        var files = OverlayFiles();
        var hits = 0;
        var wire = new Tripwire
        {
            Fits = call => call.Kind is StorageCallKind.Create or StorageCallKind.Delete,
            Then = () => ++hits == 1
                ? _world.Main.PutAsync(new($"marks/{new AgeMark(1, Guid.NewGuid())}"), new byte[1], CancellationToken.None)
                : Task.FromException(new StorageException("The test's storage is broken", isTransient: false)),
        };
        await Assert.ThrowsAsync<AgeMismatchException>(() => _world.DoAsync(
            _catalog,
            store => store.PromoteAsync(new PromoteRequest { Overlay = $"{_first.Name}@fix" }, NoProgress.Instance),
            wire));
        Assert.Single(_catalog.Place.State.Intents);
        Assert.NotEqual(files, OverlayFiles());
    }

    [Fact]
    public async Task ARunThatFailsLeavesItsRowsInDoubt()
    {
        _world.Images.Set("b", RandomNumberGenerator.GetBytes(2 * AgeWorld.BlockSize)).FailingOffset = AgeWorld.BlockSize;
        var began = _world.Clock.GetUtcNow();
        await Assert.ThrowsAsync<StorageException>(() => _world.BackupAsync(_catalog, "b"));
        Assert.Empty(_catalog.Place.State.Intents);
        Assert.Equal(
            (began, true),
            (_catalog.Place.State.Bindings["main"].DoubtFrom, _catalog.Place.State.Bindings["main"].HoldsStrays));

        // The one that began first counts.
        _world.Clock.Advance(TimeSpan.FromSeconds(1));
        await Assert.ThrowsAsync<StorageException>(() => _world.BackupAsync(_catalog, "b"));
        Assert.Equal(began, _catalog.Place.State.Bindings["main"].DoubtFrom);
    }

    [Fact]
    public async Task WhatIsTakenBackKeepsItsNameUntilItIsGone()
    {
        Exception? other = null;
        var wire = new Tripwire
        {
            Fits = call => call.Name == "versions/a/wanted" && call.Kind is StorageCallKind.Create or StorageCallKind.Delete,
            Then = async () =>
            {
                // Before the manifest it is taken for dead and its intent forgotten; while the manifest goes, another one comes.
                Supersede(LeaseResource.VolumePrefix);
                other = await Record.ExceptionAsync(() => _world.DoAsync(
                    _catalog,
                    store => _catalog.Place.State.Intents.IsEmpty ? Task.FromResult<BackupResult?>(null) : WantAsync(store)));
            },
        };
        await Assert.ThrowsAsync<LeaseLostException>(() => _world.DoAsync(_catalog, WantAsync, wire));
        Assert.IsType<AlreadyExistsException>(other);
        Assert.Empty(_catalog.Place.State.Intents);
        await CheckAsync(null);

        static async Task<BackupResult?> WantAsync(Store.BenjiStore store) => await store.BackupAsync(
            new BackupRequest { Source = "a", Volume = "a", Version = "wanted" }, NoProgress.Instance);
    }

    [Fact]
    public async Task ANameThatAnIntentReservesIsTaken()
    {
        var name = new VersionName("a", "wanted");
        await PutIntentAsync(new Intent(
            IntentKind.Publish, Guid.NewGuid(), name, "unknown", long.MaxValue, _world.Clock.GetUtcNow(), Mark: NewMark()));
        await Assert.ThrowsAsync<AlreadyExistsException>(() => _world.DoAsync(_catalog, store => store.BackupAsync(
            new BackupRequest { Source = "a", Volume = "a", Version = "wanted" }, NoProgress.Instance)));
    }

    [Fact]
    public async Task AManifestOfAnotherVersionIsNotTaken()
    {
        var mark = NewMark();
        var stranger = _first with { Id = Guid.NewGuid(), Name = new VersionName("a", "wanted") };
        await PutManifestAsync(stranger);
        await PutIntentAsync(new Intent(
            IntentKind.Publish, Guid.NewGuid(), stranger.Name, "main", long.MaxValue, _first.Date, Mark: mark));
        await (await _world.StartAsync(_catalog)).DisposeAsync();
        Assert.Empty(_catalog.Place.State.Intents);
        Assert.Equal(_first.Id, Assert.Single(_catalog.Place.State.Versions.Keys));
        Assert.Equal(_first.Date, _catalog.Place.State.Bindings["main"].DoubtFrom);
        Assert.Equal(AgeMarkState.Retired, _catalog.Place.State.AgeMarks[mark].State);
    }

    [Fact]
    public async Task AnIntentWithoutAMarkIsForgottenAlsoWhileItsStorageIsAway()
    {
        await PutIntentAsync(new Intent(
            IntentKind.Publish, Guid.NewGuid(), new VersionName("a", "x"), "unknown", long.MaxValue, _first.Date));
        await (await _world.StartAsync(_catalog)).DisposeAsync();
        Assert.Empty(_catalog.Place.State.Intents);
    }

    private static bool IsMark(Store.Storages.ObjectName name) => name.Value.StartsWith("marks/", StringComparison.Ordinal);

    private static AgeMark NewMark() => new(1000, Guid.NewGuid());

    private string[] OverlayFiles() => Directory.GetFiles(Path.Combine(_catalog.Path, "overlays"));

    private Task CheckAsync(VersionRecord? done)
    {
        VersionRecord?[] required = [_first, done];
        var possible = _catalog.Place.State.Versions.Values.ToDictionary(version => version.Name, _ => _a);
        return _world.CheckAsync(_catalog, possible, required.OfType<VersionRecord>().Select(version => version.Name));
    }

    // As if its holder were dead, which it is not.
    private void Supersede(string prefix) => _catalog.Place.State = _catalog.Place.State with
    {
        Leases = _catalog.Place.State.Leases.RemoveRange(_catalog.Place.State.Leases
            .Where(lease => lease.Value.Resource.StartsWith(prefix, StringComparison.Ordinal))
            .Select(lease => lease.Key)),
    };

    private async Task PutIntentAsync(Intent intent)
    {
        await using var catalog = new MemoryCatalog(_catalog.Place);
        await catalog.WriteAsync(
            transaction =>
            {
                transaction.Intents.Put(intent);
                if (intent.Mark is { } mark)
                {
                    transaction.AgeMarks.Put(
                        new KnownMark(intent.Storage, mark, AgeMarkState.Pending, _world.Clock.GetUtcNow()));
                }

                return true;
            },
            CancellationToken.None);
    }

    private async Task PutManifestAsync(VersionRecord version)
    {
        await using var store = await _world.OpenMainAsync();
        await new ManifestStore(store).PutAsync(version, CancellationToken.None);
    }
}
