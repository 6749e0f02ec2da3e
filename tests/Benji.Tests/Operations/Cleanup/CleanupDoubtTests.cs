using Benji.Store.Blocks.Age;
using Benji.Store.Blocks.Sealing;
using Benji.Store.Catalogs;
using Benji.Store.Model;
using Benji.Testing.Catalogs;
using Benji.Testing.Storages;
using Xunit;

namespace Benji.Tests.Operations.Cleanup;

/// <summary>What a complete pass settles, and what it must not.</summary>
public sealed class CleanupDoubtTests : IAsyncLifetime
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);

    private CleanupWorld _world = null!;
    private CleanupProcess _process = null!;
    private HookedCatalog _catalog = null!;
    private Func<StorageCall, Fault?> _fault = _ => null;
    private DateTimeOffset _doubt;

    private StorageBinding Binding => _world.State.Bindings[CleanupWorld.Storage];

    public async Task InitializeAsync()
    {
        _world = await CleanupWorld.OpenAsync();
        _process = await _world.StartAsync(
            catalog => _catalog = new HookedCatalog(catalog), storage => new FaultyStorage(storage, call => _fault(call)));
        await _process.BackUpAsync("a", 1, contents => contents[0] = 1, new Random(1));
        _doubt = _world.Clock.GetUtcNow();
        await DoubtAsync(_doubt);
        _world.Clock.Advance(Hour);
    }

    public Task DisposeAsync() => _process.DisposeAsync().AsTask();

    [Fact]
    public async Task WithoutARunNothingIsInDoubtAnyMore()
    {
        await ReserveAsync("main", 99);
        await ReserveAsync("other", 99);
        Assert.Equal((_doubt, true), (Binding.DoubtFrom, Binding.HoldsStrays));

        await _process.CleanUpAsync(Hour);

        Assert.Equal((null, false), (Binding.DoubtFrom, Binding.HoldsStrays));
        Assert.Equal("other", Assert.Single(_world.State.Reservations.Values).Storage);
    }

    [Fact]
    public async Task WhileARunIsAliveWhatIsAsYoungAsItStaysInDoubt()
    {
        await using var other = await _world.StartAsync();
        var run = await other.AcquireAsync(LeaseResource.Volume("b"));
        await ReserveAsync("main", 99);
        _world.Clock.Advance(Second);

        await _process.CleanUpAsync(Hour);

        Assert.Equal((run.Started, true), (Binding.DoubtFrom, Binding.HoldsStrays));
        Assert.NotEmpty(_world.State.Reservations);
    }

    [Fact]
    public async Task ARunThatIsOlderThanTheDoubtLeavesItAsItIs()
    {
        await using var other = await _world.StartAsync();
        _world.Clock.Advance(-2 * Hour);
        await other.AcquireAsync(LeaseResource.Volume("b"));
        _world.Clock.Advance(3 * Hour);

        await _process.CleanUpAsync(Hour);

        Assert.Equal((_doubt, true), (Binding.DoubtFrom, Binding.HoldsStrays));
    }

    [Fact]
    public async Task TheReservationOfALivingRunStays()
    {
        var lease = await _process.AcquireAsync("anything");
        await ReserveAsync("main", lease.Fencing);

        await _process.CleanUpAsync(Hour);

        Assert.NotEmpty(_world.State.Reservations);
    }

    [Fact]
    public async Task ARunThatFailsDuringThePassKeepsTheDoubt()
    {
        // It began and failed between the pass's read and its end; its doubt does not show beside the older one.
        _fault = call => call is { Kind: StorageCallKind.List, Name: ObjectNames.BlockPrefix }
            ? new Fault { Gate = DoubtAsync(_world.Clock.GetUtcNow()) }
            : null;
        await ReserveAsync("main", 99);

        await _process.CleanUpAsync(Hour);
        Assert.Equal((_doubt, true), (Binding.DoubtFrom, Binding.HoldsStrays));
        Assert.NotEmpty(_world.State.Reservations);

        _fault = _ => null;
        await _process.CleanUpAsync(Hour);
        Assert.Equal((null, false), (Binding.DoubtFrom, Binding.HoldsStrays));
        Assert.Empty(_world.State.Reservations);
    }

    [Fact]
    public async Task AnObjectThatIsTooYoungForARowStaysAStray()
    {
        await _world.Objects.PutAsync(
            ObjectNames.Block(_world.IdOf(7), BlockForm.Delta), new byte[10], CancellationToken.None);
        await ReserveAsync("main", 99);

        await _process.CleanUpAsync(Hour);
        Assert.Equal((null, true), (Binding.DoubtFrom, Binding.HoldsStrays));
        Assert.NotEmpty(_world.State.Reservations);

        _world.Clock.Advance(2 * Hour);
        await _process.CleanUpAsync(Hour);
        Assert.Equal(ReferenceState.Orphan, _world.State.Blocks[_world.IdOf(7)].State);
        Assert.False(Binding.HoldsStrays);
        Assert.Empty(_world.State.Reservations);
    }

    [Theory]
    [InlineData(ObjectNames.BlockPrefix)]
    [InlineData(ObjectNames.PagePrefix)]
    public async Task APassThatFailsSettlesNothing(string prefix)
    {
        _fault = call => call.Kind == StorageCallKind.List && call.Name == prefix ? Fault.Permanent() : null;

        await Assert.ThrowsAsync<StorageException>(() => _process.CleanUpAsync(Hour));

        Assert.Equal((_doubt, true), (Binding.DoubtFrom, Binding.HoldsStrays));
    }

    [Fact]
    public async Task WithoutTheLeaseNothingIsSettled()
    {
        _fault = call => call is { Kind: StorageCallKind.List, Name: ObjectNames.PagePrefix }
            ? new Fault
            {
                Gate = _process.LoseAsync(_world.State.Leases.Values.Single(lease => lease.Resource == LeaseResource.Cleanup)),
            }
            : null;

        // Without pages nothing else is written after the listing of blocks.
        var version = _world.State.Versions.Values.Single();
        await _process.WriteAsync(transaction =>
        {
            transaction.BlockMaps.Remove([version.Root]);
            transaction.Versions.Remove(version.Id);
        });
        await _world.Objects.DeleteAsync(
            [ObjectNames.Page(version.Root), ObjectNames.Manifest(version.Name)], CancellationToken.None);

        await Assert.ThrowsAsync<LeaseLostException>(() => _process.CleanUpAsync(Hour));

        Assert.Equal((_doubt, true), (Binding.DoubtFrom, Binding.HoldsStrays));
    }

    [Fact]
    public async Task WithNothingInDoubtNothingIsWritten()
    {
        await _process.CleanUpAsync(Hour);
        var generation = _world.State;

        await _process.CleanUpAsync(Hour);

        Assert.Same(generation.Bindings, _world.State.Bindings);
    }

    private Task DoubtAsync(DateTimeOffset began) => _process.WriteAsync(
        transaction => AgeLedger.Doubt(transaction, CleanupWorld.Storage, began));

    private Task ReserveAsync(string storage, long fencing) => _process.WriteAsync(
        transaction => transaction.DeltaReservations.Put(
            new DeltaReservation(Guid.NewGuid(), storage, fencing, [_world.IdOf(5)])));
}
