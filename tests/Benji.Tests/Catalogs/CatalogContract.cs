using Benji.Store.Catalogs;
using Benji.Store.Model;
using Benji.Testing;
using Xunit;

namespace Benji.Tests.Catalogs;

/// <summary>A place with a catalog of its own, empty at first, for the contract suites.</summary>
internal interface ICatalogPlace : IAsyncDisposable
{
    /// <summary>Opens one more catalog object over the place's catalog, as another process would.</summary>
    Task<ICatalog> OpenAsync(TimeProvider timeProvider);
}

/// <summary>What the contract suites of the catalog's roles share: one open catalog, and others beside it.</summary>
public abstract class CatalogContract : IAsyncLifetime
{
    private readonly List<ICatalog> _opened = [];
    private ICatalogPlace _place = null!;

    /// <summary>The catalog under test.</summary>
    private protected ICatalog Catalog { get; private set; } = null!;

    /// <summary>The clock of every opened catalog.</summary>
    private protected ManualClock Clock { get; } = new();

    public async Task InitializeAsync()
    {
        _place = CreatePlace();
        Catalog = await OpenAnotherAsync();
    }

    public async Task DisposeAsync()
    {
        foreach (var catalog in _opened)
        {
            await catalog.DisposeAsync();
        }

        await _place.DisposeAsync();
    }

    private protected abstract ICatalogPlace CreatePlace();

    private protected async Task<ICatalog> OpenAnotherAsync()
    {
        var catalog = await _place.OpenAsync(Clock);
        _opened.Add(catalog);
        return catalog;
    }

    private protected async Task ReopenAsync()
    {
        await Catalog.DisposeAsync();
        Catalog = await OpenAnotherAsync();
    }

    private protected Task<T> ReadAsync<T>(Func<ICatalogTransaction, T> work) =>
        Catalog.ReadAsync(work, CancellationToken.None);

    private protected Task<T> WriteAsync<T>(Func<ICatalogTransaction, T> work) =>
        Catalog.WriteAsync(work, CancellationToken.None);

    private protected Task WriteAsync(Action<ICatalogTransaction> work) => WriteAsync(Catalog, work);

    private protected static Task WriteAsync(ICatalog catalog, Action<ICatalogTransaction> work) =>
        catalog.WriteAsync(
            transaction =>
            {
                work(transaction);
                return true;
            },
            CancellationToken.None);

    /// <summary>A hash whose first bytes are <paramref name="number"/>, most significant first.</summary>
    private protected static Hash256 HashOf(int number)
    {
        var bytes = new byte[Hash256.Size];
        System.Buffers.Binary.BinaryPrimitives.WriteInt32BigEndian(bytes, number);
        bytes[^1] = 1;
        return new Hash256(bytes);
    }
}
