using Benji.Store;
using Benji.Store.Model;
using Benji.Store.Operations;
using Benji.Testing.Catalogs;
using Benji.Testing.Storages;
using Benji.Tests.Operations.Age;
using Xunit;

namespace Benji.Tests.Operations.Failure;

/// <summary>What a command that reads has found is told, also where it cannot be recorded.</summary>
public sealed class FindingsTests : IAsyncLifetime
{
    private readonly AgeWorld _world = new();
    private readonly WarningLog _log = new();
    private AgeCatalog _catalog = null!;
    private VersionRecord _version = null!;
    private bool _isCatalogFull;
    private bool _isStorageFull;
    private int _writes;

    public async Task InitializeAsync()
    {
        _catalog = _world.NewCatalog();
        var content = new byte[3 * AgeWorld.BlockSize];
        new Random(3).NextBytes(content);
        _world.Images.Set("a", content);
        _version = await _world.BackupAsync(_catalog, "a");
        _world.Clock.Advance(TimeSpan.FromSeconds(10));
    }

    public async Task DisposeAsync()
    {
        _log.Dispose();
        await _world.DisposeAsync();
    }

    [Theory]
    [InlineData("scrub", true, false)]
    [InlineData("scrub", false, true)]
    [InlineData("deep-scrub", true, false)]
    [InlineData("deep-scrub", false, true)]
    [InlineData("restore", true, false)]
    [InlineData("restore", false, true)]
    public async Task DamageThatCannotBeRecordedIsTold(string command, bool isCatalogFull, bool isStorageFull)
    {
        await DeleteAsync("blocks/");

        var damage = await RunAsync(command, isCatalogFull, isStorageFull);

        Assert.Equal(AgeWorld.BlockSize, Assert.Single(damage).Length);
        Assert.Contains(_log.Warnings, line => line.Contains("is not recorded", StringComparison.Ordinal));
        Assert.Equal(VersionStatus.Valid, _catalog.Place.State.Versions[_version.Id].Status);

        // With room again it is recorded.
        Assert.Single(await RunAsync(command));
        Assert.Equal(VersionStatus.Invalid, _catalog.Place.State.Versions[_version.Id].Status);
    }

    [Theory]
    [InlineData("pages/")]
    [InlineData("versions/")]
    public async Task AnObjectThatCannotBeWrittenAgainEndsNoScrub(string prefix)
    {
        await DeleteAsync(prefix);

        Assert.Empty(await RunAsync("scrub", isStorageFull: true));
        Assert.Contains(_log.Warnings, line => line.Contains("could not be written again", StringComparison.Ordinal));

        Assert.Empty(await RunAsync("scrub"));
        Assert.Contains(_world.Main.Names, name => name.Value.StartsWith(prefix, StringComparison.Ordinal));
    }

    [Fact]
    public async Task ACleanScrubThatCannotGiveItsLeaseBackIsClean() =>
        Assert.Empty(await RunAsync("deep-scrub", isCatalogFull: true));

    private Task DeleteAsync(string prefix) => _world.Main.DeleteAsync(
        [_world.Main.Names.First(name => name.Value.StartsWith(prefix, StringComparison.Ordinal))], CancellationToken.None);

    private async Task<IReadOnlyList<Damage>> RunAsync(string command, bool isCatalogFull = false, bool isStorageFull = false)
    {
        (_isCatalogFull, _isStorageFull) = (false, isStorageFull);
        var parts = _world.PartsOf(_catalog, new Tripwire());
        var options = _world.OptionsOf(_catalog);
        await using var store = await BenjiStore.OpenAsync(
            options,
            new StoreParts
            {
                WrapStorage = inner => new FaultyStorage(parts.WrapStorage(inner), FindFault),
                WrapCatalog = inner => new HookedCatalog(parts.WrapCatalog(inner)) { BeforeWrite = FailWhenFull },
            },
            StoreUse.Read,
            _log,
            _world.Clock,
            CancellationToken.None);

        // The lease of the command is its first write, for which there was room.
        _writes = isCatalogFull ? 1 : int.MaxValue;
        _isCatalogFull = isCatalogFull;
        if (command == "restore")
        {
            _world.Images.Set("target", new byte[3 * AgeWorld.BlockSize]);
            var restored = await store.RestoreAsync(
                new RestoreRequest { Version = _version.Name.ToString(), Target = "target", Force = true }, NoProgress.Instance);
            return restored.Damage;
        }

        var scrubbed = await store.ScrubAsync(
            new ScrubRequest { Version = _version.Name.ToString(), IsDeep = command == "deep-scrub" }, NoProgress.Instance);
        return scrubbed.Damage;
    }

    private Task FailWhenFull() => _isCatalogFull && _writes-- <= 0
        ? throw new CatalogException("The catalog could not be written: the disk is full.") { IsDiskFull = true }
        : Task.CompletedTask;

    private Fault? FindFault(StorageCall call) =>
        _isStorageFull && call.Kind is StorageCallKind.Put or StorageCallKind.Create or StorageCallKind.Add
            ? Fault.Permanent()
            : null;
}
