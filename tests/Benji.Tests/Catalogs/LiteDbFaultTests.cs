using Benji.Store.Catalogs;
using Benji.Store.Catalogs.LiteDb;
using Benji.Store.Catalogs.LiteDb.Roles;
using Benji.Store.Model;
using Benji.Testing;
using Benji.Testing.Catalogs;
using Benji.Testing.Disks;
using Xunit;

namespace Benji.Tests.Catalogs;

/// <summary>A LiteDB catalog on a disk that is full or fails: every failure is clear, and it works on afterwards.</summary>
public sealed class LiteDbFaultTests
{
    private readonly SimulatedDisk _disk = new();
    private readonly SimulatedCounter _counter = new();
    private readonly ManualClock _clock = new();

    [Theory]
    [InlineData(DiskStepKind.Write)]
    [InlineData(DiskStepKind.Sync)]
    public async Task ACommitThatCannotBeWrittenIsUndoneAndTheCatalogWorksOn(DiskStepKind kind)
    {
        await using var catalog = await OpenAsync();
        await PutAsync(catalog, 1);
        var failures = 1;
        _disk.Fails = step =>
            step.File == SimulatedCatalogPlace.Log && step.Kind == kind && Interlocked.Decrement(ref failures) >= 0;

        var failure = await Assert.ThrowsAsync<CatalogException>(() => PutAsync(catalog, 2));

        Assert.Contains("Nothing of this transaction was kept", failure.Message, StringComparison.Ordinal);
        Assert.Equal(1, await FindAsync(catalog));
        await PutAsync(catalog, 3);
        Assert.Equal(3, await FindAsync(catalog));
    }

    [Fact]
    public async Task WhenEvenTheUndoFailsTheNextTransactionSeesWhichItWasAndMakesItLast()
    {
        await using var catalog = await OpenAsync();
        await PutAsync(catalog, 1);
        _disk.Fails = step => step.File == SimulatedCatalogPlace.Log
            && step.Kind is DiskStepKind.Sync or DiskStepKind.Truncate;

        var failure = await Assert.ThrowsAsync<CatalogException>(() => PutAsync(catalog, 2));
        Assert.Contains("unknown", failure.Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<CatalogException>(() => FindAsync(catalog));

        _disk.Fails = null;
        var seen = await FindAsync(catalog);
        Assert.InRange(seen, 1, 2);
        _disk.Restart(new Random(1), new PowerLossModel(512, MayLoseCutsAlone: true));
        await using var reopened = await OpenAsync();
        Assert.Equal(seen, await FindAsync(reopened));
    }

    [Fact]
    public async Task AFullDatabaseFileIsReportedByTheNextCommitAndLosesNothing()
    {
        await using var catalog = await OpenAsync();
        _disk.Fails = step => step is { File: SimulatedCatalogPlace.Data, Kind: DiskStepKind.Write };

        // The log still takes commits, until it is so long that it must be applied first.
        var last = 0;
        CatalogException? failure = null;
        while (failure is null && last < 200)
        {
            failure = (CatalogException?)await Record.ExceptionAsync(() => PutAsync(catalog, last + 1));
            last += failure is null ? 1 : 0;
        }

        Assert.True(last > 0);
        Assert.NotNull(failure);
        Assert.Contains("Nothing of this transaction was kept", failure.Message, StringComparison.Ordinal);
        Assert.Equal(last, await FindAsync(catalog));
        _disk.Fails = null;
        await PutAsync(catalog, last + 1);
        Assert.Equal(last + 1, await FindAsync(catalog));
    }

    [Fact]
    public async Task AnUnreadableDiskIsACatalogFailure()
    {
        await using var catalog = await OpenAsync();
        await PutAsync(catalog, 1);
        _disk.Fails = step => step.Kind == DiskStepKind.Read;
        await using var another = await Record.ExceptionAsync(OpenAsync) is CatalogException ? catalog : null;

        Assert.NotNull(another);
        _disk.Fails = null;
        Assert.Equal(1, await FindAsync(catalog));
    }

    [Theory]
    [InlineData(true, false, false)]
    [InlineData(false, true, true)]
    [InlineData(null, false, true)]
    public async Task ALeaseStandsAsLongAsItsOwnerMayLive(bool? isAlive, bool isFreeAtOnce, bool isFreeAfterExpiry)
    {
        var owners = new OtherOwners();
        await using var catalog = await OpenAsync(owners);
        Assert.True(await catalog.WriteAsync(Take, CancellationToken.None));
        owners.Answer = isAlive;

        Assert.Equal(isFreeAtOnce, await catalog.WriteAsync(Take, CancellationToken.None));
        _clock.Advance(TimeSpan.FromSeconds(61));
        Assert.Equal(isFreeAfterExpiry, await catalog.WriteAsync(Take, CancellationToken.None));

        static bool Take(ICatalogTransaction transaction) =>
            transaction.Leases.TryAcquire("cleanup", LeaseMode.Exclusive, "test", out _, out _);
    }

    [Fact]
    public async Task ALeaseOfADayToComeLivesAsLongAsOneThatIsRenewedNow()
    {
        var owners = new OtherOwners { Answer = null };
        await using var catalog = await OpenAsync(owners);
        _clock.Advance(TimeSpan.FromDays(3650));
        Assert.True(await TakeAsync("cleanup"));
        _clock.Advance(-TimeSpan.FromDays(3650));

        Assert.False(await TakeAsync("cleanup"));
        _clock.Advance(TimeSpan.FromSeconds(59));
        Assert.False(await TakeAsync("cleanup"));
        _clock.Advance(TimeSpan.FromSeconds(2));
        Assert.True(await TakeAsync("cleanup"));

        // Whatever else is claimed: a list of leases is one of living ones.
        _clock.Advance(TimeSpan.FromDays(3650));
        Assert.True(await TakeAsync("volume"));
        _clock.Advance(-TimeSpan.FromDays(3649));
        Assert.True(await TakeAsync("overlay"));
        _clock.Advance(TimeSpan.FromSeconds(61));
        Assert.Empty(await catalog.ReadAsync(read => read.Leases.List("volume"), CancellationToken.None));

        Task<bool> TakeAsync(string resource) => catalog.WriteAsync(
            write => write.Leases.TryAcquire(resource, LeaseMode.Exclusive, "test", out _, out _), CancellationToken.None);
    }

    private Task<LiteDbCatalog> OpenAsync() => OpenAsync(new OtherOwners());

    private Task<LiteDbCatalog> OpenAsync(ILeaseOwners owners) => LiteDbCatalog.OpenAsync(
        SimulatedCatalogPlace.On(_disk, _counter, loggedPagesMax: 40) with { Owners = owners },
        _clock,
        mayCreate: true,
        CancellationToken.None);

    private static Task PutAsync(LiteDbCatalog catalog, int number) => catalog.WriteAsync(
        write =>
        {
            write.StorageBindings.Put(new StorageBinding("s", new Guid(number, 0, 0, new byte[8]), true));

            // Each commit takes pages of the database that none took before.
            var id = new byte[Hash256.Size];
            var content = new byte[BlockGeometry.PageSize];
            new Random(number).NextBytes(id);
            new Random(number).NextBytes(content);
            write.BlockMaps.Put(
            [
                new(new PageId(new Hash256(id)), "s", 0, content, ReferenceState.Live, DateTimeOffset.UnixEpoch),
            ]);
            return true;
        },
        CancellationToken.None);

    private static Task<int> FindAsync(LiteDbCatalog catalog) => catalog.ReadAsync(
        read => BitConverter.ToInt32(read.StorageBindings.Find("s")!.StoreId.ToByteArray()), CancellationToken.None);

    private sealed class OtherOwners : ILeaseOwners
    {
        public bool? Answer { get; set; } = true;

        public LeaseOwner Self { get; } = new("other", 1, Guid.NewGuid());

        public string BootId => "boot";

        public void Announce()
        {
            // There is nobody to tell.
        }

        public bool? IsAlive(LeaseOwner owner, string bootId) => Answer;

        public bool HasReaders() => false;

        public void Dispose()
        {
            // Nothing is held.
        }
    }
}
