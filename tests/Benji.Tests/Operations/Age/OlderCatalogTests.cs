using System.Security.Cryptography;
using Benji.Store;
using Benji.Store.Model;
using Benji.Store.Operations;
using Benji.Testing.Catalogs;
using Xunit;

namespace Benji.Tests.Operations.Age;

/// <summary>A catalog is put back from an older copy while the storage went on.</summary>
public sealed class OlderCatalogTests : IAsyncLifetime
{
    private readonly AgeWorld _world = new();
    private readonly byte[] _a = RandomNumberGenerator.GetBytes(3 * AgeWorld.BlockSize);
    private readonly byte[] _b = RandomNumberGenerator.GetBytes(2 * AgeWorld.BlockSize);
    private AgeCatalog _catalog = null!;
    private VersionRecord _ofA = null!;
    private VersionRecord _ofB = null!;

    public async Task InitializeAsync()
    {
        _catalog = _world.NewCatalog();
        _world.Images.Set("a", _a);
        _world.Images.Set("b", _b);
        _ofA = await _world.BackupAsync(_catalog, "a");
        _ofB = await _world.BackupAsync(_catalog, "b");
        _world.Clock.Advance(TimeSpan.FromSeconds(1));
    }

    public async Task DisposeAsync() => await _world.DisposeAsync();

    [Theory]
    [InlineData("backup")]
    [InlineData("rm")]
    [InlineData("rm cleanup")]
    [InlineData("rm cleanup backup")]
    public async Task EveryChangeIsRefusedAndNothingIsChanged(string meanwhile)
    {
        await _world.DoAsync(_catalog, store => store.CreateOverlayAsync(_ofB.Name.ToString(), "fix"));
        var old = _catalog.Place.State;
        await DoAsync(meanwhile);
        _catalog.Place.State = old;
        var objects = _world.Objects;
        await RefuseAsync(store => AgeWorld.BackupAsync(store, "a"));
        await RefuseAsync(store => AgeWorld.BackupAsync(store, "b"));
        await RefuseAsync(store => store.RemoveAsync(
            new RemoveRequest { Versions = [_ofA.Name.ToString()], Force = true }));
        await RefuseAsync(store => store.CleanupAsync(
            new CleanupRequest { OlderThan = TimeSpan.Zero }, NoProgress.Instance));
        await RefuseAsync(store => store.ProtectAsync(_ofB.Name.ToString(), isProtected: true));
        await RefuseAsync(store => store.LabelAsync(
            _ofB.Name.ToString(), new Dictionary<string, string> { ["x"] = "y" }, []));
        await RefuseAsync(store => store.PromoteAsync(
            new PromoteRequest { Overlay = $"{_ofB.Name}@fix" }, NoProgress.Instance));
        Assert.Equal(objects, _world.Objects);
        Assert.Same(old.Versions, _catalog.Place.State.Versions);
        Assert.Same(old.Blocks, _catalog.Place.State.Blocks);
        Assert.Same(old.Pages, _catalog.Place.State.Pages);
        Assert.Same(old.Overlays, _catalog.Place.State.Overlays);
        Assert.Empty(_catalog.Place.State.Intents);
    }

    [Fact]
    public async Task AProtectionThatItDoesNotKnowIsNotOverlooked()
    {
        var old = _catalog.Place.State;
        await _world.DoAsync(_catalog, store => store.ProtectAsync(_ofA.Name.ToString(), isProtected: true));
        _catalog.Place.State = old;

        await RefuseAsync(store => store.RemoveAsync(
            new RemoveRequest { Versions = [_ofA.Name.ToString()], Force = true }));
    }

    [Fact]
    public async Task ADamageThatItDoesNotKnowIsNotTakenForSound()
    {
        var block = _world.Main.Names.First(name => name.Value.StartsWith("blocks/", StringComparison.Ordinal));
        await _world.Main.PutAsync(block, new byte[100], CancellationToken.None);
        var old = _catalog.Place.State;
        foreach (var version in new[] { _ofA, _ofB })
        {
            await _world.DoAsync(_catalog, store => store.ScrubAsync(
                new ScrubRequest { Version = version.Name.ToString(), IsDeep = true }, NoProgress.Instance));
        }

        _catalog.Place.State = old;

        await RefuseAsync(store => AgeWorld.BackupAsync(store, "a"));
    }

    [Fact]
    public async Task WhatIsThereIsRestoredWithAWarningAndARebuildPutsItRight()
    {
        var old = _catalog.Place.State;
        await DoAsync("rm cleanup backup");
        _catalog.Place.State = old;
        using var log = new WarningLog();
        Assert.Equal(_b, await _world.RestoreAsync(_catalog, _ofB.Name, log));
        Assert.Contains("'benji rebuild --force'", Assert.Single(log.Warnings), StringComparison.Ordinal);
        await _world.RebuildAsync(_catalog);
        var versions = await _world.DoAsync(_catalog, store => store.ListAsync(null));
        var after = await _world.BackupAsync(_catalog, "a");
        var possible = versions.Append(after).ToDictionary(
            version => version.Name, version => version.Name.Volume == "a" ? _a : _b);
        await _world.CheckAsync(_catalog, possible, possible.Keys);
    }

    [Theory]
    [InlineData("rm cleanup")]
    [InlineData("backup")]
    public async Task ACopyTakenAtAnyPointOfABackupLosesNothing(string meanwhile)
    {
        // A backup that finds candidates, rows that it may use, and blocks to store.
        await _world.RemoveAsync(_catalog, _ofA.Name);
        var (state, objects) = (_catalog.Place.State, _world.Main.Copy());
        _world.Images.Set("a", [.. _a, .. _b, .. RandomNumberGenerator.GetBytes(AgeWorld.BlockSize)]);
        for (var (at, isHit) = (0, true); isHit; at++)
        {
            _catalog.Place.State = state;
            _world.Main.PutBack(objects);
            MemoryCatalogState? copy = null;
            var wire = new Tripwire
            {
                At = at,
                Then = () =>
                {
                    copy = _catalog.Place.State;
                    return Task.CompletedTask;
                },
            };
            var done = new List<VersionRecord> { _ofB, await _world.BackupAsync(_catalog, "a", wire) };
            isHit = copy is not null;
            if (meanwhile == "backup")
            {
                _world.Clock.Advance(TimeSpan.FromSeconds(1));
                done.Add(await _world.BackupAsync(_catalog, "b"));
            }
            else
            {
                await _world.RemoveAsync(_catalog, done[1].Name);
                done.RemoveAt(1);
                await _world.CleanUpAsync(_catalog);
            }

            _catalog.Place.State = copy ?? state;
            await UseAsync(done);
        }
    }

    // Whatever the older catalog does, all that was reported as done is there, as a rebuild finds it.
    private async Task UseAsync(List<VersionRecord> done)
    {
        _world.Clock.Advance(TimeSpan.FromSeconds(1));
        await Record.ExceptionAsync(() => _world.CleanUpAsync(_catalog));
        await Record.ExceptionAsync(() => _world.CleanUpAsync(_catalog));
        var failure = await Record.ExceptionAsync(async () => done.Add(await _world.BackupAsync(_catalog, "a")));
        Assert.True(failure is null or AgeMismatchException, $"{failure}");
        await _world.RebuildAsync(_catalog);
        foreach (var version in done)
        {
            var source = version.Name.Volume == "a" ? _world.Images["a"].Content : _b;
            Assert.Equal(source, await _world.RestoreAsync(_catalog, version.Name));
        }
    }

    private async Task DoAsync(string commands)
    {
        foreach (var command in commands.Split(' '))
        {
            switch (command)
            {
                case "backup":
                    await _world.BackupAsync(_catalog, "b");
                    break;
                case "rm":
                    await _world.RemoveAsync(_catalog, _ofA.Name);
                    break;
                default:
                    await _world.CleanUpAsync(_catalog);
                    break;
            }
        }
    }

    private async Task RefuseAsync<T>(Func<BenjiStore, Task<T>> command)
    {
        var refusal = await Assert.ThrowsAsync<AgeMismatchException>(() => _world.DoAsync(_catalog, command));
        Assert.Contains("older copy", refusal.Message, StringComparison.Ordinal);
        Assert.Contains("Nothing was changed. 'benji rebuild --force'", refusal.Message, StringComparison.Ordinal);
    }
}
