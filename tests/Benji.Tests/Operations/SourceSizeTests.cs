using Benji.Store;
using Benji.Store.Model;
using Benji.Store.Operations;
using Benji.Store.Sources;
using Benji.Testing;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Benji.Tests.Operations;

/// <summary>Sources that become shorter or longer while they are read.</summary>
public sealed class SourceSizeTests : IDisposable
{
    private const int Size = (3 << 16) + 5;

    private readonly TemporaryDirectory _directory = new();

    private StoreOptions Options => new()
    {
        CatalogPath = _directory["catalog.db"],
        OverlayDirectory = _directory["overlays"],
        Storages = [new StorageOptions { Name = "main", Path = _directory["storage"] }],
        DefaultStorage = "main",
        BlockSize = 1 << 16,
        Sources = new SourceOpener(IoOptions.Default),
    };

    public void Dispose() => _directory.Dispose();

    [Theory]
    [InlineData(1)]
    [InlineData(-1)]
    [InlineData(1 << 20)]
    public async Task NothingIsPublishedOfAFileThatChangedItsSizeAfterItWasRead(int change)
    {
        await using var store = await OpenAsync();
        Write();
        await Assert.ThrowsAsync<StorageException>(() => BackUpAsync(store, change));
        Assert.Empty(await store.ListAsync(null));

        Write();
        Assert.Equal(Size, (await BackUpAsync(store, change: 0)).Version.Size);
    }

    [Fact]
    public async Task AComparisonWithAFileThatChangesItsSizeFails()
    {
        await using var store = await OpenAsync();
        Write();
        await BackUpAsync(store, change: 0);
        var request = new ScrubRequest { Version = "disk/latest", IsDeep = true, Source = _directory["disk"] };
        var progress = new Resizing(_directory["disk"], Size + 1, "comparing");
        await Assert.ThrowsAsync<StorageException>(() => store.ScrubAsync(request, progress));
    }

    private Task<BenjiStore> OpenAsync() =>
        BenjiStore.OpenAsync(Options, StoreUse.Create, NullLoggerFactory.Instance, TimeProvider.System);

    private void Write()
    {
        var content = new byte[Size];
        new Random(1).NextBytes(content);
        File.WriteAllBytes(_directory["disk"], content.AsSpan());
    }

    private Task<BackupResult> BackUpAsync(BenjiStore store, int change) => store.BackupAsync(
        new BackupRequest { Source = _directory["disk"], Volume = "disk" },
        new Resizing(_directory["disk"], Size + change, "reading"));

    /// <summary>Sets a file's length when the last byte of a stage was done.</summary>
    private sealed class Resizing(string path, long size, string wanted) : IOperationProgress
    {
        private long _left = long.MaxValue;

        public void StartStage(string name, long? total, ProgressUnit unit) =>
            Interlocked.Exchange(ref _left, name == wanted ? total!.Value : long.MaxValue);

        public void Advance(long units)
        {
            if (Interlocked.Add(ref _left, -units) == 0)
            {
                using var file = File.OpenHandle(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite);
                RandomAccess.SetLength(file, size);
            }
        }
    }
}
