using Benji.Store.Blocks;
using Benji.Store.Blocks.Sealing;
using Benji.Store.Model;
using Xunit;

namespace Benji.Tests.Operations.Cleanup;

/// <summary>Cleanups that refuse to go on because they cannot know what is needed.</summary>
public sealed class CleanupRefusalTests : IAsyncLifetime
{
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);

    private CleanupWorld _world = null!;

    public async Task InitializeAsync() => _world = await CleanupWorld.OpenAsync();

    public Task DisposeAsync() => Task.CompletedTask;

    [Fact]
    public async Task AManifestThatTheCatalogDoesNotKnowStopsTheCleanup()
    {
        await using var process = await _world.StartAsync();
        await _world.BackUpAsync(process, (0, 1));
        await process.WriteAsync(transaction => transaction.Versions.Remove(_world.Newest.Id));

        var error = await Assert.ThrowsAsync<ConfigurationException>(() => process.CleanUpAsync(TimeSpan.Zero));

        Assert.Contains("rebuild --force", error.Message, StringComparison.Ordinal);
        Assert.Equal(3, _world.State.Blocks.Count + _world.State.Pages.Count);
    }

    [Fact]
    public async Task AManifestOfAKnownNameButAnotherVersionStopsTheCleanupToo()
    {
        await using var process = await _world.StartAsync();
        await _world.BackUpAsync(process, (0, 1));
        var newest = _world.Newest;
        await process.WriteAsync(transaction =>
        {
            transaction.Versions.Remove(newest.Id);
            transaction.Versions.Add(newest with { Id = Guid.NewGuid() });
        });

        await Assert.ThrowsAsync<ConfigurationException>(() => process.CleanUpAsync(TimeSpan.Zero));
    }

    [Fact]
    public async Task AMissingMapPageStopsTheCleanupBeforeAnythingGoes()
    {
        await using var process = await _world.StartAsync();
        await _world.BackUpAsync(process, (0, 1));
        await _world.BackUpAsync(process, (0, 2));
        await process.RemoveAsync(new Random(0));
        var root = _world.Newest.Root;
        await process.WriteAsync(transaction => transaction.BlockMaps.Remove([root]));
        await _world.Objects.DeleteAsync([ObjectNames.Page(root)], CancellationToken.None);
        var before = _world.Objects.Names.Count;

        await Assert.ThrowsAsync<CorruptDataException>(() => process.CleanUpAsync(TimeSpan.Zero));

        Assert.Equal(before, _world.Objects.Names.Count);
    }

    [Fact]
    public async Task AClaimIsFinishedBeforeAnythingIsMarked()
    {
        await using var process = await _world.StartAsync();
        await _world.BackUpAsync(process, (0, 1));
        await process.WriteAsync(transaction => ClaimedDeletion.Begin(
            transaction, CleanupWorld.Storage, [_world.IdOf(7)], [], _world.Clock.GetUtcNow()));
        await process.WriteAsync(transaction => transaction.BlockMaps.Remove([_world.Newest.Root]));
        await _world.Objects.DeleteAsync([ObjectNames.Page(_world.Newest.Root)], CancellationToken.None);

        await Assert.ThrowsAsync<CorruptDataException>(() => process.CleanUpAsync(Hour));

        Assert.Empty(_world.State.Claims);
    }
}
