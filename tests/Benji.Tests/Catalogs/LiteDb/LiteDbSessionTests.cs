using Benji.Store.Catalogs;
using Benji.Store.Catalogs.LiteDb;
using Benji.Store.Model;
using Benji.Testing.Catalogs;
using Benji.Testing.Disks;
using Xunit;

namespace Benji.Tests.Catalogs.LiteDb;

/// <summary>Catalogs on one simulated disk, one of which fails or is killed at a chosen step.</summary>
public sealed class LiteDbSessionTests
{
    private readonly SimulatedDisk _disk = new();
    private readonly SimulatedCounter _counter = new();

    [Fact]
    public async Task ANewCatalogIsThereAfterALossOfPower()
    {
        await using (await OpenAsync(mayCreate: true))
        {
            _disk.RestartWithSyncedOnly();
        }

        await using var found = await OpenAsync(mayCreate: false);
        Assert.Null(await FindAsync(found));
    }

    [Fact]
    public async Task ACommitIsThereAfterALossOfPower()
    {
        await using (var catalog = await OpenAsync(mayCreate: true))
        {
            await PutAsync(catalog, 1);
            _disk.RestartWithSyncedOnly();
        }

        await using var found = await OpenAsync(mayCreate: false);
        Assert.Equal(1, await FindAsync(found));
    }

    /// <summary>The one that is looked at next is one that a new process may make more of at once.</summary>
    [Fact]
    public async Task ACatalogWhoseMakerWasKilledIsMadeDurableByWhoFindsIt()
    {
        _disk.LosesPowerAt = step => step is { File: SimulatedCatalogPlace.Log, Kind: DiskStepKind.Sync, Offset: > 0 };
        await Assert.ThrowsAsync<CatalogException>(() => OpenAsync(mayCreate: true));
        _disk.LosesPowerAt = null;
        _disk.Resume();
        await using (var next = await OpenAsync(mayCreate: false))
        {
            Assert.Null(await FindAsync(next));
            _disk.RestartWithSyncedOnly();
        }

        await using var found = await OpenAsync(mayCreate: false);
        Assert.Null(await FindAsync(found));
    }

    [Fact]
    public async Task ACommitWhoseWriterWasKilledIsMadeDurableByWhoFindsIt()
    {
        await using (var catalog = await OpenAsync(mayCreate: true))
        {
            _disk.LosesPowerAt = step => step is { File: SimulatedCatalogPlace.Log, Kind: DiskStepKind.Sync };
            await Assert.ThrowsAsync<CatalogException>(() => PutAsync(catalog, 1));
            _disk.LosesPowerAt = null;
            _disk.Resume();
        }

        await using (var next = await OpenAsync(mayCreate: false))
        {
            Assert.Equal(1, await FindAsync(next));
            _disk.RestartWithSyncedOnly();
        }

        await using var found = await OpenAsync(mayCreate: false);
        Assert.Equal(1, await FindAsync(found));
    }

    /// <summary>The log is empty by then, and whoever has the catalog open knows pages in it.</summary>
    [Fact]
    public async Task ALogThatAnotherTidiedHalfWayIsNotedByWhoHasTheCatalogOpen()
    {
        await using var catalog = await OpenAsync(mayCreate: true);
        await PutAsync(catalog, 1);
        await using var another = await OpenAsync(mayCreate: false);
        _disk.Fails = step => step is { File: SimulatedCatalogPlace.Log, Kind: DiskStepKind.Sync, Offset: 0 };
        await Assert.ThrowsAsync<CatalogException>(() => another.ApplyLogAsync(CancellationToken.None));
        _disk.Fails = null;

        Assert.Equal(1, await FindAsync(catalog));
        await PutAsync(catalog, 2);
        Assert.Equal(2, await FindAsync(another));
    }

    [Fact]
    public async Task ALogThatAnotherTidiedIsNotedByWhoHasTheCatalogOpen()
    {
        await using var catalog = await OpenAsync(mayCreate: true);
        await PutAsync(catalog, 1);
        await using var another = await OpenAsync(mayCreate: false);
        await another.ApplyLogAsync(CancellationToken.None);

        Assert.Equal(1, await FindAsync(catalog));
        await PutAsync(catalog, 2);
        Assert.Equal(2, await FindAsync(another));
    }

    private Task<LiteDbCatalog> OpenAsync(bool mayCreate) => LiteDbCatalog.OpenAsync(
        SimulatedCatalogPlace.On(_disk, _counter, loggedPagesMax: 1000),
        TimeProvider.System,
        mayCreate,
        CancellationToken.None);

    private static Task PutAsync(LiteDbCatalog catalog, int number) => catalog.WriteAsync(
        write =>
        {
            write.StorageBindings.Put(new StorageBinding("s", new Guid(number, 0, 0, new byte[8]), true));
            return true;
        },
        CancellationToken.None);

    private static Task<int?> FindAsync(LiteDbCatalog catalog) => catalog.ReadAsync(
        read => read.StorageBindings.Find("s") is { } found ? BitConverter.ToInt32(found.StoreId.ToByteArray()) : (int?)null,
        CancellationToken.None);
}
