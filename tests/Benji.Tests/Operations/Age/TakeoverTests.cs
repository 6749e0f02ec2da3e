using System.Security.Cryptography;
using Benji.Store.Model;
using Benji.Testing.Storages;
using Xunit;

namespace Benji.Tests.Operations.Age;

/// <summary>A rebuild takes the storage over for its new catalog, from whoever worked there before.</summary>
public sealed class TakeoverTests : IAsyncLifetime
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
    public async Task TheCatalogBeforeIsRefusedAndTheNewOneWorks()
    {
        var second = _world.NewCatalog();
        await _world.RebuildAsync(second);
        Assert.Single(_world.Main.Names, name => name.Value.StartsWith("marks/", StringComparison.Ordinal));
        await Assert.ThrowsAsync<AgeMismatchException>(() => _world.BackupAsync(_first, "a"));
        var again = await _world.BackupAsync(second, "a");
        await _world.CheckAsync(
            second, new Dictionary<VersionName, byte[]> { [_ofA.Name] = _a, [again.Name] = _a }, _ofA.Name, again.Name);
    }

    [Fact]
    public async Task TheNewCatalogNoticesAStorageOfBeforeItsRebuild()
    {
        var second = _world.NewCatalog();
        var old = _world.Main.Copy();
        await _world.RebuildAsync(second);
        Assert.True(second.Place.State.Bindings["main"].HoldsStrays);
        _world.Main.PutBack(old);
        var refusal = await Assert.ThrowsAsync<AgeMismatchException>(() => _world.BackupAsync(second, "a"));
        Assert.Contains("is older than the catalog", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ARebuildThatTheFirstCatalogWorksBesideLosesNothing()
    {
        var (state, objects) = (_first.Place.State, _world.Main.Copy());
        for (var (at, isHit) = (0, true); isHit; at++)
        {
            _first.Place.State = state;
            _world.Main.PutBack(objects);
            var second = _world.NewCatalog();
            var done = new List<VersionRecord> { _ofA };
            isHit = false;
            await _world.RebuildAsync(second, new Tripwire
            {
                At = at,
                Then = async () =>
                {
                    isHit = true;
                    await TryAsync(async () => done.Add(await _world.BackupAsync(_first, "b")));
                    await TryAsync(async () =>
                    {
                        done.Remove(_ofA);
                        await _world.RemoveAsync(_first, _ofA.Name);
                        await _world.CleanUpAsync(_first);
                        await _world.CleanUpAsync(_first);
                    });
                },
            });
            await Assert.ThrowsAsync<AgeMismatchException>(() => _world.BackupAsync(_first, "a"));
            done.Add(await _world.BackupAsync(second, "a"));
            await _world.CleanUpAsync(second);
            foreach (var version in done)
            {
                Assert.Equal(
                    _world.Images[version.Name.Volume].Content, await _world.RestoreAsync(second, version.Name));
            }
        }
    }

    [Fact]
    public async Task OfTwoRebuildsAtOnceOneCatalogIsLeft()
    {
        var (second, third) = (_world.NewCatalog(), _world.NewCatalog());
        var objects = _world.Main.Copy();
        for (var (at, isHit) = (0, true); isHit; at++)
        {
            _world.Main.PutBack(objects);
            isHit = false;
            await TryAsync(() => _world.RebuildAsync(second, new Tripwire
            {
                At = at,
                Then = async () =>
                {
                    isHit = true;
                    await TryAsync(() => _world.RebuildAsync(third));
                },
            }));
            var failures = new List<Exception?>();
            foreach (var catalog in new[] { second, third })
            {
                failures.Add(await Record.ExceptionAsync(() => _world.BackupAsync(catalog, "a")));
                _world.Clock.Advance(TimeSpan.FromSeconds(1));
            }

            Assert.True(failures.Count(failure => failure is null) == 1, $"{at}: {string.Join(' ', failures)}");
            Assert.Contains(failures, failure => failure is AgeMismatchException);
        }
    }

    [Fact]
    public async Task AStorageThatIsWorkedOnAllTheTimeIsNotTakenOver()
    {
        var second = _world.NewCatalog();
        var objects = 0;
        var failure = await Record.ExceptionAsync(() => _world.RebuildAsync(
            second,
            null,
            call => call.Kind == StorageCallKind.List && call.Name == "versions/"
                ? new Fault
                {
                    Gate = _world.Main.PutAsync(
                        new($"marks/{objects++:D16}-{Guid.NewGuid():N}"), new byte[1], CancellationToken.None),
                }
                : null));
        Assert.IsType<InUseException>(failure);
        Assert.Equal(3, objects);
        Assert.Equal(1 + objects, _world.Main.Names.Count(name => name.Value.StartsWith("marks/", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task ARebuildThatFailsLeavesTheOldCatalogAtWork()
    {
        await Assert.ThrowsAsync<StorageException>(() => _world.RebuildAsync(
            _world.NewCatalog(), null, call => call.Name == "versions/" ? Fault.Permanent() : null));
        await _world.BackupAsync(_first, "a");
    }

    [Fact]
    public async Task AStorageThatCannotBeWrittenGivesACatalogAllTheSame()
    {
        var second = _world.NewCatalog();
        var result = await _world.RebuildAsync(
            second, null, call => call.Kind == StorageCallKind.Put ? Fault.Permanent() : null);
        Assert.Contains("cannot be written and was not taken over", Assert.Single(result.Problems), StringComparison.Ordinal);
        Assert.Equal(_a, await _world.RestoreAsync(second, _ofA.Name));

        // It can be written again: whichever works first shuts the other out.
        await _world.BackupAsync(second, "b");
        await Assert.ThrowsAsync<AgeMismatchException>(() => _world.BackupAsync(_first, "b"));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public async Task AMarkThatWasPutThoughItFailedIsTheNewCatalogsOwn(int good)
    {
        var second = _world.NewCatalog();
        var puts = 0;
        var result = await _world.RebuildAsync(
            second, null, call => call.Kind == StorageCallKind.Put && puts++ >= good ? Fault.AfterEffect() : null);
        Assert.Contains("was not taken over", Assert.Single(result.Problems), StringComparison.Ordinal);
        await _world.BackupAsync(second, "b");
    }

    private static async Task TryAsync(Func<Task> work)
    {
        var failure = await Record.ExceptionAsync(work);
        Assert.True(failure is null or AgeMismatchException or InUseException, $"{failure}");
    }
}
