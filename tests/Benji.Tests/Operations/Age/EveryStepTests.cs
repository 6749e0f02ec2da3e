using System.Security.Cryptography;
using Benji.Store;
using Benji.Store.Model;
using Benji.Store.Operations;
using Benji.Testing.Storages;
using Xunit;

namespace Benji.Tests.Operations.Age;

/// <summary>Each command is killed before each of its calls, and each of its calls fails once in turn: the four checks hold
/// afterwards, and nothing is refused.</summary>
public sealed class EveryStepTests : IAsyncLifetime
{
    private readonly AgeWorld _world = new();
    private readonly Dictionary<VersionName, byte[]> _possible = [];
    private AgeCatalog _catalog = null!;
    private VersionRecord _ofA = null!;
    private VersionRecord _ofB = null!;

    public static TheoryData<string> Commands => ["backup", "first backup", "rm", "cleanup", "label", "promote"];

    public async Task InitializeAsync()
    {
        _catalog = _world.NewCatalog();
        _world.Images.Set("a", RandomNumberGenerator.GetBytes(3 * AgeWorld.BlockSize));
        _world.Images.Set("b", [.. _world.Images["a"].Content, .. RandomNumberGenerator.GetBytes(AgeWorld.BlockSize)]);
        _world.Images.Set("new", RandomNumberGenerator.GetBytes(2 * AgeWorld.BlockSize));
        _ofA = await _world.BackupAsync(_catalog, "a");
        _ofB = await _world.BackupAsync(_catalog, "b");
        _possible.Add(_ofA.Name, [.. _world.Images["a"].Content]);
        _possible.Add(_ofB.Name, [.. _world.Images["b"].Content]);
        _world.Clock.Advance(TimeSpan.FromSeconds(1));
    }

    public async Task DisposeAsync() => await _world.DisposeAsync();

    [Theory]
    [MemberData(nameof(Commands))]
    public Task KilledBeforeAnyCall(string command) =>
        ForEachCallAsync(command, at => new Tripwire { At = at });

    [Theory]
    [MemberData(nameof(Commands))]
    public Task AnyCallFails(string command) =>
        ForEachCallAsync(command, at => new Tripwire { At = at, Fault = Fault.Permanent() });

    [Theory]
    [MemberData(nameof(Commands))]
    public Task TheAnswerOfAnyCallIsLost(string command) =>
        ForEachCallAsync(command, at => new Tripwire { At = at, Fault = Fault.AfterEffect() });

    [Fact]
    public async Task APromotionThatWasKilledIsAVersionOrAnOverlayAndNeverBoth()
    {
        var (prepare, _) = Choose("promote");
        var (state, objects) = (_catalog.Place.State, _world.Main.Copy());
        for (var (at, isHit) = (0, true); isHit; at++)
        {
            _catalog.Place.State = state;
            _world.Main.PutBack(objects);
            var overlays = await prepare!();
            var wire = new Tripwire { At = at };
            await Record.ExceptionAsync(() => _world.DoAsync(_catalog, PromoteAsync, wire));
            isHit = wire.Calls > at;
            var (versions, left) = await _world.DoAsync(
                _catalog, async store => (await store.ListAsync("b"), await store.ListOverlaysAsync(null)));
            Assert.Equal(versions.Count == 1 ? overlays : 0, left.Count);
            Assert.Equal(left.Count, Directory.GetFiles(Path.Combine(_catalog.Path, "overlays")).Length);
            await _world.DoAsync(_catalog, store => store.RemoveOverlaysAsync(
                new OverlayRemoveRequest { Overlays = [.. left.Select(entry => entry.Name)], Force = true }));
        }
    }

    private async Task ForEachCallAsync(string command, Func<int, Tripwire> wireAt)
    {
        var (prepare, run) = Choose(command);
        var (state, objects) = (_catalog.Place.State, _world.Main.Copy());
        for (var (at, isHit) = (0, true); isHit; at++)
        {
            _catalog.Place.State = state;
            _world.Main.PutBack(objects);
            if (prepare is not null)
            {
                await prepare();
            }

            var wire = wireAt(at);
            VersionRecord? done = null;
            var failure = await Record.ExceptionAsync(async () => done = await _world.DoAsync(_catalog, run, wire));
            Assert.False(failure is AgeMismatchException or InvariantException, $"{at}: {failure}");
            isHit = wire.Calls > at;
            await CheckAsync(command, done, isDone: failure is null);
        }
    }

    private async Task CheckAsync(string command, VersionRecord? done, bool isDone)
    {
        var possible = new Dictionary<VersionName, byte[]>(_possible);
        foreach (var version in await _world.DoAsync(_catalog, store => store.ListAsync(null)))
        {
            possible.TryAdd(version.Name, command == "promote" ? Promoted : _world.Images[version.Name.Volume].Content);
        }

        VersionName?[] required = [command == "rm" ? null : _ofA.Name, _ofB.Name, done?.Name];
        await _world.CheckAsync(_catalog, possible, required.OfType<VersionName>());
        if (command == "rm" && isDone)
        {
            await Assert.ThrowsAsync<NotFoundException>(() => _world.DoAsync(_catalog, store => store.ListAsync("a")));
        }

        await _world.DoAsync(_catalog, async store =>
        {
            var overlays = await store.ListOverlaysAsync(null);
            await store.RemoveOverlaysAsync(
                new OverlayRemoveRequest { Overlays = [.. overlays.Select(entry => entry.Name)], Force = true });
            return true;
        });
    }

    private byte[] Promoted
    {
        get
        {
            var content = _world.Images["b"].Content.ToArray();
            content.AsSpan(0, 4096).Fill(7);
            return content;
        }
    }

    // What to do before, and the command; a backup and a promotion answer the version that they made.
    private (Func<Task<int>>? Prepare, Func<BenjiStore, Task<VersionRecord?>> Run) Choose(string command)
    {
        switch (command)
        {
            case "backup":
                _world.Images["b"].Content[AgeWorld.BlockSize + 5] ^= 1;
                return (null, async store => await AgeWorld.BackupAsync(store, "b"));
            case "first backup":
                return (null, async store => await AgeWorld.BackupAsync(store, "new"));
            case "rm":
                return (null, RemoveAsync);
            case "cleanup":
                return (PrepareCleanupAsync, CleanUpAsync);
            case "label":
                return (null, LabelAsync);
            default:
                return (PrepareOverlayAsync, async store => await PromoteAsync(store));
        }
    }

    private async Task<VersionRecord?> RemoveAsync(BenjiStore store)
    {
        await store.RemoveAsync(new RemoveRequest { Versions = [_ofA.Name.ToString()], Force = true });
        return null;
    }

    private static async Task<VersionRecord?> CleanUpAsync(BenjiStore store)
    {
        await store.CleanupAsync(new CleanupRequest { OlderThan = TimeSpan.Zero }, NoProgress.Instance);
        return null;
    }

    private async Task<VersionRecord?> LabelAsync(BenjiStore store)
    {
        await store.LabelAsync(_ofA.Name.ToString(), new Dictionary<string, string> { ["x"] = "y" }, []);
        return null;
    }

    private async Task<int> PrepareCleanupAsync()
    {
        var version = await _world.BackupAsync(_catalog, "new");
        await _world.RemoveAsync(_catalog, version.Name);
        _world.Clock.Advance(TimeSpan.FromSeconds(1));
        return 0;
    }

    private Task<int> PrepareOverlayAsync() => _world.DoAsync(_catalog, async store =>
    {
        var overlay = await store.CreateOverlayAsync(_ofB.Name.ToString(), "fix");
        await using var image = await store.OpenImages().OpenOverlayAsync(overlay, CancellationToken.None);
        await image.WriteAsync(0, Promoted.AsMemory(0, 4096), CancellationToken.None);
        await image.FlushAsync(CancellationToken.None);
        return 1;
    });

    private async Task<VersionRecord> PromoteAsync(BenjiStore store) => (await store.PromoteAsync(
        new PromoteRequest { Overlay = $"{_ofB.Name}@fix", Version = "promoted" }, NoProgress.Instance)).Version;
}
