using Benji.Store.Catalogs;
using Benji.Store.Catalogs.LiteDb;
using Benji.Store.Catalogs.LiteDb.Disk;
using Benji.Store.Model;
using Benji.Testing;
using Xunit;

namespace Benji.Tests.Catalogs;

public sealed class LiteDbRebuildTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    private string CatalogPath => _directory["catalog.db"];

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task ANewCatalogAppearsWhenItIsCompleteAndNotBefore()
    {
        await using (var rebuild = await StartAsync())
        {
            Assert.Null(rebuild.Old);
            await PutAsync(rebuild.Target, "new");
            Assert.False(LiteDbCatalog.Exists(CatalogPath));
            await rebuild.CompleteAsync(CancellationToken.None);
        }

        await using var catalog = await OpenAsync();
        Assert.NotNull(await FindAsync(catalog, "new"));
        Assert.Empty(Directory.GetFileSystemEntries(_directory.Path, "*-new*"));
    }

    [Fact]
    public async Task AnAbandonedRebuildLeavesTheOldCatalogAndNothingElse()
    {
        await (await MakeOldAsync()).DisposeAsync();
        var before = Directory.GetFileSystemEntries(_directory.Path).Order().ToList();
        await using (var rebuild = await StartAsync())
        {
            await PutAsync(rebuild.Target, "new");
        }

        Assert.Equal(before, Directory.GetFileSystemEntries(_directory.Path).Order());
        await using var catalog = await OpenAsync();
        Assert.NotNull(await FindAsync(catalog, "old"));
        Assert.Null(await FindAsync(catalog, "new"));
    }

    [Fact]
    public async Task ACatalogThatIsOpenSeesTheNewOneAtItsNextTransaction()
    {
        await (await MakeOldAsync()).DisposeAsync();
        await using var open = await OpenAsync();
        Assert.NotNull(await FindAsync(open, "old"));
        var generation = open.ReadGeneration();
        await using (var rebuild = await StartAsync())
        {
            for (var i = 0; i < 50; i++)
            {
                await PutAsync(rebuild.Target, $"new{i}");
            }

            await rebuild.CompleteAsync(CancellationToken.None);
        }

        Assert.NotEqual(generation, open.ReadGeneration());
        Assert.Null(await FindAsync(open, "old"));
        Assert.NotNull(await FindAsync(open, "new49"));
        await PutAsync(open, "later");
        await using var another = await OpenAsync();
        Assert.NotNull(await FindAsync(another, "later"));
    }

    [Fact]
    public async Task ACatalogInUseIsNotRebuilt()
    {
        await using var open = await MakeOldAsync();
        await open.WriteAsync(
            transaction => transaction.Leases.TryAcquire(
                "version:1", LeaseMode.Shared, "restore of a/b", out _, out _),
            CancellationToken.None);

        var error = await Assert.ThrowsAsync<InUseException>(StartAsync);

        Assert.Contains("restore of a/b", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ACatalogThatChangedMeanwhileStands()
    {
        await using var open = await MakeOldAsync();
        await using (var rebuild = await StartAsync())
        {
            await PutAsync(open, "meanwhile");
            await Assert.ThrowsAsync<InUseException>(() => rebuild.CompleteAsync(CancellationToken.None));
        }

        Assert.NotNull(await FindAsync(open, "meanwhile"));
        Assert.NotNull(await FindAsync(open, "old"));
    }

    [Fact]
    public async Task ACatalogThatWasMadeMeanwhileStands()
    {
        await using (var rebuild = await StartAsync())
        {
            await using var other = await MakeOldAsync();
            await Assert.ThrowsAsync<InUseException>(() => rebuild.CompleteAsync(CancellationToken.None));
        }

        await using var catalog = await OpenAsync();
        Assert.NotNull(await FindAsync(catalog, "old"));
    }

    [Fact]
    public async Task TwoRebuildsAtATimeAreRefused()
    {
        await using var first = await StartAsync();

        await Assert.ThrowsAsync<InUseException>(StartAsync);

        await PutAsync(first.Target, "new");
        await first.CompleteAsync(CancellationToken.None);
    }

    [Fact]
    public async Task ADamagedCatalogIsReplacedWithItsLog()
    {
        await (await MakeOldAsync()).DisposeAsync();
        await File.WriteAllTextAsync(CatalogPath, $"{new string('\0', 32)}** This is a LiteDB file **{new string('x', 50_000)}");
        await File.WriteAllTextAsync(Path.ChangeExtension(CatalogPath, ".wal"), "BNJW" + new string('y', 30_000));

        await using (var rebuild = await StartAsync())
        {
            Assert.Null(rebuild.Old);
            await PutAsync(rebuild.Target, "new");
            await rebuild.CompleteAsync(CancellationToken.None);
        }

        await using var catalog = await OpenAsync();
        Assert.NotNull(await FindAsync(catalog, "new"));
    }

    /// <summary>Its groups are whole, so that whoever reads them believes them.</summary>
    [Fact]
    public async Task TheLogOfACatalogThatCannotBeReadIsNotReadIntoTheNewOne()
    {
        await (await MakeOldAsync()).DisposeAsync();
        WriteNoiseToTheLog();

        await using (var rebuild = await StartAsync())
        {
            Assert.Null(rebuild.Old);
            await PutAsync(rebuild.Target, "new");
            await rebuild.CompleteAsync(CancellationToken.None);
        }

        await using var catalog = await OpenAsync();
        Assert.NotNull(await FindAsync(catalog, "new"));
    }

    /// <summary>The log is emptied before the new database takes the old one's name.</summary>
    [Fact]
    public async Task TheOldDatabaseAloneIsTheOldCatalogOnceARebuildHasBegun()
    {
        await (await MakeOldAsync()).DisposeAsync();
        await using var rebuild = await StartAsync();
        File.Copy(CatalogPath, _directory["copy.db"]);
        await File.WriteAllTextAsync(_directory["copy.wal"], "");

        await using var copy = await LiteDbCatalog.OpenAsync(
            new LiteDbCatalogOptions { Path = _directory["copy.db"] }, CancellationToken.None);
        Assert.NotNull(await FindAsync(copy, "old"));
    }

    [Fact]
    public async Task ACatalogThatWasLookedAtSinceTheRebuildBeganSeesTheNewOne()
    {
        await using var open = await MakeOldAsync();
        await using (var rebuild = await StartAsync())
        {
            Assert.NotNull(await FindAsync(open, "old"));
            await PutAsync(rebuild.Target, "new");
            await rebuild.CompleteAsync(CancellationToken.None);
        }

        Assert.Null(await FindAsync(open, "old"));
        Assert.NotNull(await FindAsync(open, "new"));
    }

    [Fact]
    public async Task WhatOnlyTheOldCatalogKnowsIsSaved()
    {
        var overlay = new OverlayRecord(
            Guid.NewGuid(), "test", Guid.NewGuid(), new VersionName("a", "b"), DateTimeOffset.UnixEpoch);
        await using var open = await MakeOldAsync();
        await open.WriteAsync(
            transaction =>
            {
                transaction.Overlays.Add(overlay);
                return true;
            },
            CancellationToken.None);

        await using var rebuild = await StartAsync();

        Assert.Equal([overlay], rebuild.Old!.Overlays);
        Assert.Empty(rebuild.Old.InvalidBlocks);
    }

    [Fact]
    public async Task TheRemainsOfADeadRebuildAreForgotten()
    {
        await using (var dead = await LiteDbCatalog.OpenAsync(
            new LiteDbCatalogOptions { Path = _directory["catalog-new.db"], Create = true }, CancellationToken.None))
        {
            await PutAsync(dead, "dead");
        }

        await using var rebuild = await StartAsync();

        Assert.Null(await FindAsync(rebuild.Target, "dead"));
    }

    private void WriteNoiseToTheLog()
    {
        using var disk = new FileCatalogDisk(new CatalogPaths(CatalogPath), CatalogFileUse.Write);
        using var hash = new Sha256WalHash();
        using var data = new TransactionalDataStream(disk, hash, new PagePool());
        var page = new byte[WalGroup.PageSize];
        new Random(1).NextBytes(page);
        for (data.Position = 0; data.Position < data.Length;)
        {
            data.Write(page, 0, page.Length);
        }

        data.Flush();
    }

    private Task<LiteDbRebuild> StartAsync() => LiteDbRebuild.StartAsync(
        new LiteDbCatalogOptions { Path = CatalogPath }, announce: _ => { }, CancellationToken.None);

    private Task<LiteDbCatalog> OpenAsync() => LiteDbCatalog.OpenAsync(
        new LiteDbCatalogOptions { Path = CatalogPath }, CancellationToken.None);

    private async Task<LiteDbCatalog> MakeOldAsync()
    {
        var catalog = await LiteDbCatalog.OpenAsync(
            new LiteDbCatalogOptions { Path = CatalogPath, Create = true }, CancellationToken.None);
        await PutAsync(catalog, "old");
        return catalog;
    }

    private static Task PutAsync(ICatalog catalog, string storage) => catalog.WriteAsync(
        transaction =>
        {
            transaction.StorageBindings.Put(new StorageBinding(storage, Guid.NewGuid(), IsEncrypted: false));
            return true;
        },
        CancellationToken.None);

    private static Task<StorageBinding?> FindAsync(ICatalog catalog, string storage) =>
        catalog.ReadAsync(transaction => transaction.StorageBindings.Find(storage), CancellationToken.None);
}
