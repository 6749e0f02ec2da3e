using Benji.Store;
using Benji.Store.Catalogs;
using Benji.Store.Catalogs.LiteDb;
using Benji.Store.Catalogs.LiteDb.Reading;
using Benji.Store.Images;
using Benji.Store.Model;
using Benji.Store.Operations;
using Benji.Testing;
using Benji.Testing.Catalogs;
using Benji.Testing.Storages;
using Benji.Tests.Operations.Age;
using Xunit;

namespace Benji.Tests.Operations.Reading;

/// <summary>A store with a version of a disk, which this process may change and others may only read.</summary>
internal sealed class ReadOnlyWorld : IAsyncDisposable
{
    /// <summary>Bytes of a block.</summary>
    public const int Block = 4 * BlockGeometry.FrameSize;

    private ReadOnlyWorld()
    {
    }

    /// <summary>The store, as those see it who may write.</summary>
    public StoreFixture Store { get; } = new();

    /// <summary>The disk.</summary>
    public byte[] Content { get; } = new byte[6 * Block];

    /// <summary>The version.</summary>
    public VersionName Version { get; private set; } = null!;

    /// <summary>What those warn of who may only read.</summary>
    public WarningLog Log { get; } = new();

    /// <summary>Makes it.</summary>
    public static async Task<ReadOnlyWorld> MakeAsync()
    {
        var world = new ReadOnlyWorld();
        new Random(12).NextBytes(world.Content);
        world.Store.Images.Set("disk", [.. world.Content]);
        world.Version = (await world.Store.BackupAsync("disk")).Version.Name;
        world.Store.Clock.Advance(TimeSpan.FromHours(2));
        return world;
    }

    /// <summary>Opens the store on this host, where nothing can be written.</summary>
    public Task<BenjiStore> OpenHereAsync() => OpenAsync(
        async (options, token) => await ReadOnlyCatalog.OpenAsync(options, token), Store.Clock, _ => null);

    /// <summary>Opens the store on another host.</summary>
    public Task<BenjiStore> OpenElsewhereAsync(TimeProvider time, Func<StorageCall, Fault?>? script = null) =>
        OpenAsync(OtherHost.OpenAsync, time, script ?? (_ => null));

    /// <summary>Opens the store with a catalog that can be written and a storage that cannot.</summary>
    public Task<BenjiStore> OpenOverFixedStorageAsync() => BenjiStore.OpenAsync(
        Store.Options,
        new StoreParts { WrapStorage = inner => new FaultyStorage(inner, Refuse) },
        StoreUse.Read,
        Log,
        Store.Clock,
        CancellationToken.None);

    /// <summary>Removes the version, and deletes what is not needed then.</summary>
    public async Task<CleanupResult> RemoveAndCleanUpAsync()
    {
        await Store.RemoveAsync(Version);
        await Store.CleanupAsync();
        Store.Clock.Advance(TimeSpan.FromHours(2));
        return await Store.CleanupAsync();
    }

    /// <summary>Opens the version as an image.</summary>
    public async Task<IImage> OpenImageAsync(BenjiStore store)
    {
        var images = store.OpenImages(cacheBytes: 1);
        return await images.OpenVersionAsync(
            (await images.FindAsync(Version.ToString(), CancellationToken.None))!, CancellationToken.None);
    }

    /// <summary>Restores the version.</summary>
    public async Task<(RestoreResult Result, byte[] Content)> RestoreAsync(BenjiStore store, string target = "target")
    {
        var result = await store.RestoreAsync(
            new RestoreRequest { Version = Version.ToString(), Target = target, Force = true }, NoProgress.Instance);
        return (result, Store.Images[target].Content);
    }

    /// <summary>Scrubs the version.</summary>
    public Task<ScrubResult> ScrubAsync(BenjiStore store, bool isDeep) => store.ScrubAsync(
        new ScrubRequest { Version = Version.ToString(), IsDeep = isDeep }, NoProgress.Instance);

    /// <summary>Nothing is changed from here to the end of what this returns.</summary>
    public async Task<IAsyncDisposable> FreezeAsync()
    {
        await Store.CloseAsync();
        return new Frozen(Store.DirectoryPath);
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => Store.DisposeAsync();

    private Task<BenjiStore> OpenAsync(
        Func<LiteDbCatalogOptions, CancellationToken, Task<ICatalog>> open,
        TimeProvider time,
        Func<StorageCall, Fault?> script) => BenjiStore.OpenAsync(
            Store.Options,
            new StoreParts
            {
                OpenCatalog = (options, mayOnlyRead, token) =>
                {
                    Assert.True(mayOnlyRead);
                    return open(options, token);
                },
                WrapStorage = inner => new FaultyStorage(inner, call => Refuse(call) ?? script(call)),
            },
            StoreUse.Serve,
            Log,
            time,
            CancellationToken.None);

    private static Fault? Refuse(StorageCall call) =>
        call.Kind is StorageCallKind.Find or StorageCallKind.Read or StorageCallKind.List
            ? null
            : new Fault { Before = new StorageException("read-only file system", isTransient: false) };

    private sealed class Frozen(string path) : IAsyncDisposable
    {
        private readonly string _before = FolderSnapshot.Take(path);

        public ValueTask DisposeAsync()
        {
            Assert.Equal(_before, FolderSnapshot.Take(path));
            return ValueTask.CompletedTask;
        }
    }
}
