using Benji.Store.Blocks;
using Benji.Store.Images.Versions;
using Benji.Store.Images.Versions.Frames;
using Benji.Store.Model;
using Benji.Store.Operations.Running;

namespace Benji.Store.Operations.Serving;

/// <summary>The storages as images see them, each opened when its first version is; one memory of frames for all.</summary>
/// <remarks>Safe for concurrent calls. Disposing it waits a little for what is being loaded.</remarks>
internal sealed class ImageStores(StoreContext context, long cacheBytes) : IAsyncDisposable
{
    // More than the processors, so that a block that does not come holds up no other.
    private const int LoadsMax = 16;

    private static readonly TimeSpan DrainTimeout = TimeSpan.FromSeconds(5);

    private readonly Lock _openedLock = new();
    private readonly Dictionary<string, (ImageBlocks Source, BlockStore Blocks)> _opened = [];
    private readonly FrameCache _cache = new(cacheBytes);

    /// <summary>Opens a storage.</summary>
    /// <exception cref="UsageException">The name is not configured.</exception>
    /// <exception cref="ConfigurationException">It is another store, of a newer format, or the key does not fit.</exception>
    /// <exception cref="StorageException">It could not be read, or did not answer.</exception>
    public async Task<ImageBlocks> OpenAsync(string storage, CancellationToken cancellationToken)
    {
        lock (_openedLock)
        {
            if (_opened.TryGetValue(storage, out var opened))
            {
                return opened.Source;
            }
        }

        var store = await OpenStoreAsync(storage, cancellationToken);
        lock (_openedLock)
        {
            if (!_opened.TryGetValue(storage, out var opened))
            {
                opened = Open(store);
                _opened.Add(storage, opened);
            }

            return opened.Source;
        }
    }

    /// <summary>Ends what is being loaded. A storage that hangs is left behind: its load fails later, unseen.</summary>
    public async ValueTask DisposeAsync()
    {
        var isIdle = true;
        foreach (var (source, blocks) in _opened.Values)
        {
            if (await source.Loader.DrainAsync(DrainTimeout, context.Time))
            {
                source.Loader.Dispose();
                blocks.Dispose();
            }
            else
            {
                isIdle = false;
            }
        }

        if (isIdle)
        {
            _cache.Dispose();
        }
    }

    // A storage that hangs keeps a thread until it answers, not whoever waits for it.
    private async Task<OpenedStore> OpenStoreAsync(string storage, CancellationToken cancellationToken)
    {
        var opening = Task.Run(
            () => context.Stores.OpenForReadingAsync(storage, CancellationToken.None), CancellationToken.None);
        try
        {
            return await opening.WaitAsync(ImageBlocks.Timeout, context.Time, cancellationToken);
        }
        catch (TimeoutException failure)
        {
            throw ImageBlocks.NotAnswered(storage, failure);
        }
    }

    private (ImageBlocks Source, BlockStore Blocks) Open(OpenedStore store)
    {
        var blocks = new BlockStore(store);
        var source = new ImageBlocks
        {
            Storage = store.Name,
            Blocks = blocks,
            Pages = StorePages.Open(context, store),
            Catalog = context.Catalog,
            Cache = _cache,
            Loader = new FrameLoader(blocks, _cache, context.Pool, LoadsMax),
            Time = context.Time,
            OnDamage = (block, version, reason) => Log.ImageDamaged(context.Logger, block, version, reason),
        };
        return (source, blocks);
    }
}
