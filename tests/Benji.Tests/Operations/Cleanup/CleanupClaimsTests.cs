using Benji.Store.Blocks.Sealing;
using Benji.Store.Catalogs;
using Benji.Store.Model;
using Benji.Store.Operations;
using Benji.Store.Operations.Cleanup;
using Benji.Testing.Catalogs;
using Xunit;

namespace Benji.Tests.Operations.Cleanup;

/// <summary>What a cleanup claims of the rows that were judged, and when it looks at them again.</summary>
public sealed class CleanupClaimsTests : IAsyncLifetime
{
    private readonly CleanupCounts _counts = new(NoProgress.Instance);
    private CleanupWorld _world = null!;
    private CleanupProcess _process = null!;
    private CleanupScope _scope = null!;
    private CleanupClaims _claims = null!;

    public async Task InitializeAsync()
    {
        _world = await CleanupWorld.OpenAsync();
        _process = await _world.StartAsync();
        await _process.BackUpAsync("a", 2, contents => (contents[0], contents[1]) = (1, 2), new Random(1));
        _scope = await _process.BeginCleanupAsync();
        _claims = new CleanupClaims(_scope, new CleanupBlocks(), _counts);
    }

    public Task DisposeAsync() => _process.DisposeAsync().AsTask();

    [Fact]
    public async Task WhatWasGatheredGoesWithOneClaim()
    {
        await _claims.AddAsync(await JudgeAsync(1), CancellationToken.None);
        await _claims.AddAsync(await JudgeAsync(2), CancellationToken.None);
        Assert.Equal(2, _world.State.Blocks.Count);
        var marks = _world.State.AgeMarks.Count;

        await _claims.FlushAsync(CancellationToken.None);
        await _claims.FlushAsync(CancellationToken.None);

        Assert.Empty(_world.State.Blocks);
        Assert.Equal(marks + 1, _world.State.AgeMarks.Count);
        Assert.Equal(2, _counts.Deleted);
    }

    [Fact]
    public async Task ARowThatChangedSinceItWasJudgedStays()
    {
        await _claims.AddAsync(await JudgeAsync(1), CancellationToken.None);
        await _claims.AddAsync(await JudgeAsync(2), CancellationToken.None);

        // A backup met it.
        await _process.WriteAsync(transaction => transaction.BlockReferences.SetState(
            [_world.IdOf(1)], ReferenceState.Live, _world.Clock.GetUtcNow()));
        await _claims.FlushAsync(CancellationToken.None);

        Assert.Equal(ReferenceState.Live, Assert.Single(_world.State.Blocks.Values).State);
        Assert.NotNull(ObjectOf(1));
        Assert.Null(ObjectOf(2));
    }

    [Theory]
    [InlineData(ReferenceState.Orphan, false)]
    [InlineData(ReferenceState.Candidate, true)]
    internal async Task ARowThatARunReplacesStaysWhileOneIsAlive(ReferenceState state, bool isInvalid)
    {
        await _process.WriteAsync(
            transaction => transaction.BlockReferences.SetInvalid([_world.IdOf(1)], isInvalid));
        await _claims.AddAsync(await JudgeAsync(1, state), CancellationToken.None);
        await using var other = await _world.StartAsync();
        var run = await other.AcquireAsync(LeaseResource.Volume("b"));

        await _claims.FlushAsync(CancellationToken.None);
        Assert.Equal(2, _world.State.Blocks.Count);
        Assert.Equal(1, _counts.Waiting);
        Assert.NotNull(ObjectOf(1));

        await other.LoseAsync(run);
        await _claims.AddAsync(await JudgeAsync(1, state), CancellationToken.None);
        await _claims.FlushAsync(CancellationToken.None);
        Assert.Null(ObjectOf(1));
    }

    [Fact]
    public async Task NothingIsClaimedWithoutTheLease()
    {
        await _claims.AddAsync(await JudgeAsync(1), CancellationToken.None);
        await _process.LoseAsync(_scope.Lease);

        await Assert.ThrowsAsync<LeaseLostException>(() => _claims.FlushAsync(CancellationToken.None));

        Assert.Equal(ReferenceState.Candidate, _world.State.Blocks[_world.IdOf(1)].State);
        Assert.Empty(_world.State.Claims);
    }

    [Fact]
    public async Task NobodysRowIsMovedWithoutTheLease()
    {
        var sweep = new CleanupSweep(
            _scope,
            await _process.ReadRootsAsync(),
            new CleanupBlocks(),
            _claims,
            _ => false,
            _counts);
        await _process.LoseAsync(_scope.Lease);

        await Assert.ThrowsAsync<LeaseLostException>(
            () => sweep.RunAsync(default, _ => false, CancellationToken.None));

        Assert.All(_world.State.Blocks.Values, row => Assert.Equal(ReferenceState.Live, row.State));
    }

    [Fact]
    public async Task ARowThatChangedSinceItWasJudgedIsNotMoved()
    {
        var catalog = new InterruptedCatalog(_world.OpenCatalog());
        var sweep = new CleanupSweep(
            new CleanupScope(catalog, _scope.Store, _scope.Lease, _scope.Time),
            await _process.ReadRootsAsync(),
            new CleanupBlocks(),
            _claims,
            _ => false,
            _counts);

        // A backup meets it between the look and the transaction.
        catalog.Interrupt(1, () => _process.WriteAsync(transaction => transaction.BlockReferences.SetState(
            [_world.IdOf(1)], ReferenceState.Live, _world.Clock.GetUtcNow() + TimeSpan.FromSeconds(1))));
        await sweep.RunAsync(default, _ => false, CancellationToken.None);

        Assert.True(catalog.Stop());
        Assert.Equal(ReferenceState.Live, _world.State.Blocks[_world.IdOf(1)].State);
        Assert.Equal(ReferenceState.Candidate, _world.State.Blocks[_world.IdOf(2)].State);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task NothingIsAdoptedWithoutTheLease(bool isPage)
    {
        var page = Assert.Single(_world.State.Pages.Keys);
        ICleanupTable table = isPage ? new CleanupPages() : new CleanupBlocks();
        await _process.WriteAsync(transaction =>
        {
            transaction.BlockReferences.SetState([_world.IdOf(1)], ReferenceState.Orphan, default);
            transaction.BlockMaps.SetState([page], ReferenceState.Orphan, default);
        });
        await _process.LoseAsync(_scope.Lease);

        await Assert.ThrowsAsync<LeaseLostException>(() => table.AdoptAsync(
            _scope, isPage ? page.Hash : _world.IdOf(1).Hash, CancellationToken.None));

        Assert.Equal(ReferenceState.Orphan, _world.State.Blocks[_world.IdOf(1)].State);
        Assert.Equal(ReferenceState.Orphan, _world.State.Pages[page].State);
    }

    // As the row of an unneeded block is read and judged.
    private async Task<CleanupRow> JudgeAsync(int content, ReferenceState state = ReferenceState.Candidate)
    {
        var id = _world.IdOf(content);
        return await _process.WriteAsync(transaction =>
        {
            transaction.BlockReferences.SetState([id], state, default);
            return Assert.Single(new CleanupBlocks().Find(transaction, [id.Hash]));
        });
    }

    private byte[]? ObjectOf(int content) => _world.Objects[ObjectNames.Block(_world.IdOf(content), BlockForm.Whole)];
}
