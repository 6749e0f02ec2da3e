using System.Collections.Concurrent;
using Benji.Store.Blocks.Maps;
using Benji.Store.Model;

namespace Benji.Store.Images.Versions;

/// <summary>One opening of a version: its reads, its extents, and what it loads ahead.</summary>
/// <remarks>Opening reads nothing of the map, so that the size of the version does not matter.</remarks>
internal sealed class VersionImage : IImage
{
    private readonly VersionReader _reader;
    private readonly ReadAhead _ahead;
    private readonly CancellationToken _gone;
    private readonly Func<ValueTask> _close;
    private readonly ConcurrentBag<IAsyncDisposable> _owned = [];

    /// <summary>Opens a version whose blocks stay for as long as this is open.</summary>
    /// <param name="entry">What it is.</param>
    /// <param name="source">Its storage.</param>
    /// <param name="close">Called once, at the end: gives up what keeps the blocks.</param>
    /// <param name="gone">Cancelled when nothing keeps the blocks any more: reads fail from then on.</param>
    public VersionImage(ImageEntry entry, ImageBlocks source, Func<ValueTask> close, CancellationToken gone)
    {
        Entry = entry;
        Source = source;
        Map = new MapReader(source.Pages, entry.Version.Root, entry.Version.Geometry);
        _reader = new VersionReader(source, new LeafCache(Map), entry.Version);
        _ahead = new ReadAhead(_reader, entry.Size);
        _gone = gone;
        _close = close;
        Allocation = new AllocationExtents(source, Map);
        Damage = new DamageExtents(source, Map);
    }

    /// <inheritdoc/>
    public ImageEntry Entry { get; }

    /// <inheritdoc/>
    public long Size => Entry.Size;

    /// <inheritdoc/>
    public IExtentMap Allocation { get; }

    /// <inheritdoc/>
    public IExtentMap Damage { get; }

    /// <summary>The storage, for whoever compares this version with another.</summary>
    public ImageBlocks Source { get; }

    /// <summary>The map, for whoever compares this version with another.</summary>
    public MapReader Map { get; }

    /// <inheritdoc/>
    public bool TryRead(long offset, int length, ImagePieces pieces)
    {
        if (_gone.IsCancellationRequested || !_reader.TryRead(offset, length, pieces))
        {
            return false;
        }

        _ahead.Note(offset, length);
        return true;
    }

    /// <inheritdoc/>
    public ValueTask ReadAsync(long offset, int length, ImagePieces pieces, CancellationToken cancellationToken)
    {
        RequireThere();
        _ahead.Note(offset, length);
        return _reader.ReadAsync(offset, length, pieces, cancellationToken);
    }

    /// <inheritdoc/>
    public ValueTask PrefetchAsync(long offset, long length, CancellationToken cancellationToken) =>
        _reader.PrefetchAsync(offset, length, cancellationToken);

    /// <summary>Keeps something that is disposed together with this image.</summary>
    public T Own<T>(T other)
        where T : IAsyncDisposable
    {
        _owned.Add(other);
        return other;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _ahead.DisposeAsync();
        foreach (var other in _owned)
        {
            await other.DisposeAsync();
        }

        await _close();
    }

    private void RequireThere()
    {
        if (_gone.IsCancellationRequested)
        {
            throw new StorageException(
                $"Version {Entry.Version.Name} was removed while it was open; as the catalog can only be read here, nothing keeps "
                + "its blocks.",
                isTransient: false);
        }
    }
}
