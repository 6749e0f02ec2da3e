using Benji.Store.Catalogs;
using Benji.Testing.Catalogs;

namespace Benji.Tests.Catalogs;

/// <summary>A catalog in memory, held to the same contract as the real ones, because other tests believe it.</summary>
internal sealed class MemoryContractPlace : ICatalogPlace
{
    private MemoryCatalogPlace? _place;

    public Task<ICatalog> OpenAsync(TimeProvider timeProvider) =>
        Task.FromResult<ICatalog>(new MemoryCatalog(_place ??= new MemoryCatalogPlace(timeProvider)));

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}

public sealed class MemoryTransactionTests : TransactionContract
{
    private protected override ICatalogPlace CreatePlace() => new MemoryContractPlace();
}

public sealed class MemoryVersionsTests : VersionsContract
{
    private protected override ICatalogPlace CreatePlace() => new MemoryContractPlace();
}

public sealed class MemoryBlockReferencesTests : BlocksContract
{
    private protected override ICatalogPlace CreatePlace() => new MemoryContractPlace();
}

public sealed class MemoryBlockMapsTests : PagesContract
{
    private protected override ICatalogPlace CreatePlace() => new MemoryContractPlace();
}

public sealed class MemorySmallRolesTests : SmallRolesContract
{
    private protected override ICatalogPlace CreatePlace() => new MemoryContractPlace();
}

public sealed class MemoryLeasesTests : LeasesContract
{
    private protected override ICatalogPlace CreatePlace() => new MemoryContractPlace();
}
