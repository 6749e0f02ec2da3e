using Benji.Store.Catalogs;
using Benji.Store.Catalogs.LiteDb;
using Benji.Testing;

namespace Benji.Tests.Catalogs;

/// <summary>A LiteDB catalog in a temporary directory, for the contract suites.</summary>
internal sealed class LiteDbCatalogPlace : ICatalogPlace
{
    private readonly TemporaryDirectory _directory = new();

    public async Task<ICatalog> OpenAsync(TimeProvider timeProvider) => await LiteDbCatalog.OpenAsync(
        new LiteDbCatalogOptions { Path = _directory["catalog.db"], Create = true, TimeProvider = timeProvider },
        CancellationToken.None);

    public ValueTask DisposeAsync()
    {
        _directory.Dispose();
        return ValueTask.CompletedTask;
    }
}

public sealed class LiteDbTransactionTests : TransactionContract
{
    private protected override ICatalogPlace CreatePlace() => new LiteDbCatalogPlace();
}

public sealed class LiteDbVersionsTests : VersionsContract
{
    private protected override ICatalogPlace CreatePlace() => new LiteDbCatalogPlace();
}

public sealed class LiteDbBlockReferencesTests : BlocksContract
{
    private protected override ICatalogPlace CreatePlace() => new LiteDbCatalogPlace();
}

public sealed class LiteDbBlockMapsTests : PagesContract
{
    private protected override ICatalogPlace CreatePlace() => new LiteDbCatalogPlace();
}

public sealed class LiteDbSmallRolesTests : SmallRolesContract
{
    private protected override ICatalogPlace CreatePlace() => new LiteDbCatalogPlace();
}

public sealed class LiteDbLeasesTests : LeasesContract
{
    private protected override ICatalogPlace CreatePlace() => new LiteDbCatalogPlace();
}
