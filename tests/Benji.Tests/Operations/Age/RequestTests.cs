using System.Security.Cryptography;
using Benji.Store;
using Benji.Store.Operations;
using Benji.Testing.Storages;
using Xunit;

namespace Benji.Tests.Operations.Age;

/// <summary>What age marks cost in requests.</summary>
public sealed class RequestTests : IAsyncLifetime
{
    private readonly AgeWorld _world = new();
    private AgeCatalog _catalog = null!;

    public Task InitializeAsync()
    {
        _catalog = _world.NewCatalog();
        _world.Images.Set("a", RandomNumberGenerator.GetBytes(3 * AgeWorld.BlockSize));
        return Task.CompletedTask;
    }

    public async Task DisposeAsync() => await _world.DisposeAsync();

    [Fact]
    public async Task ABackupMakesThreeMoreTheFirstAndAnUnchangedOneToo()
    {
        StorageCallKind[] three = [StorageCallKind.List, StorageCallKind.Put, StorageCallKind.List];
        Assert.Equal(three, await CountAsync(store => AgeWorld.BackupAsync(store, "a")));
        Assert.Equal(three, await CountAsync(store => AgeWorld.BackupAsync(store, "a")));
        _world.Images["a"].Content[7] ^= 1;
        Assert.Equal(three, await CountAsync(store => AgeWorld.BackupAsync(store, "a")));
    }

    /// <summary>Everything that a backup asks of a storage: but for the three of marks, what it was before there were any.</summary>
    [Fact]
    public async Task ABackupMakesNoOtherRequestsThanItNeeds()
    {
        string[] marks = ["List marks/", "Put marks/", "List marks/"];
        Assert.Equal(
            [
                "Read store.json", "List versions/", "List pages/", "List blocks/", "Create store.json", "Read store.json",
                "List versions/", marks[0],
                "Add blocks/", "Add blocks/", "Add blocks/", "Commit ", "Add pages/", "Commit ", "Create versions/", .. marks[1..],
            ],
            await ListAllAsync(store => AgeWorld.BackupAsync(store, "a")));
        Assert.Equal(
            ["Read store.json", marks[0], "Create versions/", .. marks[1..]],
            await ListAllAsync(store => AgeWorld.BackupAsync(store, "a")));
        _world.Images["a"].Content[7] ^= 1;
        Assert.Equal(
            [
                "Read store.json", marks[0],
                "Read blocks/", "Add blocks/", "Commit ", "Add pages/", "Commit ", "Create versions/", .. marks[1..],
            ],
            await ListAllAsync(store => AgeWorld.BackupAsync(store, "a")));
    }

    [Fact]
    public async Task ABackupLooksUpNothingThatItWouldNotWithoutThem()
    {
        await _world.BackupAsync(_catalog, "a");
        _world.Images["a"].Content[7] ^= 1;
        var wire = new Tripwire();
        await _world.BackupAsync(_catalog, "a", wire);
        Assert.DoesNotContain(wire.StorageCalls, call => call.Kind == StorageCallKind.Find && call.Name != "store.json");
    }

    [Fact]
    public async Task ARemovalAndALabelMakeTwoMoreAndARestoreOne()
    {
        var version = await _world.BackupAsync(_catalog, "a");
        var name = version.Name.ToString();
        Assert.Equal(
            [StorageCallKind.List, StorageCallKind.Put],
            await CountAsync(store => store.LabelAsync(name, new Dictionary<string, string> { ["x"] = "y" }, [])));
        Assert.Equal(
            [StorageCallKind.List],
            await CountAsync(store => store.RestoreAsync(
                new RestoreRequest { Version = name, Target = "t" }, NoProgress.Instance)));
        Assert.Equal(
            [StorageCallKind.List, StorageCallKind.Put],
            await CountAsync(store => store.RemoveAsync(new RemoveRequest { Versions = [name], Force = true })));
    }

    [Fact]
    public async Task ALookOfMoreThanFiveSecondsAgoIsNotReliedOn()
    {
        await _world.BackupAsync(_catalog, "a");
        var wire = new Tripwire();
        await using var store = await _world.StartAsync(_catalog, wire);
        await AgeWorld.BackupAsync(store, "a");
        var looks = wire.StorageCalls.Count;
        await AgeWorld.BackupAsync(store, "a");
        Assert.Equal([StorageCallKind.Put, StorageCallKind.List], Marks(wire.StorageCalls[looks..]));
        _world.Clock.Wait(TimeSpan.FromSeconds(6));
        looks = wire.StorageCalls.Count;
        await AgeWorld.BackupAsync(store, "a");
        Assert.Equal(
            [StorageCallKind.List, StorageCallKind.Put, StorageCallKind.List], Marks(wire.StorageCalls[looks..]));
    }

    [Fact]
    public async Task APublicationThatStoodStillAfterItsLookLooksAgain()
    {
        await _world.BackupAsync(_catalog, "a");
        var reference = new Tripwire();
        await _world.BackupAsync(_catalog, "a", reference);

        // The last three calls: the transaction that publishes, that which counts old marks, that which ends the lease; other
        // leases follow. Each is tried.
        var mosts = new List<int>();
        for (var at = 0; at < reference.Calls; at++)
        {
            _world.Clock.Advance(TimeSpan.FromSeconds(1));
            var wire = new Tripwire
            {
                At = at,
                Then = () =>
                {
                    _world.Clock.Wait(TimeSpan.FromSeconds(6));
                    return Task.CompletedTask;
                },
            };
            await _world.BackupAsync(_catalog, "a", wire);
            mosts.Add(Marks(wire.StorageCalls).Length);
        }

        // Once for the transaction, and once for the LIST itself, which began before.
        Assert.Equal(4, mosts.Max());
    }

    [Fact]
    public async Task AStorageThatIsSlowIsPublishedToAllTheSame()
    {
        var looks = 0;
        var wire = new Tripwire
        {
            Fits = call => call is { Kind: StorageCallKind.List, Name: "marks/" },
            Then = () =>
            {
                _world.Clock.Wait(TimeSpan.FromSeconds(6));
                return ++looks < 10 ? Task.CompletedTask : throw new InvalidOperationException("It looks for ever.");
            },
        };
        await _world.BackupAsync(_catalog, "a", wire);
        Assert.InRange(looks, 3, 6);
    }

    private async Task<StorageCallKind[]> CountAsync<T>(Func<BenjiStore, Task<T>> command)
    {
        _world.Clock.Advance(TimeSpan.FromSeconds(1));
        var wire = new Tripwire();
        await _world.DoAsync(_catalog, command, wire);
        return Marks(wire.StorageCalls);
    }

    private async Task<IEnumerable<string>> ListAllAsync<T>(Func<BenjiStore, Task<T>> command)
    {
        _world.Clock.Advance(TimeSpan.FromSeconds(1));
        var wire = new Tripwire();
        await _world.DoAsync(_catalog, command, wire);
        return wire.StorageCalls.Select(call => $"{call.Kind} {call.Name[..(call.Name.IndexOf('/') + 1)]}"
            + (call.Name.Contains('/', StringComparison.Ordinal) ? "" : call.Name));
    }

    private static StorageCallKind[] Marks(IEnumerable<StorageCall> calls) =>
        [.. calls.Where(call => call.Name.StartsWith("marks/", StringComparison.Ordinal)).Select(call => call.Kind)];
}
