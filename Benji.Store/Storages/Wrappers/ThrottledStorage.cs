using Benji.Store.Model;

namespace Benji.Store.Storages.Wrappers;

/// <summary>Slows the reads and writes of another storage down to given rates.</summary>
/// <remarks>Counts the objects' bytes, not those of names, listings and protocols. Safe for concurrent calls. Owns the other
/// storage.</remarks>
internal sealed class ThrottledStorage : IStorage
{
    private readonly IStorage _inner;
    private readonly TokenBucket? _reads;
    private readonly TokenBucket? _writes;

    /// <summary>Wraps a storage.</summary>
    /// <param name="inner">The storage that is called.</param>
    /// <param name="readBytesPerSecond">The rate of reads; 0 for no limit.</param>
    /// <param name="writeBytesPerSecond">The rate of writes; 0 for no limit.</param>
    /// <param name="time">The clock.</param>
    public ThrottledStorage(IStorage inner, long readBytesPerSecond, long writeBytesPerSecond, TimeProvider time)
    {
        Invariant.Holds(readBytesPerSecond >= 0 && writeBytesPerSecond >= 0);
        _inner = inner;
        _reads = readBytesPerSecond > 0 ? new TokenBucket(readBytesPerSecond, time) : null;
        _writes = writeBytesPerSecond > 0 ? new TokenBucket(writeBytesPerSecond, time) : null;
    }

    /// <inheritdoc/>
    public StorageTraits Traits => _inner.Traits;

    /// <inheritdoc/>
    public async Task<bool> TryCreateAsync(
        ObjectName name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        await TakeAsync(_writes, content.Length, cancellationToken);
        return await _inner.TryCreateAsync(name, content, cancellationToken);
    }

    /// <inheritdoc/>
    public async Task PutAsync(ObjectName name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        await TakeAsync(_writes, content.Length, cancellationToken);
        await _inner.PutAsync(name, content, cancellationToken);
    }

    /// <inheritdoc/>
    public IObjectBatch StartBatch() => new Batch(_writes, _inner.StartBatch());

    /// <inheritdoc/>
    public ValueTask<ObjectInfo?> FindAsync(ObjectName name, CancellationToken cancellationToken) =>
        _inner.FindAsync(name, cancellationToken);

    /// <inheritdoc/>
    public async ValueTask<int> ReadAsync(
        ObjectName name, long offset, Memory<byte> destination, CancellationToken cancellationToken)
    {
        await TakeAsync(_reads, destination.Length, cancellationToken);
        var count = await _inner.ReadAsync(name, offset, destination, cancellationToken);
        _reads?.Return(destination.Length - count);
        return count;
    }

    /// <inheritdoc/>
    public IAsyncEnumerable<ObjectInfo> ListAsync(string prefix, CancellationToken cancellationToken) =>
        _inner.ListAsync(prefix, cancellationToken);

    /// <inheritdoc/>
    public IAsyncEnumerable<Stranger> ListStrangersAsync(string prefix, CancellationToken cancellationToken) =>
        _inner.ListStrangersAsync(prefix, cancellationToken);

    /// <inheritdoc/>
    public Task DeleteAsync(IReadOnlyList<ObjectName> names, CancellationToken cancellationToken) =>
        _inner.DeleteAsync(names, cancellationToken);

    /// <inheritdoc/>
    public Task<bool> TryDeleteAsync(
        ObjectName name, ReadOnlyMemory<byte> expected, CancellationToken cancellationToken) =>
        _inner.TryDeleteAsync(name, expected, cancellationToken);

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _inner.DisposeAsync();

    private static ValueTask TakeAsync(TokenBucket? bucket, int length, CancellationToken cancellationToken) =>
        bucket?.TakeAsync(length, cancellationToken) ?? ValueTask.CompletedTask;

    private sealed class Batch(TokenBucket? writes, IObjectBatch inner) : IObjectBatch
    {
        public int Count => inner.Count;

        public long Bytes => inner.Bytes;

        public async ValueTask AddAsync(
            ObjectName name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
        {
            await TakeAsync(writes, content.Length, cancellationToken);
            await inner.AddAsync(name, content, cancellationToken);
        }

        public async ValueTask AddNewAsync(
            ObjectName name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
        {
            await TakeAsync(writes, content.Length, cancellationToken);
            await inner.AddNewAsync(name, content, cancellationToken);
        }

        public Task<IReadOnlyList<ObjectName>> CommitAsync(CancellationToken cancellationToken) =>
            inner.CommitAsync(cancellationToken);

        public ValueTask DisposeAsync() => inner.DisposeAsync();
    }
}
