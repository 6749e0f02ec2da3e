using System.Security.Cryptography;
using Benji.Store;
using Benji.Store.Model;
using Benji.Testing.Interleaving;
using Benji.Testing.Storages;
using Benji.Tests.Operations.Age;
using Xunit;

namespace Benji.Tests.Operations.Removal;

/// <summary>While one catalog removes or changes a version, another one removes it and makes a new one of the same name: that
/// one was reported as done, and stays.</summary>
public sealed class SameNameTests : IAsyncLifetime
{
    private readonly AgeWorld _world = new();
    private AgeCatalog _first = null!;
    private AgeCatalog _second = null!;
    private VersionRecord _version = null!;

    public async Task InitializeAsync()
    {
        _first = _world.NewCatalog();
        _world.Images.Set("a", RandomNumberGenerator.GetBytes(2 * AgeWorld.BlockSize));
        _version = await _world.BackupAsync(_first, "a");
        _second = _world.Fork(_first);
    }

    public async Task DisposeAsync() => await _world.DisposeAsync();

    [Fact]
    public async Task ARemovalTakesOnlyTheManifestOfItsVersion()
    {
        var (state, objects) = (_first.Place.State, _world.Main.Copy());
        for (var (at, isHit) = (0, true); isHit; at++)
        {
            _world.Main.PutBack(objects);
            (_first.Place.State, _second.Place.State) = (state, state);
            isHit = false;
            VersionRecord? made = null;
            var wire = new Tripwire
            {
                At = at,
                Then = async () =>
                {
                    isHit = true;
                    await TryAsync(async () => made = await MakeAnewAsync());
                },
            };
            await TryAsync(() => _world.RemoveAsync(_first, _version.Name, wire));
            await AssertThereAsync(made);
        }
    }

    [Fact]
    public async Task ARemovalThatAnotherRunFinishesTakesOnlyTheManifestOfItsVersion()
    {
        // Killed after its intent, before its manifest.
        var death = new Tripwire { Fits = IsDeletion, Then = () => throw new KilledException() };
        await Assert.ThrowsAsync<KilledException>(() => _world.RemoveAsync(_first, _version.Name, death));
        VersionRecord? made = null;
        _world.Images.Set("b", RandomNumberGenerator.GetBytes(AgeWorld.BlockSize));

        await TryAsync(() => _world.BackupAsync(_first, "b", Meeting(IsDeletion, async () => made = await MakeAnewAsync())));

        Assert.NotNull(made);
        await AssertThereAsync(made);
    }

    [Theory]
    [InlineData("label")]
    [InlineData("protect")]
    public async Task AChangeIsRefusedWhereAnotherVersionHasTheName(string change)
    {
        VersionRecord? made = null;
        var wire = Meeting(
            call => call.Kind == StorageCallKind.Read && call.Name == ManifestName, async () => made = await MakeAnewAsync());

        var refusal = await Assert.ThrowsAsync<AgeMismatchException>(() => _world.DoAsync(_first, ChangeAsync, wire));

        Assert.Contains("another catalog", refusal.Message, StringComparison.Ordinal);
        Assert.NotNull(made);
        await AssertThereAsync(made);

        Task<VersionRecord> ChangeAsync(BenjiStore store) => change == "label"
            ? store.LabelAsync(_version.Name.ToString(), new Dictionary<string, string> { ["x"] = "y" }, [])
            : store.ProtectAsync(_version.Name.ToString(), isProtected: true);
    }

    private string ManifestName => $"versions/{_version.Name}";

    private static async Task TryAsync(Func<Task> action)
    {
        try
        {
            await action();
        }
        catch (BenjiException)
        {
            // One of the two may be refused.
        }
    }

    // The first time only.
    private static Tripwire Meeting(Func<StorageCall, bool> fits, Func<Task> act)
    {
        var isMet = false;
        return new Tripwire
        {
            Fits = call => !isMet && fits(call),
            Then = () =>
            {
                isMet = true;
                return act();
            },
        };
    }

    private bool IsDeletion(StorageCall call) => call.Kind == StorageCallKind.Delete && call.Name == ManifestName;

    // What the other catalog does; the clock stands still, so that the name is the same.
    private async Task<VersionRecord> MakeAnewAsync()
    {
        await _world.RemoveAsync(_second, _version.Name);
        var made = await _world.BackupAsync(_second, "a");
        Assert.Equal(_version.Name, made.Name);
        return made;
    }

    private async Task AssertThereAsync(VersionRecord? made)
    {
        if (made is null)
        {
            return;
        }

        await _world.RebuildAsync(_second);
        var there = await _world.DoAsync(_second, store => store.ListAsync(null));
        Assert.Contains(made.Id, there.Select(version => version.Id));
        Assert.Equal(_world.Images["a"].Content, await _world.RestoreAsync(_second, made.Name));
    }
}
