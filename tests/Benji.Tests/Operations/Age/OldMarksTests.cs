using Benji.Store.Blocks.Age;
using Benji.Store.Catalogs;
using Benji.Store.Model;
using Benji.Testing.Catalogs;
using Benji.Testing.Storages;
using Xunit;

namespace Benji.Tests.Operations.Age;

/// <summary>How superseded marks leave the storage, and then the catalog.</summary>
public sealed class OldMarksTests : IAsyncLifetime
{
    private readonly AgeWorld _world = new();
    private AgeCatalog _catalog = null!;

    private IReadOnlyList<string> Marks =>
        [.. _world.Main.Names.Select(name => name.Value).Where(name => name.StartsWith("marks/", StringComparison.Ordinal))];

    public async Task InitializeAsync()
    {
        _catalog = _world.NewCatalog();
        _world.Images.Set("a", [1, 2, 3]);
        await _world.BackupAsync(_catalog, "a");
        _world.Clock.Advance(TimeSpan.FromSeconds(1));
    }

    public async Task DisposeAsync() => await _world.DisposeAsync();

    [Fact]
    public async Task EachRunSupersedesTheMarkBefore()
    {
        await _world.BackupAsync(_catalog, "a");
        Assert.Equal(
            [AgeMarkState.Retired, AgeMarkState.Required],
            _catalog.Place.State.AgeMarks.Values.OrderBy(known => known.Mark.Number).Select(known => known.State));
        Assert.Equal(2, Marks.Count);
    }

    [Fact]
    public async Task APublicationDeletesThemWhenThereAreMany()
    {
        await AddAsync(254, AgeMarkState.Retired);
        await _world.BackupAsync(_catalog, "a");
        Assert.Equal(2, Marks.Count);
        await _world.BackupAsync(_catalog, "a");
        Assert.Single(Marks);
        Assert.Equal(256, _catalog.Place.State.AgeMarks.Values.Count(known => known.State == AgeMarkState.Gone));
    }

    [Fact]
    public async Task ThoseThatAreGoneAreKnownForAWeekAndTheYoungestForever()
    {
        await AddAsync(100, AgeMarkState.Gone);
        _world.Clock.Advance(TimeSpan.FromDays(8));
        await AddAsync(10, AgeMarkState.Retired);
        await DeleteOldAsync();
        var gone = _catalog.Place.State.AgeMarks.Values.Where(known => known.State == AgeMarkState.Gone).ToList();
        Assert.Equal(64, gone.Count);
        Assert.Equal(10, gone.Count(known => known.Since == _world.Clock.GetUtcNow()));
    }

    [Fact]
    public async Task ThoseOfADayToComeAgeFromNow()
    {
        _world.Clock.Advance(TimeSpan.FromDays(3650));
        await AddAsync(100, AgeMarkState.Gone);
        var forgotten = (await AddAsync(1, AgeMarkState.Pending))[0];
        _world.Clock.Advance(-TimeSpan.FromDays(3650));
        await DeleteOldAsync();
        _world.Clock.Advance(TimeSpan.FromDays(8));
        await AddAsync(1, AgeMarkState.Retired);
        await DeleteOldAsync();
        var gone = _catalog.Place.State.AgeMarks.Values.Where(known => known.State == AgeMarkState.Gone).ToList();
        Assert.Equal(64, gone.Count);
        Assert.Contains(gone, known => known.Mark == forgotten);
    }

    [Fact]
    public async Task NoMoreAreKnownThanAreWorthTheirSpace()
    {
        await AddAsync(300, AgeMarkState.Gone);
        await AddAsync(1, AgeMarkState.Retired);
        await DeleteOldAsync();
        Assert.Equal(256, _catalog.Place.State.AgeMarks.Values.Count(known => known.State == AgeMarkState.Gone));
    }

    [Fact]
    public async Task AMarkThatWasPutLateIsFoundByItsListing()
    {
        var late = (await AddAsync(1, AgeMarkState.Gone))[0];
        await AddAsync(1, AgeMarkState.Retired);
        await _world.Main.PutAsync(new($"marks/{late}"), new byte[1], CancellationToken.None);
        await DeleteOldAsync();
        Assert.Single(Marks);
    }

    [Fact]
    public async Task AFailureToDeleteThemFailsNoBackup()
    {
        await AddAsync(256, AgeMarkState.Retired);
        foreach (var known in _catalog.Place.State.AgeMarks.Values)
        {
            await _world.Main.PutAsync(new($"marks/{known.Mark}"), new byte[1], CancellationToken.None);
        }

        using var log = new WarningLog();
        var wire = new Tripwire { Fits = call => call.Kind == StorageCallKind.Delete, Fault = Fault.Permanent() };
        var version = await _world.DoAsync(_catalog, store => AgeWorld.BackupAsync(store, "a"), wire, log);
        Assert.Contains(version.Id, _catalog.Place.State.Versions.Keys);
        Assert.Contains("until the next cleanup", Assert.Single(log.Warnings), StringComparison.Ordinal);
        Assert.Equal(258, Marks.Count);
        await _world.BackupAsync(_catalog, "a");
        Assert.Single(Marks);
    }

    [Fact]
    public async Task NumbersGoOnFromTheHighestThatIsKnown()
    {
        await _world.BackupAsync(_catalog, "a");
        await DeleteOldAsync();
        await _world.BackupAsync(_catalog, "a");
        Assert.Equal([1L, 2, 3], _catalog.Place.State.AgeMarks.Keys.Select(mark => mark.Number).Order());
    }

    private async Task DeleteOldAsync()
    {
        await using var catalog = new MemoryCatalog(_catalog.Place);
        await using var store = await _world.OpenMainAsync();
        await new AgeWatch(store, catalog, _world.Clock).DeleteOldAsync(CancellationToken.None);
    }

    private async Task<IReadOnlyList<AgeMark>> AddAsync(int count, AgeMarkState state)
    {
        await using var catalog = new MemoryCatalog(_catalog.Place);
        return await catalog.WriteAsync(
            transaction =>
            {
                var marks = new List<AgeMark>();
                for (var i = 0; i < count; i++)
                {
                    var (mark, _) = AgeLedger.Begin(transaction, "main", _world.Clock.GetUtcNow());
                    transaction.AgeMarks.Put(new KnownMark("main", mark, state, _world.Clock.GetUtcNow()));
                    marks.Add(mark);
                }

                return marks;
            },
            CancellationToken.None);
    }
}
