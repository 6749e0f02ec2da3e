using Benji.Store.Blocks;
using Benji.Store.Blocks.Maps;
using Benji.Store.Blocks.Opening;
using Benji.Store.Blocks.Sealing;
using Benji.Store.Catalogs;
using Benji.Store.Model;
using Benji.Testing;
using Benji.Testing.Catalogs;
using Benji.Testing.Storages;
using Xunit;

namespace Benji.Tests.Blocks.Maps;

/// <summary>Pages whose rows may say more than the storage holds.</summary>
public sealed class PageStoreDoubtTests : IAsyncLifetime
{
    private readonly ManualClock _clock = new();
    private readonly MemoryCatalogPlace _place;
    private readonly MemoryStorage _objects;
    private MemoryCatalog _catalog = null!;
    private OpenedStore _store = null!;
    private PageStore _pages = null!;

    public PageStoreDoubtTests()
    {
        _place = new MemoryCatalogPlace(_clock);
        _objects = new MemoryStorage(_clock);
    }

    public async Task InitializeAsync()
    {
        _catalog = new MemoryCatalog(_place);
        _store = await OpenedStore.OpenAsync(
            new StoreOpening
            {
                Name = "main",
                Storage = _objects,
                MayCreate = true,
                Pool = new BlockBufferPool(1 << 20),
                Time = _clock,
            },
            CancellationToken.None);
        _pages = new PageStore(_store, _catalog, new PendingDeletions(_store, _catalog, _clock), _clock);
    }

    public async Task DisposeAsync()
    {
        await _store.DisposeAsync();
        await _catalog.DisposeAsync();
    }

    [Theory]
    [InlineData(nameof(ReferenceState.Candidate), false, true)]
    [InlineData(nameof(ReferenceState.Candidate), true, true)]
    [InlineData(nameof(ReferenceState.Live), false, false)]
    [InlineData(nameof(ReferenceState.Live), true, true)]
    public async Task ARowThatIsNotCertainIsUsedOnlyWhenItsObjectIsThere(
        string state, bool isInDoubt, bool isLookedFor)
    {
        var pages = Pages(2);
        var ids = await PutAsync(pages);
        await _objects.DeleteAsync([ObjectNames.Page(ids[0])], CancellationToken.None);
        await WriteAsync(transaction =>
        {
            transaction.BlockMaps.SetState(ids, Enum.Parse<ReferenceState>(state), _clock.GetUtcNow());
            transaction.StorageBindings.Put(new StorageBinding(
                "main", _store.StoreId, IsEncrypted: false, isInDoubt ? _clock.GetUtcNow() : null));
        });
        var stored = _pages.StoredBytes;

        await PutAsync(pages);

        Assert.Equal(isLookedFor, _objects.Names.Contains(ObjectNames.Page(ids[0])));
        Assert.Equal(isLookedFor, _pages.StoredBytes > stored);
        Assert.All(ids, id => Assert.Equal(ReferenceState.Live, _place.State.Pages[id].State));
    }

    [Fact]
    public async Task ARowOfBeforeTheDoubtIsTakenAtItsWord()
    {
        var ids = await PutAsync(Pages(1));
        await _objects.DeleteAsync([ObjectNames.Page(ids[0])], CancellationToken.None);
        await WriteAsync(transaction => transaction.StorageBindings.Put(new StorageBinding(
            "main", _store.StoreId, IsEncrypted: false, _clock.GetUtcNow().AddTicks(10))));

        await PutAsync(Pages(1));

        Assert.DoesNotContain(ObjectNames.Page(ids[0]), _objects.Names);
    }

    [Fact]
    public async Task NoRowIsOlderThanItsRun()
    {
        var began = _clock.GetUtcNow();
        _clock.Advance(TimeSpan.FromMinutes(-5));
        var deletions = new PendingDeletions(_store, _catalog, _clock);
        var pages = new PageStore(_store, _catalog, deletions, _clock, new StoringRun(1, began));
        await pages.PutAsync(
            Pages(1).ToDictionary(page => pages.ComputeId(page.Level, page.Content)), CancellationToken.None);

        Assert.Equal(began, Assert.Single(_place.State.Pages.Values).Since);
    }

    private static MapPage[] Pages(int count)
    {
        var random = new Random(count);
        return
        [
            .. Enumerable.Range(0, count).Select(_ =>
            {
                var content = new byte[BlockGeometry.PageSize];
                MapPage.WriteEntry(content, random.Next(256), MapModel.RandomId(random).Hash);
                return new MapPage(0, content);
            }),
        ];
    }

    private async Task<PageId[]> PutAsync(IReadOnlyList<MapPage> pages)
    {
        PageId[] ids = [.. pages.Select(page => _pages.ComputeId(page.Level, page.Content))];
        await _pages.PutAsync(ids.Zip(pages).ToDictionary(), CancellationToken.None);
        return ids;
    }

    private Task WriteAsync(Action<ICatalogTransaction> work) => _catalog.WriteAsync(
        transaction =>
        {
            work(transaction);
            return true;
        },
        CancellationToken.None);
}
