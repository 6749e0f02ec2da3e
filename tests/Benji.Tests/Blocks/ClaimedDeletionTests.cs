using Benji.Store.Blocks;
using Benji.Store.Blocks.Sealing;
using Benji.Store.Catalogs;
using Benji.Store.Model;
using Benji.Testing.Storages;
using Benji.Tests.Operations.Cleanup;
using Xunit;

namespace Benji.Tests.Blocks;

/// <summary>What stands before and after each step of a deletion.</summary>
public sealed class ClaimedDeletionTests
{
    private const int Content = 1;

    // What happens at a call of the storage that deletes, while a test decides.
    private readonly Dictionary<StorageCallKind, Func<StorageCall, Fault?>> _faults = [];
    private CleanupWorld _world = null!;
    private CleanupProcess _process = null!;
    private Lease _lease = null!;
    private VersionRecord _version = null!;

    private BlockId Block => _world.IdOf(Content);

    private PageId Page => _version.Root;

    [Fact]
    public async Task RowsObjectsAndClaimGoTogether()
    {
        await ClaimAsync();
        Assert.Equal(ReferenceState.Deleting, _world.State.Blocks[Block].State);
        Assert.Equal(ReferenceState.Deleting, _world.State.Pages[Page].State);

        var deleted = await FinishAsync();

        Assert.Equal([Block], deleted!.Blocks);
        Assert.Equal([Page], deleted.Pages);
        Assert.False(_world.State.Blocks.ContainsKey(Block));
        Assert.False(_world.State.Pages.ContainsKey(Page));
        Assert.False(AreObjectsThere());
        Assert.Empty(_world.State.Claims);
        Assert.Null(await FinishAsync());
    }

    [Fact]
    public async Task TheMarkIsThereBeforeTheFirstObjectGoesAndRequiredAfterTheLast()
    {
        await ClaimAsync();
        var claim = _world.State.Claims[CleanupWorld.Storage];
        Assert.Equal(AgeMarkState.Pending, _world.State.AgeMarks[claim.Mark].State);
        Assert.NotEmpty(claim.Over);
        var wasMarked = false;
        _faults[StorageCallKind.Delete] = _ =>
        {
            wasMarked = IsMarked(claim.Mark);
            return null;
        };

        await FinishAsync();

        Assert.True(wasMarked);
        Assert.Equal(AgeMarkState.Required, _world.State.AgeMarks[claim.Mark].State);
        Assert.All(claim.Over, mark => Assert.Equal(AgeMarkState.Retired, _world.State.AgeMarks[mark].State));
    }

    [Fact]
    public async Task WhatIsRefusedDeletesNothingAndTakesItsMarkBack()
    {
        await ClaimAsync();
        var claim = _world.State.Claims[CleanupWorld.Storage];
        var foreign = ObjectNames.AgeMark(new AgeMark(7, Guid.NewGuid()));
        await _world.Objects.PutAsync(foreign, new byte[1], CancellationToken.None);

        await Assert.ThrowsAsync<AgeMismatchException>(FinishAsync);

        Assert.True(AreObjectsThere());
        Assert.False(IsMarked(claim.Mark));
        Assert.Equal(claim, _world.State.Claims[CleanupWorld.Storage]);
        Assert.Equal(ReferenceState.Deleting, _world.State.Blocks[Block].State);

        await _world.Objects.DeleteAsync([foreign], CancellationToken.None);
        Assert.NotNull(await FinishAsync());
    }

    [Fact]
    public async Task AMarkThatCannotBeTakenBackIsSaidWithTheRefusal()
    {
        await ClaimAsync();
        await _world.Objects.PutAsync(
            ObjectNames.AgeMark(new AgeMark(7, Guid.NewGuid())), new byte[1], CancellationToken.None);
        _faults[StorageCallKind.Delete] = _ => Fault.Permanent();

        var refusal = await Assert.ThrowsAsync<AgeMismatchException>(FinishAsync);

        Assert.Contains("could not be taken back", refusal.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(StorageCallKind.Put)]
    [InlineData(StorageCallKind.List)]
    [InlineData(StorageCallKind.Delete)]
    internal async Task WhatFailedIsFinishedByTheNext(StorageCallKind kind)
    {
        await ClaimAsync();
        _faults[kind] = _ => Fault.Permanent();

        await Assert.ThrowsAsync<StorageException>(FinishAsync);

        Assert.True(AreObjectsThere());
        Assert.NotEmpty(_world.State.Claims);
        Assert.Equal(ReferenceState.Deleting, _world.State.Blocks[Block].State);

        _faults.Clear();
        Assert.NotNull(await FinishAsync());
        Assert.False(AreObjectsThere());
        Assert.Empty(_world.State.Claims);
    }

    [Fact]
    public async Task WhoLostTheLeaseBeforeDoesNotEvenPutTheMark()
    {
        await ClaimAsync();
        await _process.LoseAsync(_lease);

        await Assert.ThrowsAsync<LeaseLostException>(FinishAsync);

        Assert.False(IsMarked(_world.State.Claims[CleanupWorld.Storage].Mark));
    }

    [Fact]
    public async Task WhoLosesTheLeaseOnTheWayDeletesNothing()
    {
        await ClaimAsync();
        _faults[StorageCallKind.List] = _ => new Fault { Gate = _process.LoseAsync(_lease) };

        await Assert.ThrowsAsync<LeaseLostException>(FinishAsync);

        Assert.True(AreObjectsThere());
    }

    [Fact]
    public async Task WhoLosesTheLeaseWhileObjectsGoLeavesTheRowsToTheNext()
    {
        await ClaimAsync();
        _faults[StorageCallKind.Delete] = _ => new Fault { Gate = _process.LoseAsync(_lease) };

        await Assert.ThrowsAsync<LeaseLostException>(FinishAsync);

        Assert.NotEmpty(_world.State.Claims);
        Assert.True(_world.State.Blocks.ContainsKey(Block));
    }

    [Fact]
    public async Task ASupersededDeltaGoesAndItsRowStays()
    {
        await ClaimSupersededAsync();

        Assert.Equal([Block], (await FinishAsync())!.Deltas);

        Assert.Null(_world.Objects[ObjectNames.Block(Block, BlockForm.Delta)]);
        Assert.NotNull(_world.Objects[ObjectNames.Block(Block, BlockForm.Whole)]);
        Assert.Equal(ReferenceState.Live, _world.State.Blocks[Block].State);
    }

    [Fact]
    public async Task ADeltaStaysWhereTheWholeBlockWasFoundDamagedSince()
    {
        await ClaimSupersededAsync();
        await _process.WriteAsync(transaction => transaction.BlockReferences.SetInvalid([Block], isInvalid: true));

        Assert.Empty((await FinishAsync())!.Deltas);

        Assert.NotNull(_world.Objects[ObjectNames.Block(Block, BlockForm.Delta)]);
        Assert.Empty(_world.State.Claims);
    }

    private async Task ClaimAsync()
    {
        await OpenAsync();
        await _process.WriteAsync(transaction => ClaimedDeletion.Begin(
            transaction, CleanupWorld.Storage, [Block], [Page], _world.Clock.GetUtcNow()));
    }

    private async Task ClaimSupersededAsync()
    {
        await OpenAsync();
        await _world.Objects.PutAsync(ObjectNames.Block(Block, BlockForm.Delta), new byte[1], CancellationToken.None);
        await _process.WriteAsync(transaction => ClaimedDeletion.BeginSuperseded(
            transaction, CleanupWorld.Storage, [Block], _world.Clock.GetUtcNow()));
    }

    private async Task OpenAsync()
    {
        _world = await CleanupWorld.OpenAsync();
        _process = await _world.StartAsync(wrapStorage: storage => new FaultyStorage(
            storage, call => _faults.TryGetValue(call.Kind, out var fault) ? fault(call) : null));
        _version = (await _process.BackUpAsync("a", 1, contents => contents[0] = Content, new Random(1)))!;
        _lease = await _process.AcquireAsync(LeaseResource.Cleanup);
    }

    private Task<DeletionClaim?> FinishAsync() =>
        new ClaimedDeletion(_process.Store, _process.Context.Catalog, _world.Clock)
            .FinishAsync(_lease, CancellationToken.None);

    private bool AreObjectsThere() =>
        _world.Objects[ObjectNames.Block(Block, BlockForm.Whole)] is not null
        && _world.Objects[ObjectNames.Page(Page)] is not null;

    private bool IsMarked(AgeMark mark) => _world.Objects[ObjectNames.AgeMark(mark)] is not null;
}
