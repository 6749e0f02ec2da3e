namespace Benji.Store.Storages.Wrappers;

/// <summary>Lets no more calls into another storage at once than its traits call worth having; others wait their turn.</summary>
/// <remarks>Reads and finds take one of <see cref="StorageTraits.ReadsMax"/> places; puts, creates, adds, commits and deletes
/// one of <see cref="StorageTraits.WritesMax"/>. A listing takes none, since its caller may call while it is under way.
/// Safe for concurrent calls. Owns the other storage.</remarks>
internal sealed class LimitedStorage : IStorage
{
    private readonly IStorage _inner;
    private readonly SemaphoreSlim _reads;
    private readonly SemaphoreSlim _writes;

    /// <summary>Wraps a storage.</summary>
    public LimitedStorage(IStorage inner)
    {
        _inner = inner;
        _reads = new SemaphoreSlim(inner.Traits.ReadsMax);
        _writes = new SemaphoreSlim(inner.Traits.WritesMax);
    }

    /// <inheritdoc/>
    public StorageTraits Traits => _inner.Traits;

    /// <inheritdoc/>
    public async Task<bool> TryCreateAsync(
        ObjectName name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        using var place = await Place.TakeAsync(_writes, cancellationToken);
        return await _inner.TryCreateAsync(name, content, cancellationToken);
    }

    /// <inheritdoc/>
    public async Task PutAsync(ObjectName name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        using var place = await Place.TakeAsync(_writes, cancellationToken);
        await _inner.PutAsync(name, content, cancellationToken);
    }

    /// <inheritdoc/>
    public IObjectBatch StartBatch() => new Batch(_writes, _inner.StartBatch());

    /// <inheritdoc/>
    public async ValueTask<ObjectInfo?> FindAsync(ObjectName name, CancellationToken cancellationToken)
    {
        using var place = await Place.TakeAsync(_reads, cancellationToken);
        return await _inner.FindAsync(name, cancellationToken);
    }

    /// <inheritdoc/>
    public async ValueTask<int> ReadAsync(
        ObjectName name, long offset, Memory<byte> destination, CancellationToken cancellationToken)
    {
        using var place = await Place.TakeAsync(_reads, cancellationToken);
        return await _inner.ReadAsync(name, offset, destination, cancellationToken);
    }

    /// <inheritdoc/>
    public IAsyncEnumerable<ObjectInfo> ListAsync(string prefix, CancellationToken cancellationToken) =>
        _inner.ListAsync(prefix, cancellationToken);

    /// <inheritdoc/>
    public IAsyncEnumerable<Stranger> ListStrangersAsync(string prefix, CancellationToken cancellationToken) =>
        _inner.ListStrangersAsync(prefix, cancellationToken);

    /// <inheritdoc/>
    public async Task DeleteAsync(IReadOnlyList<ObjectName> names, CancellationToken cancellationToken)
    {
        using var place = await Place.TakeAsync(_writes, cancellationToken);
        await _inner.DeleteAsync(names, cancellationToken);
    }

    /// <inheritdoc/>
    public async Task<bool> TryDeleteAsync(
        ObjectName name, ReadOnlyMemory<byte> expected, CancellationToken cancellationToken)
    {
        using var place = await Place.TakeAsync(_writes, cancellationToken);
        return await _inner.TryDeleteAsync(name, expected, cancellationToken);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _inner.DisposeAsync();
        _reads.Dispose();
        _writes.Dispose();
    }

    private readonly struct Place(SemaphoreSlim places) : IDisposable
    {
        public static async ValueTask<Place> TakeAsync(SemaphoreSlim places, CancellationToken cancellationToken)
        {
            await places.WaitAsync(cancellationToken);
            return new Place(places);
        }

        public void Dispose() => places.Release();
    }

    private sealed class Batch(SemaphoreSlim writes, IObjectBatch inner) : IObjectBatch
    {
        public int Count => inner.Count;

        public long Bytes => inner.Bytes;

        public async ValueTask AddAsync(
            ObjectName name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
        {
            using var place = await Place.TakeAsync(writes, cancellationToken);
            await inner.AddAsync(name, content, cancellationToken);
        }

        public async ValueTask AddNewAsync(
            ObjectName name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
        {
            using var place = await Place.TakeAsync(writes, cancellationToken);
            await inner.AddNewAsync(name, content, cancellationToken);
        }

        public async Task<IReadOnlyList<ObjectName>> CommitAsync(CancellationToken cancellationToken)
        {
            using var place = await Place.TakeAsync(writes, cancellationToken);
            return await inner.CommitAsync(cancellationToken);
        }

        public ValueTask DisposeAsync() => inner.DisposeAsync();
    }
}
