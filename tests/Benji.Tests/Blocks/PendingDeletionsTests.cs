using Benji.Store.Blocks;
using Benji.Store.Blocks.Opening;
using Benji.Store.Blocks.Sealing;
using Benji.Store.Catalogs;
using Benji.Store.Catalogs.LiteDb;
using Benji.Store.Model;
using Benji.Testing;
using Benji.Testing.Storages;
using Benji.Tests.Operations.Cleanup;
using Xunit;

namespace Benji.Tests.Blocks;

public sealed class PendingDeletionsTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task AWriterGoesOnWhenTheCleanupItWaitsForDiesWithoutAnotherCommit()
    {
        using var directory = new TemporaryDirectory();
        await using var store = await OpenStoreAsync();
        var id = new BlockId(new Hash256(Enumerable.Repeat((byte)7, Hash256.Size).ToArray()));
        await using var writing = await OpenCatalogAsync(directory);
        var cleaning = await OpenCatalogAsync(directory);
        await cleaning.WriteAsync(
            transaction =>
            {
                Assert.True(transaction.Leases.TryAcquire(
                    LeaseResource.Cleanup, LeaseMode.Exclusive, "cleanup", out _, out _));
                transaction.BlockReferences.Put([new BlockRow(
                    id, "main", BlockForm.Whole, 1, 1, 1, [], null, false, ReferenceState.Deleting, DateTimeOffset.UnixEpoch)]);
                return true;
            },
            CancellationToken.None);

        var wait = new PendingDeletions(store, writing, TimeProvider.System).WaitAsync([id], CancellationToken.None);
        await Assert.ThrowsAsync<TimeoutException>(() => wait.WaitAsync(TimeSpan.FromMilliseconds(200)));

        // Closing the instance frees its kernel lock and commits nothing, as a kill does.
        await cleaning.DisposeAsync();
        await wait.WaitAsync(Limit);
        Assert.Null((await writing.ReadAsync(
            transaction => transaction.BlockReferences.Find([id]), CancellationToken.None))[0]);
    }

    [Fact]
    public async Task AWriterFinishesAllOfWhatADeadCleanupClaimed()
    {
        var world = await CleanupWorld.OpenAsync();
        await using var process = await world.StartAsync();
        await process.BackUpAsync("a", 2, contents => (contents[0], contents[1]) = (1, 2), new Random(1));
        await process.WriteAsync(transaction => ClaimedDeletion.Begin(
            transaction, CleanupWorld.Storage, [world.IdOf(1), world.IdOf(2)], [], world.Clock.GetUtcNow()));

        await NewDeletions(process).WaitAsync([world.IdOf(1)], CancellationToken.None);

        Assert.Empty(world.State.Blocks);
        Assert.Empty(world.State.Claims);
        Assert.Empty(world.State.Leases);
        Assert.Null(world.Objects[ObjectNames.Block(world.IdOf(2), BlockForm.Whole)]);
    }

    [Fact]
    public async Task RowsThatNoClaimNamesAreClaimedByWhoeverWaitsForThem()
    {
        var world = await CleanupWorld.OpenAsync();
        await using var process = await world.StartAsync();
        var version = await process.BackUpAsync(
            "a", 2, contents => (contents[0], contents[1]) = (1, 2), new Random(1));
        BlockId[] blocks = [world.IdOf(1), world.IdOf(2)];
        await process.WriteAsync(transaction =>
        {
            transaction.BlockReferences.SetState(blocks, ReferenceState.Deleting, default);
            transaction.BlockMaps.SetState([version!.Root], ReferenceState.Deleting, default);
            ClaimedDeletion.BeginSuperseded(transaction, CleanupWorld.Storage, blocks, world.Clock.GetUtcNow());
        });

        await NewDeletions(process).WaitAsync(blocks, CancellationToken.None);
        await NewDeletions(process).WaitAsync([version!.Root], CancellationToken.None);

        Assert.Empty(world.State.Blocks);
        Assert.Empty(world.State.Pages);
        Assert.Empty(world.State.Claims);
    }

    [Fact]
    public async Task WhoIsRefusedOnTheWayEndsWithTheRefusal()
    {
        var world = await CleanupWorld.OpenAsync();
        await using var process = await world.StartAsync();
        await process.BackUpAsync("a", 1, contents => contents[0] = 1, new Random(1));
        await process.WriteAsync(transaction => ClaimedDeletion.Begin(
            transaction, CleanupWorld.Storage, [world.IdOf(1)], [], world.Clock.GetUtcNow()));
        await world.Objects.PutAsync(
            ObjectNames.AgeMark(new AgeMark(9, Guid.NewGuid())), new byte[1], CancellationToken.None);

        await Assert.ThrowsAsync<AgeMismatchException>(
            () => NewDeletions(process).WaitAsync([world.IdOf(1)], CancellationToken.None));

        Assert.Empty(world.State.Leases);
        Assert.NotNull(world.Objects[ObjectNames.Block(world.IdOf(1), BlockForm.Whole)]);
    }

    private static PendingDeletions NewDeletions(CleanupProcess process) =>
        new(process.Store, process.Context.Catalog, process.Context.Time);

    private static Task<LiteDbCatalog> OpenCatalogAsync(TemporaryDirectory directory) =>
        LiteDbCatalog.OpenAsync(
            new LiteDbCatalogOptions { Path = directory["catalog.db"], Create = true }, CancellationToken.None);

    private static Task<OpenedStore> OpenStoreAsync() =>
        OpenedStore.OpenAsync(
            new StoreOpening
            {
                Name = "main",
                Storage = new MemoryStorage(),
                MayCreate = true,
                Pool = new BlockBufferPool(1024 * 1024),
                Time = TimeProvider.System,
            },
            CancellationToken.None);
}
