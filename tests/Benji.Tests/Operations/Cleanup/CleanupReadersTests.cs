using Benji.Store.Blocks;
using Benji.Store.Blocks.Sealing;
using Benji.Store.Model;
using Xunit;

namespace Benji.Tests.Operations.Cleanup;

/// <summary>Cleanups while somebody on this host reads without a lease.</summary>
public sealed class CleanupReadersTests : IAsyncLifetime
{
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);

    private CleanupWorld _world = null!;
    private CleanupProcess _process = null!;

    public async Task InitializeAsync()
    {
        _world = await CleanupWorld.OpenAsync();
        _process = await _world.StartAsync();
    }

    public Task DisposeAsync() => _process.DisposeAsync().AsTask();

    [Fact]
    public async Task NothingIsClaimedAndWhatWaitsGoesLater()
    {
        await _world.BackUpAsync(_process, (0, 1), (1, 2));
        await _process.RemoveAsync(new Random(0));
        await _process.CleanUpAsync(Hour);
        _world.Clock.Advance(2 * Hour);
        _world.HasReaders = true;
        var state = _world.State;

        var result = await _process.CleanUpAsync(Hour);

        Assert.True(result!.IsHeldBack);
        Assert.Equal((0, state.Blocks.Count + state.Pages.Count), (result.ObjectsDeleted, result.ObjectsWaiting));
        Assert.Equal(state.Blocks, _world.State.Blocks);
        Assert.Empty(_world.State.Claims);

        _world.HasReaders = false;
        result = await _process.CleanUpAsync(Hour);
        Assert.Equal((false, true), (result!.IsHeldBack, result.ObjectsDeleted > 0));
        Assert.Empty(_world.State.Blocks);
    }

    [Fact]
    public async Task ASupersededDeltaStays()
    {
        await _world.BackUpAsync(_process, (0, 1));
        var delta = ObjectNames.Block(_world.IdOf(1), BlockForm.Delta);
        await _world.Objects.PutAsync(delta, new byte[10], CancellationToken.None);
        _world.Clock.Advance(2 * Hour);
        _world.HasReaders = true;

        var result = await _process.CleanUpAsync(Hour);

        Assert.Equal((true, 0), (result!.IsHeldBack, result.ObjectsDeleted));
        Assert.NotNull(_world.Objects[delta]);
    }

    /// <summary>It was claimed while nobody read, so that nobody who reads now needs it.</summary>
    [Fact]
    public async Task AClaimThatStandsIsFinished()
    {
        await _world.BackUpAsync(_process, (0, 1));
        await _process.RemoveAsync(new Random(0));
        await _process.WriteAsync(transaction => ClaimedDeletion.Begin(
            transaction, CleanupWorld.Storage, [_world.IdOf(1)], [], _world.Clock.GetUtcNow()));
        _world.HasReaders = true;

        var result = await _process.CleanUpAsync(Hour);

        Assert.Equal(1, result!.ObjectsDeleted);
        Assert.Empty(_world.State.Blocks);
    }

    [Fact]
    public async Task WhoHasNothingToDeleteIsNotHeldBack()
    {
        await _world.BackUpAsync(_process, (0, 1));
        _world.Clock.Advance(2 * Hour);
        _world.HasReaders = true;

        Assert.False((await _process.CleanUpAsync(Hour))!.IsHeldBack);
    }
}
