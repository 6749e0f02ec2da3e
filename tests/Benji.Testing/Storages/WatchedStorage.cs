using Benji.Store.Storages;

namespace Benji.Testing.Storages;

/// <summary>A storage that counts reads and look-ups, and calls a test before each read, and before and after each commit.</summary>
/// <remarks>Safe for concurrent calls as far as the hooks are.</remarks>
internal sealed class WatchedStorage(IStorage inner) : IStorage
{
    private int _reads;
    private int _finds;

    /// <summary>Called before each read.</summary>
    public Func<ObjectName, Task>? BeforeRead { get; set; }

    /// <summary>Called before each commit of a batch, with the number of its objects.</summary>
    public Func<int, Task>? BeforeCommit { get; set; }

    /// <summary>Called after each commit of a batch, which failed when this throws.</summary>
    public Func<Task>? AfterCommit { get; set; }

    /// <summary>Look-ups begun.</summary>
    public int Finds => _finds;

    /// <summary>Reads begun.</summary>
    public int Reads => _reads;

    /// <inheritdoc/>
    public StorageTraits Traits => inner.Traits;

    /// <inheritdoc/>
    public Task<bool> TryCreateAsync(
        ObjectName name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken) =>
        inner.TryCreateAsync(name, content, cancellationToken);

    /// <inheritdoc/>
    public Task PutAsync(ObjectName name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken) =>
        inner.PutAsync(name, content, cancellationToken);

    /// <inheritdoc/>
    public IObjectBatch StartBatch() => new Batch(this, inner.StartBatch());

    /// <inheritdoc/>
    public ValueTask<ObjectInfo?> FindAsync(ObjectName name, CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref _finds);
        return inner.FindAsync(name, cancellationToken);
    }

    /// <inheritdoc/>
    public ValueTask<int> ReadAsync(
        ObjectName name, long offset, Memory<byte> destination, CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref _reads);
        return BeforeRead is { } hook
            ? ReadAfterAsync(hook, name, offset, destination, cancellationToken)
            : inner.ReadAsync(name, offset, destination, cancellationToken);
    }

    /// <inheritdoc/>
    public IAsyncEnumerable<ObjectInfo> ListAsync(string prefix, CancellationToken cancellationToken) =>
        inner.ListAsync(prefix, cancellationToken);

    /// <inheritdoc/>
    public IAsyncEnumerable<Stranger> ListStrangersAsync(string prefix, CancellationToken cancellationToken) =>
        inner.ListStrangersAsync(prefix, cancellationToken);

    /// <inheritdoc/>
    public Task DeleteAsync(IReadOnlyList<ObjectName> names, CancellationToken cancellationToken) =>
        inner.DeleteAsync(names, cancellationToken);

    /// <inheritdoc/>
    public Task<bool> TryDeleteAsync(
        ObjectName name, ReadOnlyMemory<byte> expected, CancellationToken cancellationToken) =>
        inner.TryDeleteAsync(name, expected, cancellationToken);

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => inner.DisposeAsync();

    private async ValueTask<int> ReadAfterAsync(
        Func<ObjectName, Task> hook, ObjectName name, long offset, Memory<byte> destination,
        CancellationToken cancellationToken)
    {
        await hook(name);
        return await inner.ReadAsync(name, offset, destination, cancellationToken);
    }

    private sealed class Batch(WatchedStorage storage, IObjectBatch batch) : IObjectBatch
    {
        public int Count => batch.Count;

        public long Bytes => batch.Bytes;

        public ValueTask AddAsync(
            ObjectName name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken) =>
            batch.AddAsync(name, content, cancellationToken);

        public ValueTask AddNewAsync(
            ObjectName name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken) =>
            batch.AddNewAsync(name, content, cancellationToken);

        public async Task<IReadOnlyList<ObjectName>> CommitAsync(CancellationToken cancellationToken)
        {
            if (storage.BeforeCommit is not null)
            {
                await storage.BeforeCommit(batch.Count);
            }

            var taken = await batch.CommitAsync(cancellationToken);
            if (storage.AfterCommit is not null)
            {
                await storage.AfterCommit();
            }

            return taken;
        }

        public ValueTask DisposeAsync() => batch.DisposeAsync();
    }
}
