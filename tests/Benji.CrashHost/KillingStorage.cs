using Benji.Store.Storages;

namespace Benji.CrashHost;

/// <summary>A storage with a point to die at before and after everything that changes it.</summary>
internal sealed class KillingStorage(IStorage inner, KillPoints points) : IStorage
{
    public StorageTraits Traits => inner.Traits;

    public async Task<bool> TryCreateAsync(
        ObjectName name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        points.Pass();
        var isCreated = await inner.TryCreateAsync(name, content, cancellationToken);
        points.Pass();
        return isCreated;
    }

    public async Task PutAsync(ObjectName name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        points.Pass();
        await inner.PutAsync(name, content, cancellationToken);
        points.Pass();
    }

    public IObjectBatch StartBatch() => new KillingBatch(inner.StartBatch(), points);

    public ValueTask<ObjectInfo?> FindAsync(ObjectName name, CancellationToken cancellationToken) =>
        inner.FindAsync(name, cancellationToken);

    public ValueTask<int> ReadAsync(
        ObjectName name, long offset, Memory<byte> destination, CancellationToken cancellationToken) =>
        inner.ReadAsync(name, offset, destination, cancellationToken);

    public IAsyncEnumerable<ObjectInfo> ListAsync(string prefix, CancellationToken cancellationToken) =>
        inner.ListAsync(prefix, cancellationToken);

    public IAsyncEnumerable<Stranger> ListStrangersAsync(string prefix, CancellationToken cancellationToken) =>
        inner.ListStrangersAsync(prefix, cancellationToken);

    public async Task DeleteAsync(IReadOnlyList<ObjectName> names, CancellationToken cancellationToken)
    {
        points.Pass();
        await inner.DeleteAsync(names, cancellationToken);
        points.Pass();
    }

    public async Task<bool> TryDeleteAsync(
        ObjectName name, ReadOnlyMemory<byte> expected, CancellationToken cancellationToken)
    {
        points.Pass();
        var isGone = await inner.TryDeleteAsync(name, expected, cancellationToken);
        points.Pass();
        return isGone;
    }

    public ValueTask DisposeAsync() => inner.DisposeAsync();

    private sealed class KillingBatch(IObjectBatch inner, KillPoints points) : IObjectBatch
    {
        public int Count => inner.Count;

        public long Bytes => inner.Bytes;

        public async ValueTask AddAsync(
            ObjectName name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
        {
            await inner.AddAsync(name, content, cancellationToken);
            points.Pass();
        }

        public async ValueTask AddNewAsync(
            ObjectName name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
        {
            await inner.AddNewAsync(name, content, cancellationToken);
            points.Pass();
        }

        public async Task<IReadOnlyList<ObjectName>> CommitAsync(CancellationToken cancellationToken)
        {
            points.Pass();
            var taken = await inner.CommitAsync(cancellationToken);
            points.Pass();
            return taken;
        }

        public ValueTask DisposeAsync() => inner.DisposeAsync();
    }
}
