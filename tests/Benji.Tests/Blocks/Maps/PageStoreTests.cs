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

public sealed class PageStoreTests : IAsyncLifetime
{
    private readonly ManualClock _clock = new();
    private readonly MemoryCatalogPlace _place;
    private readonly MemoryStorage _objects;
    private MemoryCatalog _catalog = null!;
    private OpenedStore _store = null!;
    private PageStore _pages = null!;

    public PageStoreTests()
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
        _pages = NewPages();
    }

    public async Task DisposeAsync()
    {
        await _store.DisposeAsync();
        await _catalog.DisposeAsync();
    }

    [Fact]
    public async Task PagesReadBackFromTheCatalogAndFromTheStorageAlone()
    {
        var pages = Pages(600);
        var ids = await PutAsync(pages);

        await CheckAsync(ids, pages);
        await WriteAsync(transaction => transaction.BlockMaps.Remove(ids));
        await CheckAsync(ids, pages);

        // Reading put the rows back.
        Assert.Equal(600, _place.State.Pages.Count);
        Assert.All(_place.State.Pages.Values, row => Assert.Equal(ReferenceState.Live, row.State));
        foreach (var id in ids)
        {
            await _objects.DeleteAsync([ObjectNames.Page(id)], CancellationToken.None);
        }

        await CheckAsync(ids, pages);
    }

    [Fact]
    public async Task ADamagedRowIsRepairedFromTheObject()
    {
        var pages = Pages(1);
        var ids = await PutAsync(pages);
        var row = _place.State.Pages[ids[0]];
        await WriteAsync(transaction => transaction.BlockMaps.Put(
            [row with { Content = new byte[BlockGeometry.PageSize], State = ReferenceState.Candidate }]));

        await CheckAsync(ids, pages);

        Assert.Equal(pages[0].Content, _place.State.Pages[ids[0]].Content);
        Assert.Equal(ReferenceState.Candidate, _place.State.Pages[ids[0]].State);
    }

    [Fact]
    public async Task APageIsReadFromTheCatalogOnceWhileItIsInTheCache()
    {
        var pages = Pages(3);
        var ids = await PutAsync(pages);
        var first = await _pages.ReadAsync(ids, 0, CancellationToken.None);
        await WriteAsync(transaction => transaction.BlockMaps.Remove(ids));
        foreach (var id in ids)
        {
            await _objects.DeleteAsync([ObjectNames.Page(id)], CancellationToken.None);
        }

        Assert.Equal(first, await _pages.ReadAsync(ids, 0, CancellationToken.None));
    }

    [Fact]
    public async Task APageThatIsNowhereIsNamed()
    {
        var ids = await PutAsync(Pages(1));
        await WriteAsync(transaction => transaction.BlockMaps.Remove(ids));
        await _objects.DeleteAsync([ObjectNames.Page(ids[0])], CancellationToken.None);

        var error = await Assert.ThrowsAsync<CorruptDataException>(
            async () => await _pages.ReadAsync(ids, 0, CancellationToken.None));

        Assert.Contains($"{ids[0]} of level 0", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ADamagedObjectIsRefused()
    {
        var ids = await PutAsync(Pages(1));
        await WriteAsync(transaction => transaction.BlockMaps.Remove(ids));
        _objects.Damage(ObjectNames.Page(ids[0]), bytes =>
        {
            bytes[^1] ^= 1;
            return bytes;
        });

        await Assert.ThrowsAsync<CorruptDataException>(
            async () => await _pages.ReadAsync(ids, 0, CancellationToken.None));
    }

    [Fact]
    public async Task HolesAreNotRead()
    {
        var id = _pages.ComputeId(0, new byte[BlockGeometry.PageSize]);

        Assert.Equal(PageId.Hole, id);
        Assert.Equal([null], await _pages.ReadAsync([id], 0, CancellationToken.None));
    }

    [Fact]
    public async Task AKnownPageIsNotPutAgain()
    {
        var pages = Pages(2);
        var ids = await PutAsync(pages);
        var stored = _pages.StoredBytes;
        await WriteAsync(transaction => transaction.BlockMaps.SetState([ids[0]], ReferenceState.Candidate, default));

        await PutAsync(pages);

        Assert.Equal(stored, _pages.StoredBytes);
        Assert.Equal(ReferenceState.Live, _place.State.Pages[ids[0]].State);
    }

    [Fact]
    public async Task AnOrphanIsPutAnew()
    {
        var pages = Pages(1);
        var ids = await PutAsync(pages);
        await WriteAsync(transaction => transaction.BlockMaps.SetState(ids, ReferenceState.Orphan, default));
        _objects.Damage(ObjectNames.Page(ids[0]), _ => []);

        await PutAsync(pages);

        Assert.Equal(ReferenceState.Live, _place.State.Pages[ids[0]].State);
        Assert.NotEmpty(_objects[ObjectNames.Page(ids[0])]!);
    }

    [Fact]
    public async Task WhatADeadCleanupWasDeletingIsFinishedAndPutAnew()
    {
        var pages = Pages(3);
        var ids = await PutAsync(pages);
        var dead = new MemoryCatalog(_place);
        await dead.WriteAsync(
            transaction => transaction.Leases.TryAcquire(
                LeaseResource.Cleanup, LeaseMode.Exclusive, "cleanup", out _, out _),
            CancellationToken.None);
        await WriteAsync(transaction => transaction.BlockMaps.SetState(ids, ReferenceState.Deleting, default));
        await dead.DisposeAsync();

        await PutAsync(pages);

        Assert.All(_place.State.Pages.Values, row => Assert.Equal(ReferenceState.Live, row.State));
        Assert.All(ids, id => Assert.NotNull(_objects[ObjectNames.Page(id)]));
        Assert.Empty(await _catalog.ReadAsync(transaction => transaction.Leases.List(""), CancellationToken.None));
    }

    [Fact]
    public async Task WhatALivingCleanupDeletesIsWaitedFor()
    {
        var pages = Pages(1);
        var ids = await PutAsync(pages);
        await using var cleaner = new MemoryCatalog(_place);
        await cleaner.WriteAsync(
            transaction =>
            {
                transaction.BlockMaps.SetState(ids, ReferenceState.Deleting, default);
                return transaction.Leases.TryAcquire(
                    LeaseResource.Cleanup, LeaseMode.Exclusive, "cleanup", out _, out _);
            },
            CancellationToken.None);

        var put = PutAsync(pages);
        await _objects.DeleteAsync([ObjectNames.Page(ids[0])], CancellationToken.None);
        Assert.False(put.IsCompleted);
        await cleaner.WriteAsync(
            transaction =>
            {
                transaction.BlockMaps.Remove(ids);
                return true;
            },
            CancellationToken.None);
        await put;

        Assert.NotNull(_objects[ObjectNames.Page(ids[0])]);
        Assert.Equal(ReferenceState.Live, _place.State.Pages[ids[0]].State);
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

    private PageStore NewPages() => new(_store, _catalog, new PendingDeletions(_store, _catalog, _clock), _clock);

    private async Task<PageId[]> PutAsync(IReadOnlyList<MapPage> pages)
    {
        PageId[] ids = [.. pages.Select(page => _pages.ComputeId(page.Level, page.Content))];
        await _pages.PutAsync(ids.Zip(pages).ToDictionary(), CancellationToken.None);
        return ids;
    }

    private async Task CheckAsync(PageId[] ids, MapPage[] pages)
    {
        // A fresh one, as this one may have the pages in its cache.
        var contents = await NewPages().ReadAsync(ids, 0, CancellationToken.None);
        Assert.Equal(pages.Length, contents.Length);
        Assert.All(pages, (page, i) => Assert.True(page.Content.AsSpan().SequenceEqual(contents[i])));
    }

    private Task WriteAsync(Action<ICatalogTransaction> work) => _catalog.WriteAsync(
        transaction =>
        {
            work(transaction);
            return true;
        },
        CancellationToken.None);
}
