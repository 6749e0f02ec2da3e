using Benji.Store.Catalogs;
using Benji.Store.Catalogs.LiteDb;
using Benji.Store.Model;
using Benji.Testing.Catalogs;
using Benji.Testing.Disks;
using Xunit;

namespace Benji.Tests.Catalogs.LiteDb;

/// <summary>A catalog on a full disk: what is small finds room, what makes the store larger does not.</summary>
public sealed class CatalogReserveTests
{
    private const long Reserve = 512 << 10;

    private readonly SimulatedDisk _disk = new();
    private readonly SimulatedCounter _counter = new();
    private int _rows;

    public static TheoryData<string> Growing => ["backup", "intent", "page", "block", "overlay"];

    private long Kept => _disk.Names.Contains(SimulatedCatalogPlace.Reserve) ? _disk[SimulatedCatalogPlace.Reserve].Length : 0;

    [Fact]
    public async Task WhatIsSmallFindsRoomForEver()
    {
        await using var catalog = await FillAsync(Reserve);
        for (var round = 0; round < 300; round++)
        {
            await ReadAsync(catalog);
            Assert.True(_disk.Used <= _disk.Capacity, $"round {round}");
        }

        Assert.True(Kept > 0);
        await CheckAsync(catalog);
    }

    [Fact]
    public async Task ItIsTakenAgainAsSoonAsThereIsRoom()
    {
        await using var catalog = await FillAsync(Reserve);
        _disk[SimulatedCatalogPlace.Reserve].Truncate(Reserve / 4);
        await using var another = await OpenAsync(Reserve);
        await ReadAsync(another);
        Assert.Equal(Reserve, Kept);

        // Another process took of it, which shows at the next commit.
        _disk[SimulatedCatalogPlace.Reserve].Truncate(0);
        await ReadAsync(catalog);
        await ReadAsync(another);
        Assert.Equal(Reserve, Kept);
    }

    [Fact]
    public async Task OfASmallRoomAPartIsTaken()
    {
        await using var catalog = await FillAsync(0);
        _disk.Capacity = _disk.Used + (Reserve / 2);
        await using var another = await OpenAsync(Reserve);

        await ReadAsync(another);

        Assert.InRange(Kept, Reserve / 8, Reserve - 1);
    }

    [Theory]
    [MemberData(nameof(Growing))]
    public async Task WhatMakesTheStoreLargerGetsNothing(string what)
    {
        await using var catalog = await FillAsync(Reserve);
        CatalogException? failure = null;
        for (var round = 0; failure is null && round < 2_000; round++)
        {
            failure = (CatalogException?)await Record.ExceptionAsync(() => GrowAsync(catalog, what, round));
            Assert.Equal(Reserve, Kept);
        }

        Assert.NotNull(failure);
        Assert.True(failure.IsDiskFull);
        Assert.Contains("Nothing of this transaction was kept", failure.Message, StringComparison.Ordinal);
        await ReadAsync(catalog);
        await CheckAsync(catalog);
        _disk.Capacity = null;
        await GrowAsync(catalog, what, 2_000);
    }

    /// <summary>The store of an older program, which kept none.</summary>
    [Fact]
    public async Task WithoutAReserveTheLogMakesRoom()
    {
        await using var catalog = await FillAsync(0);
        _disk.Capacity = null;
        await ReadAsync(catalog);
        await catalog.ApplyLogAsync(CancellationToken.None);
        await ReadAsync(catalog);
        _disk.Capacity = _disk.Used;
        for (var round = 0; round < 50; round++)
        {
            await ReadAsync(catalog);
        }

        await CheckAsync(catalog);
    }

    [Fact]
    public async Task ALogThatCannotBeAppliedLeavesTheReserveToWhatIsSmall()
    {
        await using (var catalog = await OpenAsync(Reserve, loggedPagesMax: 10_000))
        {
            for (var i = 0; i < 100; i++)
            {
                await GrowAsync(catalog, "page");
            }
        }

        Assert.True(_disk[SimulatedCatalogPlace.Log].Length > Reserve);
        _disk.Capacity = _disk.Used;
        await using (var catalog = await OpenAsync(Reserve))
        {
            for (var round = 0; round < 3; round++)
            {
                await ReadAsync(catalog);
            }

            await CheckAsync(catalog);
        }

        _disk.Capacity = null;
        await using var after = await OpenAsync(Reserve);
        await ReadAsync(after);
        await CheckAsync(after);
        Assert.True(_disk[SimulatedCatalogPlace.Log].Length < Reserve);
        Assert.Equal(Reserve, Kept);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(Reserve)]
    public async Task AfterATransactionWithAnyRoomTheCatalogCanBeRead(long reserve)
    {
        for (var free = 0; free <= 120; free++)
        {
            await using var catalog = await FillAsync(reserve);
            _disk.Capacity = _disk.Used + (free << 10);
            await Record.ExceptionAsync(() => ReadAsync(catalog));
            await Record.ExceptionAsync(() => GrowAsync(catalog, "page"));
            await CheckAsync(catalog);

            await using var another = await OpenAsync(reserve);
            await CheckAsync(another);
        }
    }

    /// <summary>A catalog with some pages, on a disk that has no byte left.</summary>
    private async Task<LiteDbCatalog> FillAsync(long reserve)
    {
        _disk.Capacity = null;
        var catalog = await OpenAsync(reserve);
        for (var i = 0; i < 5; i++)
        {
            await GrowAsync(catalog, "page");
        }

        _disk.Capacity = _disk.Used;
        return catalog;
    }

    private Task<LiteDbCatalog> OpenAsync(long reserve, int loggedPagesMax = 40) => LiteDbCatalog.OpenAsync(
        SimulatedCatalogPlace.On(_disk, _counter, loggedPagesMax, reserve),
        TimeProvider.System,
        mayCreate: true,
        CancellationToken.None);

    // What a command that reads writes.
    private static async Task ReadAsync(LiteDbCatalog catalog)
    {
        var lease = await catalog.WriteAsync(
            write => write.Leases.TryAcquire("version:1", LeaseMode.Shared, "test", out var taken, out _)
                ? taken
                : throw new InvalidOperationException(),
            CancellationToken.None);
        await catalog.WriteAsync(
            write =>
            {
                write.Leases.Release(lease);
                return true;
            },
            CancellationToken.None);
    }

    // The rows that were put are there, and no other.
    private async Task CheckAsync(LiteDbCatalog catalog) =>
        Assert.Equal(_rows, await catalog.ReadAsync(read => read.BlockMaps.Scan(null, 10_000).Count, CancellationToken.None));

    private async Task GrowAsync(LiteDbCatalog catalog, string what, int round = 0)
    {
        await catalog.WriteAsync(
            write =>
            {
                Grow(write, what, (_rows * 10_000) + round);
                return true;
            },
            CancellationToken.None);
        _rows += what == "page" ? 1 : 0;
    }

    private static void Grow(ICatalogTransaction write, string what, int number)
    {
        var hash = new byte[Hash256.Size];
        var content = new byte[BlockGeometry.PageSize];
        new Random(number).NextBytes(hash);
        new Random(number).NextBytes(content);
        var name = new VersionName("v", "1");
        switch (what)
        {
            case "backup":
                var resource = LeaseResource.Volume($"v{number}");
                Assert.True(write.Leases.TryAcquire(resource, LeaseMode.Exclusive, "test", out _, out _));
                break;
            case "intent":
                write.Intents.Put(new Intent(IntentKind.Publish, Guid.NewGuid(), name, "s", 1, DateTimeOffset.UnixEpoch));
                break;
            case "page":
                write.BlockMaps.Put(
                [
                    new(new PageId(new Hash256(hash)), "s", 0, content, ReferenceState.Live, DateTimeOffset.UnixEpoch),
                ]);
                break;
            case "block":
                write.BlockReferences.Put(
                [
                    new BlockRow(
                        new BlockId(new Hash256(hash)),
                        "s",
                        BlockForm.Whole,
                        1,
                        1,
                        1,
                        [],
                        null,
                        false,
                        ReferenceState.Live,
                        DateTimeOffset.UnixEpoch),
                ]);
                break;
            default:
                write.Overlays.Add(new OverlayRecord(Guid.NewGuid(), "o", Guid.NewGuid(), name, DateTimeOffset.UnixEpoch));
                break;
        }
    }
}
