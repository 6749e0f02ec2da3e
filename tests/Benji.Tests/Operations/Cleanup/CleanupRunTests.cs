using Benji.Store.Blocks;
using Benji.Store.Blocks.Maps;
using Benji.Store.Blocks.Sealing;
using Benji.Store.Catalogs;
using Benji.Store.Model;
using Xunit;

namespace Benji.Tests.Operations.Cleanup;

/// <summary>Cleanups one after another. Each version here has two map pages, a leaf and the root.</summary>
public sealed class CleanupRunTests : IAsyncLifetime
{
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);

    private CleanupWorld _world = null!;

    public async Task InitializeAsync() => _world = await CleanupWorld.OpenAsync();

    public Task DisposeAsync() => Task.CompletedTask;

    [Fact]
    public async Task WhatARemovedVersionNeededGoesAfterTheGracePeriodOnly()
    {
        await using var process = await _world.StartAsync();
        await _world.BackUpAsync(process, (0, 1), (1, 2));
        await process.RemoveAsync(new Random(0));

        var first = await process.CleanUpAsync(Hour);
        Assert.Equal((0, 4), (first!.ObjectsDeleted, first.ObjectsWaiting));
        _world.Clock.Advance(Hour - TimeSpan.FromSeconds(1));
        Assert.Equal(0, (await process.CleanUpAsync(Hour))!.ObjectsDeleted);
        _world.Clock.Advance(TimeSpan.FromSeconds(2));
        var last = await process.CleanUpAsync(Hour);

        Assert.Equal((4, 0), (last!.ObjectsDeleted, last.ObjectsWaiting));
        Assert.True(last.BytesDeleted > 2 * BlockGeometry.PageSize / 100);
        Assert.Empty(_world.State.Blocks);
        Assert.Empty(_world.State.Pages);
        Assert.Equal(
            [ObjectNames.StoreFile],
            _world.Objects.Names.Where(name => !ObjectNames.TryParseAgeMark(name, out _)));
    }

    [Fact]
    public async Task WithoutAGracePeriodItGoesAtOnce()
    {
        await using var process = await _world.StartAsync();
        await _world.BackUpAsync(process, (0, 1));
        await _world.BackUpAsync(process, (0, 2));
        await process.RemoveAsync(new Random(0));

        var result = await process.CleanUpAsync(TimeSpan.Zero);

        Assert.Equal(3, result!.ObjectsDeleted);
        await _world.CheckAsync();
    }

    [Fact]
    public async Task TheLendersOfLendersStay()
    {
        await using var process = await _world.StartAsync();
        await _world.BackUpAsync(process, (0, CleanupWorld.Of(1, 1, 1, 1)));
        await _world.BackUpAsync(process, (0, CleanupWorld.Of(2, 1, 1, 1)));
        await _world.BackUpAsync(process, (0, CleanupWorld.Of(2, 2, 1, 1)));

        Assert.Equal(2, _world.State.Blocks[_world.IdOf(CleanupWorld.Of(2, 2, 1, 1))].Loans.Count);
        foreach (var version in _world.State.Versions.Values.Where(version => version.Root != _world.Newest.Root))
        {
            await process.RemoveAsync(version);
        }

        await process.CleanUpAsync(TimeSpan.Zero);
        await _world.CheckAsync();
        Assert.Equal(3, _world.State.Blocks.Count);
    }

    [Fact]
    public async Task NothingThatALiveBackupMayHaveMetGoes()
    {
        await using var process = await _world.StartAsync();
        await using var other = await _world.StartAsync();
        await _world.BackUpAsync(process, (0, 1));
        await process.RemoveAsync(new Random(0));
        Lease? lease = null;
        await other.WriteAsync(transaction =>
            Assert.True(transaction.Leases.TryAcquire("volume:b", LeaseMode.Exclusive, "test", out lease, out _)));

        var first = await process.CleanUpAsync(TimeSpan.Zero);
        Assert.Equal((0, 3), (first!.ObjectsDeleted, first.ObjectsWaiting));
        await other.WriteAsync(transaction => transaction.Leases.Release(lease!));
        _world.Clock.Advance(TimeSpan.FromSeconds(1));

        Assert.Equal(3, (await process.CleanUpAsync(TimeSpan.Zero))!.ObjectsDeleted);
    }

    [Fact]
    public async Task NothingGoesWhileADeadBackupMayStillAppear()
    {
        await using var process = await _world.StartAsync();
        await _world.BackUpAsync(process, (0, 1));
        await process.RemoveAsync(new Random(0));
        await process.CleanUpAsync(Hour);
        _world.Clock.Advance(2 * Hour);
        await using var recovering = await _world.StartAsync();
        var intent = new Intent(
            IntentKind.Publish,
            Guid.NewGuid(),
            new VersionName("b", "v"),
            CleanupWorld.Storage,
            Fencing: 99,
            _world.Clock.GetUtcNow());
        Lease? lease = null;
        await recovering.WriteAsync(transaction =>
        {
            transaction.Intents.Put(intent);

            // Somebody is about to find out whether it has a manifest.
            Assert.True(transaction.Leases.TryAcquire(
                LeaseResource.Version(intent.VersionId), LeaseMode.Exclusive, "test", out lease, out _));
        });

        Assert.Equal(0, (await process.CleanUpAsync(TimeSpan.Zero))!.ObjectsDeleted);
        await recovering.WriteAsync(transaction => transaction.Leases.Release(lease!));

        Assert.Equal(3, (await process.CleanUpAsync(TimeSpan.Zero))!.ObjectsDeleted);
    }

    [Fact]
    public async Task ObjectsWithoutARowAreFoundAndGo()
    {
        await using var process = await _world.StartAsync();
        await _world.BackUpAsync(process, (0, 1));
        await _world.Objects.PutAsync(
            ObjectNames.Block(_world.IdOf(7), BlockForm.Whole), new byte[10], CancellationToken.None);
        await _world.Objects.PutAsync(
            ObjectNames.Page(new PageId(_world.IdOf(8).Hash)), new byte[20], CancellationToken.None);

        var waiting = await process.CleanUpAsync(Hour);
        Assert.Equal(0, waiting!.OrphansFound);
        _world.Clock.Advance(2 * Hour);
        var found = await process.CleanUpAsync(Hour);
        Assert.Equal((2, 2, 0), (found!.OrphansFound, found.ObjectsWaiting, found.ObjectsDeleted));
        _world.Clock.Advance(2 * Hour);
        var gone = await process.CleanUpAsync(Hour);

        Assert.Equal((0, 0, 2, 30), (gone!.OrphansFound, gone.ObjectsWaiting, gone.ObjectsDeleted, gone.BytesDeleted));
        await _world.CheckAsync();
    }

    [Fact]
    public async Task ADeltaOfABlockThatStandsWholeGoes()
    {
        await using var process = await _world.StartAsync();
        await _world.BackUpAsync(process, (0, 1));
        var delta = ObjectNames.Block(_world.IdOf(1), BlockForm.Delta);
        await _world.Objects.PutAsync(delta, new byte[10], CancellationToken.None);
        _world.Clock.Advance(2 * Hour);

        var result = await process.CleanUpAsync(Hour);

        Assert.Equal((1, 10), (result!.ObjectsDeleted, result.BytesDeleted));
        Assert.Null(_world.Objects[delta]);
        await _world.CheckAsync();
    }

    [Fact]
    public async Task DeletionsThatADeadCleanupBeganAreFinishedWhateverTheGracePeriod()
    {
        await using var process = await _world.StartAsync();
        await _world.BackUpAsync(process, (0, 1), (1, 2));
        await process.RemoveAsync(new Random(0));
        BlockId[] blocks = [_world.IdOf(1), _world.IdOf(2)];
        await process.WriteAsync(transaction => ClaimedDeletion.Begin(
            transaction, CleanupWorld.Storage, blocks, [], _world.Clock.GetUtcNow()));
        var stored = _world.State.Blocks.Values.Sum(row => row.StoredLength);

        var result = await process.CleanUpAsync(Hour);

        Assert.Equal((2, stored), (result!.ObjectsDeleted, result.BytesDeleted));
        Assert.Empty(_world.State.Blocks);
        Assert.Empty(_world.State.Claims);
    }

    [Fact]
    public async Task RowsInDeletingThatNoClaimNamesGoToo()
    {
        await using var process = await _world.StartAsync();
        await _world.BackUpAsync(process, (0, 1));
        await process.RemoveAsync(new Random(0));
        await process.WriteAsync(transaction => transaction.BlockReferences.SetState(
            [_world.IdOf(1)], ReferenceState.Deleting, _world.Clock.GetUtcNow()));

        Assert.Equal(1, (await process.CleanUpAsync(Hour))!.ObjectsDeleted);
        Assert.Empty(_world.State.Blocks);
    }

    [Fact]
    public async Task ACandidateThatAVersionReachesIsLiveAgain()
    {
        await using var process = await _world.StartAsync();
        await _world.BackUpAsync(process, (0, 1));
        await process.WriteAsync(transaction =>
        {
            transaction.BlockReferences.SetState([_world.IdOf(1)], ReferenceState.Candidate, default);
            transaction.BlockMaps.SetState([_world.Newest.Root], ReferenceState.Orphan, default);
        });

        await process.CleanUpAsync(TimeSpan.Zero);

        Assert.All(_world.State.Blocks.Values, row => Assert.Equal(ReferenceState.Live, row.State));
        Assert.All(_world.State.Pages.Values, row => Assert.Equal(ReferenceState.Live, row.State));
        await _world.CheckAsync();
    }

    [Fact]
    public async Task ALenderThatOnlyTheObjectOfAnOrphanTellsOfStays()
    {
        await using var process = await _world.StartAsync();
        var (lender, orphan) = (CleanupWorld.Of(1, 1, 1, 1), CleanupWorld.Of(2, 1, 1, 1));
        await _world.BackUpAsync(process, (0, lender));
        await _world.BackUpAsync(process, (0, orphan));
        await process.RemoveAsync(_world.State.Versions.Values.Single(version => version.Id != _world.Newest.Id));
        var row = _world.State.Blocks[_world.IdOf(orphan)];
        Assert.Equal([_world.IdOf(lender)], row.Lenders);
        await process.WriteAsync(transaction =>
        {
            transaction.BlockReferences.Put([row with { Loans = [], Own = null, Length = 0, State = ReferenceState.Orphan }]);
            transaction.BlockReferences.SetState([_world.IdOf(lender)], ReferenceState.Candidate, default);
        });

        await process.CleanUpAsync(TimeSpan.Zero);

        await _world.CheckAsync();
    }

    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    public async Task TheLendersOfAnOrphanThatAVersionReachesStay(int orphan)
    {
        await using var process = await _world.StartAsync();
        int[] contents =
            [CleanupWorld.Of(1, 1, 1, 1), CleanupWorld.Of(2, 1, 1, 1), CleanupWorld.Of(2, 2, 1, 1), CleanupWorld.Of(2, 2, 2, 2)];
        foreach (var content in contents[..3])
        {
            await _world.BackUpAsync(process, (0, content));
        }

        await _world.BackUpAsync(process, (0, contents[3]), (1, contents[2]));
        foreach (var version in _world.State.Versions.Values.Where(version => version.Id != _world.Newest.Id))
        {
            await process.RemoveAsync(version);
        }

        // As a listing records an object that no row knows.
        var row = _world.State.Blocks[_world.IdOf(contents[orphan - 1])];
        await process.WriteAsync(transaction =>
        {
            transaction.BlockReferences.Put([row with { Loans = [], Own = null, Length = 0, State = ReferenceState.Orphan }]);

            // As a pass leaves what nobody was known to need.
            transaction.BlockReferences.SetState(
                [.. contents[..(orphan - 1)].Select(_world.IdOf)], ReferenceState.Candidate, default);
        });

        await process.CleanUpAsync(TimeSpan.Zero);

        await _world.CheckAsync();
    }

    [Fact]
    public async Task SmallSetsGiveTheSameResult()
    {
        await using var process = await _world.StartAsync();
        var random = new Random(11);
        for (var version = 0; version < 8; version++)
        {
            await _world.BackUpAsync(process, [.. Enumerable.Range(0, 40)
                .Select(_ => (random.NextInt64(5000), random.Next(1, 256))).DistinctBy(change => change.Item1)]);
        }

        for (var i = 0; i < 3; i++)
        {
            await process.RemoveAsync(random);
        }

        await process.CleanUpAsync(TimeSpan.Zero, new MarkSets(32, 64), lendersMax: 2);

        await _world.CheckAsync();
        await _world.CheckExactAsync();
    }

}
