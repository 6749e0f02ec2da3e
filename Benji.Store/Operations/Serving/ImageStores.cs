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

    private readonly SemaphoreSlim _opening = new(1, 1);
    private readonly Dictionary<string, (ImageBlocks Source, BlockStore Blocks)> _opened = [];
    private readonly FrameCache _cache = new(cacheBytes);

    /// <summary>Opens a storage.</summary>
    /// <exception cref="UsageException">The name is not configured.</exception>
    /// <exception cref="ConfigurationException">It is another store, of a newer format, or the key does not fit.</exception>
    /// <exception cref="StorageException">It could not be read.</exception>
    public async Task<ImageBlocks> OpenAsync(string storage, CancellationToken cancellationToken)
    {
        await _opening.WaitAsync(cancellationToken);
        try
        {
            if (!_opened.TryGetValue(storage, out var opened))
            {
                opened = Open(await context.Stores.OpenAsync(storage, cancellationToken));
                _opened.Add(storage, opened);
            }

            return opened.Source;
        }
        finally
        {
            _opening.Release();
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

        _opening.Dispose();
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
