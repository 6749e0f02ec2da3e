using System.Security.Cryptography;
using Benji.Store.Model;
using Benji.Store.Operations;
using Benji.Store.Storages;
using Benji.Testing.Storages;
using Xunit;

namespace Benji.Tests.Operations.Age;

/// <summary>A storage is replaced by an older copy of it while the catalog went on.</summary>
public sealed class OlderStorageTests : IAsyncLifetime
{
    private readonly AgeWorld _world = new();
    private readonly byte[] _a = RandomNumberGenerator.GetBytes(3 * AgeWorld.BlockSize);
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

    [Fact]
    public async Task TheNextBackupIsRefusedAndSaysThatTheStorageIsOlder()
    {
        var old = _world.Main.Copy();
        _world.Images.Set("a", [.. _a, 1, 2, 3]);
        await _world.BackupAsync(_catalog, "a");
        _world.Main.PutBack(old);
        var refusal = await Assert.ThrowsAsync<AgeMismatchException>(() => _world.BackupAsync(_catalog, "a"));
        Assert.StartsWith("Storage main (memory) is older than the catalog", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AScrubOfAnOlderCopyReportsAndMarksNothing()
    {
        var old = _world.Main.Copy();
        _world.Images.Set("a", [.. _a, .. RandomNumberGenerator.GetBytes(AgeWorld.BlockSize)]);
        var second = await _world.BackupAsync(_catalog, "a");
        _world.Main.PutBack(old);
        var (state, objects) = (_catalog.Place.State, _world.Objects);
        foreach (var isDeep in new[] { false, true })
        {
            using var log = new WarningLog();
            var scrub = await _world.DoAsync(
                _catalog,
                store => store.ScrubAsync(
                    new ScrubRequest { Version = second.Name.ToString(), IsDeep = isDeep }, NoProgress.Instance),
                logging: log);
            Assert.NotEmpty(scrub.Damage);
            Assert.Equal(VersionStatus.Valid, scrub.Version.Status);
            Assert.Single(log.Warnings, warning => warning.Contains("is older than the catalog", StringComparison.Ordinal));
            Assert.Contains(log.Warnings, warning => warning.Contains("is not written again", StringComparison.Ordinal));
        }

        var restore = await _world.DoAsync(_catalog, store => store.RestoreAsync(
            new RestoreRequest { Version = second.Name.ToString(), Target = "target" }, NoProgress.Instance));
        Assert.NotEmpty(restore.Damage);
        Assert.Equal(objects, _world.Objects);
        Assert.Same(state.Blocks, _catalog.Place.State.Blocks);
        Assert.Same(state.Versions, _catalog.Place.State.Versions);

        // The right storage is put back, and all is well.
        Assert.Equal(_a, await _world.RestoreAsync(_catalog, _first.Name));
    }

    [Fact]
    public async Task ACleanScrubOfAnOlderCopyMakesNothingValidAgain()
    {
        await _world.DoAsync(_catalog, async store =>
        {
            await store.Catalog.WriteAsync(
                transaction =>
                {
                    var block = transaction.BlockReferences.Scan(null, 1)[0];
                    transaction.BlockReferences.SetInvalid([block.Id], isInvalid: true);
                    transaction.Versions.Replace(_first with { Status = VersionStatus.Invalid });
                    return true;
                },
                CancellationToken.None);
            return true;
        });
        var old = _world.Main.Copy();
        _world.Images.Set("b", [1, 2, 3]);
        await _world.BackupAsync(_catalog, "b");
        var current = _world.Main.Copy();
        _world.Main.PutBack(old);
        Assert.Equal(VersionStatus.Invalid, (await DeepScrubAsync(_first)).Version.Status);
        _world.Main.PutBack(current);
        Assert.Equal(VersionStatus.Valid, (await DeepScrubAsync(_first)).Version.Status);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task WhoReadFromAStorageThatItDoesNotTrustMendsNothingAnyMore(bool isOlder)
    {
        var old = _world.Main.Copy();
        _world.Images.Set("a", [.. _a, .. RandomNumberGenerator.GetBytes(AgeWorld.BlockSize)]);
        var second = await _world.BackupAsync(_catalog, "a");
        var current = _world.Main.Copy();
        if (isOlder)
        {
            _world.Main.PutBack(old);
        }
        else
        {
            await _world.Main.DeleteAsync(
                [.. current.Keys.Except(old.Keys).Where(name => !name.StartsWith("marks/", StringComparison.Ordinal))
                    .Select(name => new ObjectName(name))],
                CancellationToken.None);
        }

        var state = _catalog.Place.State;
        var lists = 0;
        var wire = new Tripwire
        {
            Fits = call => call is { Kind: StorageCallKind.List, Name: "marks/" } && lists++ == 0 && !isOlder,
            Fault = Fault.Permanent(),
        };
        using var log = new WarningLog();
        await _world.DoAsync(
            _catalog,
            async store =>
            {
                var request = new ScrubRequest { Version = second.Name.ToString(), IsDeep = true };
                Assert.NotEmpty((await store.ScrubAsync(request, NoProgress.Instance)).Damage);

                // What it saw before may be of the older copy, though the right one is there now.
                var objects = _world.Main.Copy();
                _world.Main.PutBack(current);
                Assert.Empty((await store.ScrubAsync(request, NoProgress.Instance)).Damage);
                _world.Main.PutBack(objects);
                return (await store.ScrubAsync(request, NoProgress.Instance)).Damage;
            },
            wire,
            log);
        Assert.Single(log.Warnings, warning => warning.Contains("nothing is repaired or marked", StringComparison.Ordinal));
        Assert.Same(state.Blocks, _catalog.Place.State.Blocks);
        Assert.Same(state.Versions, _catalog.Place.State.Versions);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task ACopyTakenAtAnyPointOfABackupLosesNothing(bool isRemovedBefore)
    {
        if (isRemovedBefore)
        {
            await _world.RemoveAsync(_catalog, _first.Name);
            await _world.DoAsync(_catalog, store => store.CleanupAsync(
                new CleanupRequest { OlderThan = TimeSpan.FromHours(1) }, NoProgress.Instance));
        }

        var (state, objects) = (_catalog.Place.State, _world.Main.Copy());
        _world.Images.Set("a", [.. _a, .. RandomNumberGenerator.GetBytes(AgeWorld.BlockSize)]);
        for (var (at, isHit) = (0, true); isHit; at++)
        {
            _catalog.Place.State = state;
            _world.Main.PutBack(objects);
            var copy = objects;
            isHit = false;
            await _world.BackupAsync(_catalog, "a", new Tripwire
            {
                At = at,
                Then = () =>
                {
                    (copy, isHit) = (_world.Main.Copy(), true);
                    return Task.CompletedTask;
                },
            });
            _world.Main.PutBack(copy);
            _world.Clock.Advance(TimeSpan.FromSeconds(1));
            await UseAsync();
        }
    }

    // Refused, or everything that the catalog knows is there.
    private async Task UseAsync()
    {
        VersionRecord? done = null;
        var failure = await Record.ExceptionAsync(async () => done = await _world.BackupAsync(_catalog, "a"));
        Assert.True(failure is null or AgeMismatchException, $"{failure}");
        if (done is not null)
        {
            foreach (var version in await _world.DoAsync(_catalog, store => store.ListAsync(null)))
            {
                Assert.Empty((await DeepScrubAsync(version)).Damage);
            }
        }
    }

    private Task<ScrubResult> DeepScrubAsync(VersionRecord version) => _world.DoAsync(
        _catalog,
        store => store.ScrubAsync(
            new ScrubRequest { Version = version.Name.ToString(), IsDeep = true }, NoProgress.Instance));
}
