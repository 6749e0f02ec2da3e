using Benji.Store.Catalogs;
using Xunit;

namespace Benji.Tests.Catalogs;

/// <summary>What every catalog's leases must do.</summary>
public abstract class LeasesContract : CatalogContract
{
    private const string Resource = "volume:vm/disk";

    [Fact]
    public async Task AnExclusiveLeaseStandsAlone()
    {
        var another = await OpenAnotherAsync();
        var held = await AcquireAsync(Catalog, Resource, LeaseMode.Exclusive);

        Assert.Equal(held, await RefusedAsync(another, Resource, LeaseMode.Exclusive));
        Assert.Equal(held, await RefusedAsync(another, Resource, LeaseMode.Shared));
        Assert.Equal(held, await RefusedAsync(Catalog, Resource, LeaseMode.Exclusive));
        await AcquireAsync(another, Resource + "/2", LeaseMode.Exclusive);
    }

    [Fact]
    public async Task SharedLeasesStandTogetherAndShutExclusiveOnesOut()
    {
        var another = await OpenAnotherAsync();
        var first = await AcquireAsync(Catalog, Resource, LeaseMode.Shared);
        var second = await AcquireAsync(another, Resource, LeaseMode.Shared);

        Assert.Contains(await RefusedAsync(another, Resource, LeaseMode.Exclusive), new[] { first, second });
        await ReleaseAsync(Catalog, first);
        Assert.Equal(second, await RefusedAsync(Catalog, Resource, LeaseMode.Exclusive));
        await ReleaseAsync(another, second);
        await AcquireAsync(Catalog, Resource, LeaseMode.Exclusive);
    }

    [Fact]
    public async Task ALeaseTellsWhoWhatAndUntilWhen()
    {
        var lease = await AcquireAsync(Catalog, Resource, LeaseMode.Shared);

        Assert.Equal(Catalog.Owner, lease.Owner);
        Assert.Equal(Environment.ProcessId, lease.Owner.ProcessId);
        Assert.Equal((Resource, LeaseMode.Shared, "test"), (lease.Resource, lease.Mode, lease.Purpose));
        Assert.Equal(Clock.GetUtcNow(), lease.Started);
        Assert.True(lease.Expires > lease.Started);
        Assert.Equal([lease], await ListAsync(Catalog, ""));
    }

    [Fact]
    public async Task FencingNumbersOnlyGrow()
    {
        var another = await OpenAnotherAsync();
        var last = 0L;
        for (var round = 0; round < 10; round++)
        {
            var owner = int.IsEvenInteger(round) ? Catalog : another;
            var lease = await AcquireAsync(owner, Resource, LeaseMode.Exclusive);
            Assert.True(lease.Fencing > last);
            last = lease.Fencing;
            await ReleaseAsync(owner, lease);
            await ReopenAsync();
        }
    }

    [Fact]
    public async Task AReleasedLeaseIsNotHeldAndReleasingAgainIsNoError()
    {
        var lease = await AcquireAsync(Catalog, Resource, LeaseMode.Exclusive);
        Assert.True(await HeldAsync(lease));

        await ReleaseAsync(Catalog, lease);
        await ReleaseAsync(Catalog, lease);

        Assert.False(await HeldAsync(lease));
        Assert.False(await RenewAsync(lease));
        Assert.Empty(await ListAsync(Catalog, ""));
    }

    [Fact]
    public async Task RenewingMovesTheExpiry()
    {
        var lease = await AcquireAsync(Catalog, Resource, LeaseMode.Exclusive);
        Clock.Advance(TimeSpan.FromSeconds(30));

        Assert.True(await RenewAsync(lease));

        var listed = Assert.Single(await ListAsync(Catalog, Resource));
        Assert.Equal(lease.Expires + TimeSpan.FromSeconds(30), listed.Expires);
        Assert.Equal(lease, listed with { Expires = lease.Expires });
        Assert.True(await HeldAsync(lease));
    }

    [Fact]
    public async Task ALivingOwnerOnThisHostIsNotSupersededEvenAfterExpiry()
    {
        var another = await OpenAnotherAsync();
        var lease = await AcquireAsync(Catalog, Resource, LeaseMode.Exclusive);
        Clock.Advance(TimeSpan.FromDays(2));

        Assert.Equal(lease, await RefusedAsync(another, Resource, LeaseMode.Exclusive));
        Assert.Equal([lease], await ListAsync(another, ""));
        Assert.True(await RenewAsync(lease));
    }

    [Fact]
    public async Task TheLeasesOfADeadOwnerAreSupersededAtOnce()
    {
        var another = await OpenAnotherAsync();
        var lease = await AcquireAsync(Catalog, Resource, LeaseMode.Exclusive);
        await AcquireAsync(Catalog, "cleanup", LeaseMode.Shared);

        // Nothing is released: to the others this owner is one that was killed.
        await Catalog.DisposeAsync();

        Assert.Empty(await ListAsync(another, ""));
        var next = await AcquireAsync(another, Resource, LeaseMode.Exclusive);
        Assert.True(next.Fencing > lease.Fencing);
        Assert.False(await another.ReadAsync(catalog => catalog.Leases.IsHeld(lease), CancellationToken.None));
        Assert.False(await another.WriteAsync(catalog => catalog.Leases.Renew(lease), CancellationToken.None));
        await ReleaseAsync(another, lease);
        Assert.Equal([next], await ListAsync(another, ""));
    }

    [Fact]
    public async Task ListsAreByPrefix()
    {
        var volume = await AcquireAsync(Catalog, LeaseResource.Volume("a"), LeaseMode.Exclusive);
        var longer = await AcquireAsync(Catalog, LeaseResource.Volume("ab"), LeaseMode.Exclusive);
        var cleanup = await AcquireAsync(Catalog, LeaseResource.Cleanup, LeaseMode.Exclusive);

        Assert.Equal([volume, longer], await ListAsync(Catalog, LeaseResource.VolumePrefix));
        Assert.Equal([longer], await ListAsync(Catalog, LeaseResource.Volume("ab")));
        Assert.Equal([cleanup], await ListAsync(Catalog, LeaseResource.Cleanup));
        Assert.Equal(3, (await ListAsync(Catalog, "")).Count);
    }

    [Fact]
    public async Task ALeaseThatIsRolledBackWasNeverTaken()
    {
        await Assert.ThrowsAsync<TimeoutException>(() => WriteAsync(catalog =>
        {
            Assert.True(catalog.Leases.TryAcquire(Resource, LeaseMode.Exclusive, "test", out _, out _));
            throw new TimeoutException();
        }));

        Assert.Empty(await ListAsync(Catalog, ""));
    }

    private static async Task<Lease> AcquireAsync(ICatalog catalog, string resource, LeaseMode mode)
    {
        var lease = await catalog.WriteAsync(
            transaction => transaction.Leases.TryAcquire(resource, mode, "test", out var taken, out _) ? taken : null,
            CancellationToken.None);
        Assert.NotNull(lease);
        return lease;
    }

    private static async Task<Lease> RefusedAsync(ICatalog catalog, string resource, LeaseMode mode)
    {
        var holder = await catalog.WriteAsync(
            transaction => transaction.Leases.TryAcquire(resource, mode, "test", out _, out var other) ? null : other,
            CancellationToken.None);
        Assert.NotNull(holder);
        return holder;
    }

    private static Task ReleaseAsync(ICatalog catalog, Lease lease) =>
        WriteAsync(catalog, transaction => transaction.Leases.Release(lease));

    private static Task<IReadOnlyList<Lease>> ListAsync(ICatalog catalog, string prefix) =>
        catalog.ReadAsync(transaction => transaction.Leases.List(prefix), CancellationToken.None);

    private Task<bool> HeldAsync(Lease lease) => ReadAsync(catalog => catalog.Leases.IsHeld(lease));

    private Task<bool> RenewAsync(Lease lease) => WriteAsync(catalog => catalog.Leases.Renew(lease));
}
