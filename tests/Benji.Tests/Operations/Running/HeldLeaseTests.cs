using Benji.Store.Catalogs;
using Benji.Store.Model;
using Benji.Store.Operations.Running;
using Benji.Testing;
using Benji.Testing.Catalogs;
using Xunit;

namespace Benji.Tests.Operations.Running;

/// <summary>A lease for as long as somebody holds it: renewed, lost and given up.</summary>
public sealed class HeldLeaseTests : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly ManualClock _time = new();
    private readonly HeldClock _timers = new();
    private readonly MemoryCatalog _catalog;
    private readonly WatchedCatalog _watched;

    public HeldLeaseTests()
    {
        _catalog = new MemoryCatalog(new MemoryCatalogPlace(_time));
        _watched = new WatchedCatalog(_catalog);
    }

    public async ValueTask DisposeAsync()
    {
        await _watched.DisposeAsync();
        await _catalog.DisposeAsync();
    }

    [Fact]
    public async Task ALeaseThatWasSupersededIsToldToItsHolder()
    {
        await using var held = await HoldAsync(_timers);
        var lost = WhenLost(held);
        await _catalog.WriteAsync(
            transaction =>
            {
                transaction.Leases.Release(held.Lease);
                return true;
            },
            CancellationToken.None);
        Assert.False(held.Lost.IsCancellationRequested);

        _timers.Release();

        await lost.WaitAsync(Patience);
    }

    /// <summary>Whoever cannot renew cannot publish either, and may be superseded.</summary>
    [Fact]
    public async Task ALeaseThatCannotBeRenewedIsTakenForLost()
    {
        await using var held = await HoldAsync(_timers);
        var lost = WhenLost(held);
        _watched.Failure = new CatalogException("The disk is gone.");

        _timers.Release();

        await lost.WaitAsync(Patience);
        _watched.Failure = null;
    }

    [Fact]
    public async Task ALeaseIsRenewedAgainAndAgainUntilItIsGivenUp()
    {
        await using (var held = await HoldAsync(new EagerClock()))
        {
            _time.Advance(TimeSpan.FromMinutes(5));
            while (Assert.Single(await ListAsync()).Expires <= _time.GetUtcNow())
            {
                Assert.True(await _watched.Written.WaitAsync(Patience));
            }

            Assert.False(held.Lost.IsCancellationRequested);
        }

        Assert.Empty(await ListAsync());
    }

    [Fact]
    public async Task AResourceThatIsHeldIsRefusedWithItsHolder()
    {
        await using var held = await HoldAsync(_timers);

        var refusal = await Assert.ThrowsAsync<InUseException>(() => HoldAsync(_timers));

        Assert.Contains("backup of vm/disk", refusal.Message, StringComparison.Ordinal);
        Assert.Equal([held.Lease], await ListAsync());
    }

    private static Task WhenLost(HeldLease held)
    {
        var lost = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        held.Lost.Register(lost.SetResult);
        return lost.Task;
    }

    private Task<HeldLease> HoldAsync(TimeProvider timers) => HeldLease.AcquireAsync(
        _watched, timers, "volume:vm/disk", LeaseMode.Exclusive, "backup of vm/disk", CancellationToken.None);

    private Task<IReadOnlyList<Lease>> ListAsync() =>
        _catalog.ReadAsync(transaction => transaction.Leases.List(""), CancellationToken.None);

    // Tells of each write that ended, and fails at will.
    private sealed class WatchedCatalog(ICatalog catalog) : ICatalog
    {
        public Exception? Failure { get; set; }

        public SemaphoreSlim Written { get; } = new(0);

        public LeaseOwner Owner => catalog.Owner;

        public Task<T> ReadAsync<T>(Func<ICatalogTransaction, T> work, CancellationToken cancellationToken) =>
            catalog.ReadAsync(work, cancellationToken);

        public async Task<T> WriteAsync<T>(Func<ICatalogTransaction, T> work, CancellationToken cancellationToken)
        {
            var result = Failure is null ? await catalog.WriteAsync(work, cancellationToken) : throw Failure;
            Written.Release();
            return result;
        }

        public long ReadGeneration() => catalog.ReadGeneration();

        public ValueTask DisposeAsync()
        {
            Written.Dispose();
            return default;
        }
    }
}
