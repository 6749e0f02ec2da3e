using Benji.Store;
using Benji.Store.Model;
using Benji.Store.Operations;
using Benji.Testing;
using Benji.Testing.Images;
using Microsoft.Extensions.Logging;
using Xunit;
using LogLines = Benji.Tests.Nbd.Session.LogLines;

namespace Benji.Tests.Operations.Cleanup;

/// <summary>Cleanups of several storages, of which one or two cannot be cleaned up.</summary>
public sealed class CleanupOperationTests : IAsyncLifetime
{
    private static readonly string[] Names = ["first", "second", "third"];

    private readonly TemporaryDirectory _directory = new();
    private readonly MemoryImages _images = new();
    private readonly ManualClock _clock = new();
    private readonly LogLines _log = new();
    private BenjiStore _store = null!;

    public async Task InitializeAsync()
    {
        _clock.Advance(TimeSpan.FromDays(365 * 80));
        await OpenAsync();
        foreach (var name in Names)
        {
            _images.Set(name, [1, 2, 3]);
            var version = await _store.BackupAsync(
                new BackupRequest { Source = name, Volume = name, Storage = name }, NoProgress.Instance);
            await _store.RemoveAsync(new RemoveRequest { Versions = [version.Version.Name.ToString()], Force = true });
        }

        await _store.DisposeAsync();
        await OpenAsync();
    }

    public async Task DisposeAsync()
    {
        await _store.DisposeAsync();
        _directory.Dispose();
    }

    [Fact]
    public async Task AllStoragesAreCleanedUpInOneRun()
    {
        var result = await CleanUpAsync();

        Assert.Equal(6, result.ObjectsDeleted);
        Assert.All(Names, name => Assert.Equal(0, Blocks(name)));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task AStorageThatIsAwayStopsNoOther(bool isEmpty)
    {
        Directory.Move(_directory["first"], _directory["away"]);
        if (isEmpty)
        {
            // As a directory looks on which nothing is mounted.
            Directory.CreateDirectory(_directory["first"]);
        }

        await Assert.ThrowsAsync<StorageException>(CleanUpAsync);
        Assert.Equal([0, 0], [Blocks("second"), Blocks("third")]);

        if (isEmpty)
        {
            Directory.Delete(_directory["first"]);
        }

        ComeBack();
        Assert.Equal(2, (await CleanUpAsync()).ObjectsDeleted);
    }

    [Fact]
    public async Task ARefusedStorageStopsNoOtherAndDecidesHowTheCommandEnds()
    {
        Directory.Move(_directory["first"], _directory["away"]);
        Directory.CreateDirectory(_directory["second/marks"]);
        var foreign = _directory["second/marks/0000000000000099-00112233445566778899aabbccddeeff"];
        await File.WriteAllTextAsync(foreign, "x");

        var refusal = await Assert.ThrowsAsync<AgeMismatchException>(CleanUpAsync);

        Assert.Contains("second", refusal.Message, StringComparison.Ordinal);
        Assert.Equal([1, 0], [Blocks("second"), Blocks("third")]);
        Assert.Contains(_log.Lines, line => line.StartsWith("Warning Storage first was not cleaned up", StringComparison.Ordinal));
        File.Delete(foreign);
        ComeBack();
        Assert.Equal(4, (await CleanUpAsync()).ObjectsDeleted);
    }

    [Fact]
    public async Task SupersededMarksAreDeletedAtTheEnd()
    {
        Assert.Equal(2, Directory.GetFiles(_directory["first/marks"]).Length);

        await CleanUpAsync();

        Assert.Single(Directory.GetFiles(_directory["first/marks"]));
    }

    private Task<CleanupResult> CleanUpAsync() => _store.CleanupAsync(
        new CleanupRequest { OlderThan = TimeSpan.Zero }, NoProgress.Instance);

    // Nothing has made a directory in its place.
    private void ComeBack() => Directory.Move(_directory["away"], _directory["first"]);

    private int Blocks(string name) => Directory.Exists(_directory[$"{name}/blocks"])
        ? Directory.GetFiles(_directory[$"{name}/blocks"], "*", SearchOption.AllDirectories).Length
        : 0;

    private async Task OpenAsync() => _store = await BenjiStore.OpenAsync(
        new StoreOptions
        {
            CatalogPath = _directory["catalog.db"],
            OverlayDirectory = _directory["overlays"],
            Storages = [.. Names.Select(name => new StorageOptions { Name = name, Path = _directory[name] })],
            DefaultStorage = "first",
            Sources = _images,
            Workers = 1,
        },
        StoreParts.Plain,
        StoreUse.Create,
        new OneLogger(_log),
        _clock,
        CancellationToken.None);

    private sealed class OneLogger(ILogger logger) : ILoggerFactory
    {
        public ILogger CreateLogger(string categoryName) => logger;

        public void AddProvider(ILoggerProvider provider)
        {
        }

        public void Dispose()
        {
        }
    }
}
