using System.Security.Cryptography;
using Benji.Store.Model;
using Benji.Testing.Storages;
using Xunit;

namespace Benji.Tests.Operations.Age;

/// <summary>A storage on a full disk takes nothing but a mark: what makes room there works.</summary>
public sealed class FullDiskTests : IAsyncLifetime
{
    private readonly AgeWorld _world = new();
    private AgeCatalog _catalog = null!;
    private VersionRecord _first = null!;

    private static Tripwire FullDisk => new()
    {
        Fits = call => call.Kind is StorageCallKind.Add or StorageCallKind.Create
            || (call.Kind == StorageCallKind.Put && !call.Name.StartsWith("marks/", StringComparison.Ordinal)),
        Fault = Fault.Permanent(),
    };

    public async Task InitializeAsync()
    {
        _catalog = _world.NewCatalog();
        _world.Images.Set("a", RandomNumberGenerator.GetBytes(2 * AgeWorld.BlockSize));
        _world.Images.Set("b", RandomNumberGenerator.GetBytes(2 * AgeWorld.BlockSize));
        _first = await _world.BackupAsync(_catalog, "a");
        _world.Clock.Advance(TimeSpan.FromSeconds(1));
    }

    public async Task DisposeAsync() => await _world.DisposeAsync();

    [Fact]
    public async Task ABackupFailsAndARemovalWithACleanupMakesRoomForIt()
    {
        await Assert.ThrowsAsync<StorageException>(() => _world.BackupAsync(_catalog, "b", FullDisk));
        Assert.Empty(_catalog.Place.State.Intents);
        await _world.RemoveAsync(_catalog, _first.Name, FullDisk);
        await _world.CleanUpAsync(_catalog, FullDisk);
        Assert.DoesNotContain(_world.Main.Names, name => name.Value.StartsWith("blocks/", StringComparison.Ordinal));
        var version = await _world.BackupAsync(_catalog, "b");
        await _world.CheckAsync(
            _catalog,
            new Dictionary<VersionName, byte[]> { [version.Name] = _world.Images["b"].Content },
            version.Name);
    }
}
