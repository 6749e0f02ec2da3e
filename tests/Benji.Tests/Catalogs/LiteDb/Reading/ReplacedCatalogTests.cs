using Benji.Store.Catalogs;
using Benji.Store.Catalogs.LiteDb;
using Benji.Store.Catalogs.LiteDb.Reading;
using Benji.Store.Model;
using Benji.Testing;
using Xunit;

namespace Benji.Tests.Catalogs.LiteDb.Reading;

/// <summary>A rebuild beside somebody who reads the old catalog without a lease.</summary>
public sealed class ReplacedCatalogTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    private LiteDbCatalogOptions Options => new() { Path = _directory["catalog.db"] };

    public void Dispose() => _directory.Dispose();

    /// <summary>What somebody reads without a lease is known to a cleanup by the lock on the database that is replaced.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task ACatalogThatIsReadWithoutALeaseIsInUse(bool isBefore)
    {
        await (await MakeOldAsync()).DisposeAsync();
        var rebuild = isBefore ? null : await StartAsync();
        await using (var reader = await ReadOnlyCatalog.OpenAsync(Options, CancellationToken.None))
        {
            await Assert.ThrowsAsync<InUseException>(() => rebuild?.CompleteAsync(CancellationToken.None) ?? StartAsync());
            Assert.NotNull(await FindAsync(reader, "old"));
        }

        if (rebuild is not null)
        {
            await rebuild.DisposeAsync();
        }

        await using var again = await StartAsync();
        await PutAsync(again.Target, "new");
        await again.CompleteAsync(CancellationToken.None);
        await using var late = await ReadOnlyCatalog.OpenAsync(Options, CancellationToken.None);
        Assert.NotNull(await FindAsync(late, "new"));
    }

    /// <summary>Whoever opened the old one just before it was replaced is known by the lock on the new one.</summary>
    [Fact]
    public async Task AReaderLocksTheDatabaseThatHasTheName()
    {
        await (await MakeOldAsync()).DisposeAsync();
        await using var reader = await ReadOnlyCatalog.OpenAsync(Options, CancellationToken.None);
        await using var writer = await LiteDbCatalog.OpenAsync(Options, CancellationToken.None);
        await writer.ApplyLogAsync(CancellationToken.None);
        File.Copy(Options.Path, _directory["copy"]);
        File.Move(_directory["copy"], Options.Path, overwrite: true);

        Assert.NotNull(await FindAsync(reader, "old"));

        Assert.True(await writer.WriteAsync(transaction => transaction.Leases.HasReaders(), CancellationToken.None));
    }

    private Task<LiteDbRebuild> StartAsync() =>
        LiteDbRebuild.StartAsync(Options, announce: _ => { }, CancellationToken.None);

    private async Task<LiteDbCatalog> MakeOldAsync()
    {
        var catalog = await LiteDbCatalog.OpenAsync(Options with { Create = true }, CancellationToken.None);
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
