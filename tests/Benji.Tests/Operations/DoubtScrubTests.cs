using System.Security.Cryptography;
using Benji.Store.Model;
using Benji.Store.Operations;
using Benji.Store.Storages;
using Benji.Testing.Interleaving;
using Benji.Tests.Operations.Age;
using Xunit;

namespace Benji.Tests.Operations;

/// <summary>What a version takes over from its base without reading it, while the catalog says more of it than the storage
/// holds: a run healed a block and died, then an older copy of the storage came back.</summary>
public sealed class DoubtScrubTests : IAsyncLifetime
{
    private readonly AgeWorld _world = new();
    private readonly byte[] _a = RandomNumberGenerator.GetBytes(3 * AgeWorld.BlockSize);
    private AgeCatalog _catalog = null!;
    private VersionRecord _first = null!;
    private ObjectName _lost;

    public async Task InitializeAsync()
    {
        _catalog = _world.NewCatalog();
        _world.Images.Set("a", _a);
        _first = await _world.BackupAsync(_catalog, "a");
        await _world.DoAsync(_catalog, store => store.CreateOverlayAsync(_first.Name.ToString(), "fix"));
        _lost = _world.Main.Names.First(name => name.Value.StartsWith("blocks/", StringComparison.Ordinal));
        _world.Clock.Advance(TimeSpan.FromSeconds(1));
    }

    public async Task DisposeAsync() => await _world.DisposeAsync();

    [Fact]
    public async Task ABackupByHintsStoresAgainWhatIsNotThere()
    {
        await HealAndPutTheOlderStorageBackAsync();
        Assert.Null(_world.Main[_lost]);
        var hints = Path.Combine(_catalog.Path, "hints.json");
        await File.WriteAllTextAsync(hints, """[{"offset":0,"length":65536,"exists":"true"}]""");

        var result = await _world.DoAsync(_catalog, store => store.BackupAsync(
            new BackupRequest
            {
                Source = "a",
                Volume = "a",
                Version = "second",
                HintsFile = hints,
                BaseVersion = _first.Name.ToString(),
            },
            NoProgress.Instance));

        Assert.Equal(VersionStatus.Valid, result.Version.Status);
        Assert.NotNull(_world.Main[_lost]);
        Assert.Equal(_a, await _world.RestoreAsync(_catalog, result.Version.Name));
    }

    [Fact]
    public async Task APromotionSaysWhatIsNotThere()
    {
        await HealAndPutTheOlderStorageBackAsync();

        var result = await _world.DoAsync(_catalog, store => store.PromoteAsync(
            new PromoteRequest { Overlay = $"{_first.Name}@fix" }, NoProgress.Instance));

        Assert.Equal((VersionStatus.Invalid, true), (result.Version.Status, result.UsesNewDamage));
        Assert.Equal(VersionStatus.Invalid, _catalog.Place.State.Versions[_first.Id].Status);
        await _world.BackupAsync(_catalog, "a");
        Assert.Equal(_a, await _world.RestoreAsync(_catalog, result.Version.Name));
    }

    /// <summary>Without a fault nothing is marked, and nothing stored twice.</summary>
    [Fact]
    public async Task WhatIsThereIsTakenOverAlsoWhileRowsAreInDoubt()
    {
        await HealAndDieAsync();
        var objects = _world.Main.Names.Count(name => name.Value.StartsWith("blocks/", StringComparison.Ordinal));

        var result = await _world.DoAsync(_catalog, store => store.PromoteAsync(
            new PromoteRequest { Overlay = $"{_first.Name}@fix" }, NoProgress.Instance));

        Assert.Equal((VersionStatus.Valid, false), (result.Version.Status, result.UsesNewDamage));
        Assert.Equal(
            objects, _world.Main.Names.Count(name => name.Value.StartsWith("blocks/", StringComparison.Ordinal)));
        Assert.Equal(_a, await _world.RestoreAsync(_catalog, result.Version.Name));
    }

    private async Task HealAndPutTheOlderStorageBackAsync()
    {
        var old = await HealAndDieAsync();
        _world.Main.PutBack(old);
        Assert.DoesNotContain(_catalog.Place.State.Blocks.Values, row => row.IsInvalid);
    }

    // An object is lost, a scrub marks it, the storage is copied, and a backup heals it and dies before its manifest.
    private async Task<IReadOnlyDictionary<string, (byte[] Content, DateTimeOffset Modified)>> HealAndDieAsync()
    {
        await _world.Main.DeleteAsync([_lost], CancellationToken.None);
        var scrub = await _world.DoAsync(_catalog, store => store.ScrubAsync(
            new ScrubRequest { Version = _first.Name.ToString(), IsDeep = true }, NoProgress.Instance));
        Assert.NotEmpty(scrub.Damage);
        _world.Clock.Advance(TimeSpan.FromSeconds(1));
        var old = _world.Main.Copy();
        var state = _catalog.Place.State;
        for (var at = 0; _catalog.Place.State.Blocks.Values.Any(row => row.IsInvalid); at++)
        {
            _catalog.Place.State = state;
            _world.Main.PutBack(old);
            await Assert.ThrowsAsync<KilledException>(() => _world.BackupAsync(_catalog, "a", new Tripwire { At = at }));
        }

        Assert.NotNull(_world.Main[_lost]);
        Assert.Single(_catalog.Place.State.Versions);
        return old;
    }
}
