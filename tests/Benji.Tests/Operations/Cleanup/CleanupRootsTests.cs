using Benji.Store.Blocks.Sealing;
using Benji.Store.Catalogs;
using Benji.Store.Model;
using Benji.Store.Operations;
using Benji.Store.Operations.Cleanup;
using Xunit;

namespace Benji.Tests.Operations.Cleanup;

/// <summary>What a pass reads at its beginning, and what goes by it.</summary>
public sealed class CleanupRootsTests : IAsyncLifetime
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    private CleanupWorld _world = null!;
    private CleanupProcess _process = null!;
    private CleanupProcess _other = null!;

    public async Task InitializeAsync()
    {
        _world = await CleanupWorld.OpenAsync();
        _process = await _world.StartAsync();
        _other = await _world.StartAsync();
        await _process.BackUpAsync("a", 1, contents => contents[0] = 1, new Random(1));
    }

    public async Task DisposeAsync()
    {
        await _process.DisposeAsync();
        await _other.DisposeAsync();
    }

    [Fact]
    public async Task AnOverlayOfAnUnknownVersionStopsTheCleanup()
    {
        await _process.WriteAsync(transaction => transaction.Overlays.Add(new OverlayRecord(
            Guid.NewGuid(), "o", Guid.NewGuid(), new VersionName("a", "gone"), _world.Clock.GetUtcNow())));
        await _process.RemoveAsync(new Random(0));

        var error = await Assert.ThrowsAsync<CatalogException>(() => _process.CleanUpAsync(TimeSpan.Zero));

        Assert.Contains("a/gone@o", error.Message, StringComparison.Ordinal);
        Assert.Single(_world.State.Blocks);
    }

    [Fact]
    public async Task WhatBecameUnneededAfterTheOldestRunBeganWaitsForItsEnd()
    {
        var run = await _other.AcquireAsync(LeaseResource.Volume("b"));
        var roots = await _process.ReadRootsAsync();

        Assert.True(roots.MayGo(run.Started - Second));
        Assert.False(roots.MayGo(run.Started));
        Assert.True(roots.IsSettled(run.Started - Second));
        Assert.False(roots.IsSettled(run.Started));
    }

    [Fact]
    public async Task TheGracePeriodHoldsForRowsAndObjects()
    {
        var now = _world.Clock.GetUtcNow();
        var roots = await _process.ReadRootsAsync();

        Assert.True(roots.MayGo(now) && roots.IsSettled(now));
        Assert.False(roots.MayGo(now + Second));
        Assert.False(roots.IsSettled(now + Second));
    }

    [Fact]
    public async Task ATimeAheadOfTheClockCountsAsTheTimeOfTheLookHoweverLongThePassTakes()
    {
        var ahead = _world.Clock.GetUtcNow() + TimeSpan.FromDays(3650);
        var roots = await _process.ReadRootsAsync();
        _world.Clock.Advance(3600 * Second);
        Assert.True(roots.MayGo(ahead) && roots.IsSettled(ahead) && roots.IsAhead(ahead));
        Assert.False(roots.IsAhead(_world.Clock.GetUtcNow() + (59 * Second)));

        // What was stored in the course of the pass is no such time, and waits for the next.
        Assert.False(roots.MayGo(_world.Clock.GetUtcNow()));

        var run = await _other.AcquireAsync(LeaseResource.Volume("b"));
        roots = await _process.ReadRootsAsync();
        Assert.False(roots.MayGo(ahead) || roots.IsSettled(ahead));
        Assert.True(roots.MayGo(run.Started - Second));
    }

    [Fact]
    public async Task ARunCountsFromItsIntentToo()
    {
        _world.Clock.Advance(10 * Second);
        var began = _world.Clock.GetUtcNow() - (5 * Second);
        var lease = await _other.AcquireAsync(LeaseResource.Volume("b"));
        await _other.WriteAsync(transaction => transaction.Intents.Put(NewIntent(CleanupWorld.Storage, lease.Fencing, began)));

        var roots = await _process.ReadRootsAsync();

        Assert.Equal(began, roots.OldestRun);
        Assert.False(roots.HasDeadRun);
    }

    [Fact]
    public async Task ADeadRunStopsTheDeletionsOfItsOwnStorageOnly()
    {
        await _process.WriteAsync(transaction => transaction.Intents.Put(NewIntent("other", 99, default)));
        var roots = await _process.ReadRootsAsync();
        Assert.Equal((false, null), (roots.HasDeadRun, roots.OldestRun));
        Assert.True(roots.MayGo(default));

        await _process.WriteAsync(transaction => transaction.Intents.Put(NewIntent(CleanupWorld.Storage, 99, default)));
        roots = await _process.ReadRootsAsync();
        Assert.Equal((true, DateTimeOffset.MinValue), (roots.HasDeadRun, roots.OldestRun));
        Assert.False(roots.MayGo(DateTimeOffset.MinValue));
    }

    [Fact]
    public async Task WhatIsFoundUnneededCountsFromAfterEveryLivingRunWhateverTheClockDid()
    {
        var run = await _other.AcquireAsync(LeaseResource.Volume("b"));
        _world.Clock.Advance(-10 * Second);

        var since = await _process.WriteAsync(transaction => CleanupRoots.Since(transaction, _world.Clock));

        Assert.True(since > run.Started);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task ADeltaOfAWholeBlockStaysWhileARunIsAlive(bool isAlive)
    {
        var delta = ObjectNames.Block(_world.IdOf(1), BlockForm.Delta);
        await _world.Objects.PutAsync(delta, new byte[10], CancellationToken.None);
        var scope = await _process.BeginCleanupAsync();
        var orphans = new CleanupOrphans(
            scope, await _process.ReadRootsAsync(), new CleanupCounts(NoProgress.Instance));
        if (isAlive)
        {
            // It began after the pass had read what is alive.
            await _other.AcquireAsync(LeaseResource.Volume("b"));
        }

        await orphans.RunAsync(CancellationToken.None);

        Assert.Equal(isAlive, _world.Objects[delta] is not null);
        Assert.Empty(_world.State.Claims);
    }

    [Fact]
    public async Task ADeltaThatIsNotSettledStays()
    {
        _world.Clock.Advance(Second);
        var delta = ObjectNames.Block(_world.IdOf(1), BlockForm.Delta);
        await _world.Objects.PutAsync(delta, new byte[10], CancellationToken.None);
        _world.Clock.Advance(-Second);
        var orphans = new CleanupOrphans(
            await _process.BeginCleanupAsync(), await _process.ReadRootsAsync(), new CleanupCounts(NoProgress.Instance));

        await orphans.RunAsync(CancellationToken.None);

        Assert.NotNull(_world.Objects[delta]);
    }

    [Theory]
    [InlineData(true, ReferenceState.Live)]
    [InlineData(false, ReferenceState.Orphan)]
    internal async Task TheDeltaOfABlockThatIsNotSoundStays(bool isInvalid, ReferenceState state)
    {
        var delta = ObjectNames.Block(_world.IdOf(1), BlockForm.Delta);
        await _world.Objects.PutAsync(delta, new byte[10], CancellationToken.None);
        await _process.WriteAsync(transaction =>
        {
            transaction.BlockReferences.SetInvalid([_world.IdOf(1)], isInvalid);
            transaction.BlockReferences.SetState([_world.IdOf(1)], state, default);
        });
        var marks = _world.State.AgeMarks.Count;
        var orphans = new CleanupOrphans(
            await _process.BeginCleanupAsync(), await _process.ReadRootsAsync(), new CleanupCounts(NoProgress.Instance));

        await orphans.RunAsync(CancellationToken.None);

        Assert.NotNull(_world.Objects[delta]);
        Assert.Equal(marks, _world.State.AgeMarks.Count);
    }

    [Fact]
    public async Task NothingIsRecordedAsAnOrphanWithoutTheLease()
    {
        await _world.Objects.PutAsync(
            ObjectNames.Block(_world.IdOf(7), BlockForm.Whole), new byte[10], CancellationToken.None);
        var scope = await _process.BeginCleanupAsync();
        var orphans = new CleanupOrphans(
            scope, await _process.ReadRootsAsync(), new CleanupCounts(NoProgress.Instance));
        await _process.LoseAsync(scope.Lease);

        await Assert.ThrowsAsync<LeaseLostException>(() => orphans.RunAsync(CancellationToken.None));

        Assert.Single(_world.State.Blocks);
    }

    private static Intent NewIntent(string storage, long fencing, DateTimeOffset began) => new(
        IntentKind.Publish, Guid.NewGuid(), new VersionName("b", "v"), storage, fencing, began);
}
