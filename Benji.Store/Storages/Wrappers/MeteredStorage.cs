using System.Runtime.CompilerServices;
using Benji.Store.Model;

namespace Benji.Store.Storages.Wrappers;

/// <summary>Counts the calls to another storage and the bytes that they move.</summary>
/// <remarks>Safe for concurrent calls. Owns the other storage.</remarks>
internal sealed class MeteredStorage(IStorage inner) : IStorage
{
    private readonly Lock _countsLock = new();
    private StorageCounts _counts;

    /// <inheritdoc/>
    public StorageTraits Traits => inner.Traits;

    /// <summary>What was counted so far; all numbers are of one moment.</summary>
    public StorageCounts Counts
    {
        get
        {
            lock (_countsLock)
            {
                return _counts;
            }
        }
    }

    /// <inheritdoc/>
    public async Task<bool> TryCreateAsync(
        ObjectName name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        try
        {
            var isNew = await inner.TryCreateAsync(name, content, cancellationToken);
            if (isNew)
            {
                CountWrite(content.Length);
            }

            return isNew;
        }
        catch (BenjiException)
        {
            CountFailure();
            throw;
        }
    }

    /// <inheritdoc/>
    public async Task PutAsync(ObjectName name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        try
        {
            await inner.PutAsync(name, content, cancellationToken);
            CountWrite(content.Length);
        }
        catch (BenjiException)
        {
            CountFailure();
            throw;
        }
    }

    /// <inheritdoc/>
    public IObjectBatch StartBatch() => new Batch(this, inner.StartBatch());

    /// <inheritdoc/>
    public async ValueTask<ObjectInfo?> FindAsync(ObjectName name, CancellationToken cancellationToken)
    {
        try
        {
            var found = await inner.FindAsync(name, cancellationToken);
            Count(counts => counts with { Finds = counts.Finds + 1 });
            return found;
        }
        catch (BenjiException)
        {
            CountFailure();
            throw;
        }
    }

    /// <inheritdoc/>
    public async ValueTask<int> ReadAsync(
        ObjectName name, long offset, Memory<byte> destination, CancellationToken cancellationToken)
    {
        try
        {
            var count = await inner.ReadAsync(name, offset, destination, cancellationToken);
            Count(counts => counts with { Reads = counts.Reads + 1, ReadBytes = counts.ReadBytes + count });
            return count;
        }
        catch (BenjiException)
        {
            CountFailure();
            throw;
        }
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<ObjectInfo> ListAsync(
        string prefix, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await using var objects = inner.ListAsync(prefix, cancellationToken).GetAsyncEnumerator(cancellationToken);
        while (await MoveNextAsync(objects))
        {
            yield return objects.Current;
        }
    }

    /// <inheritdoc/>
    public IAsyncEnumerable<Stranger> ListStrangersAsync(string prefix, CancellationToken cancellationToken) =>
        inner.ListStrangersAsync(prefix, cancellationToken);

    /// <inheritdoc/>
    public async Task DeleteAsync(IReadOnlyList<ObjectName> names, CancellationToken cancellationToken)
    {
        try
        {
            await inner.DeleteAsync(names, cancellationToken);
            Count(counts => counts with { Deletes = counts.Deletes + names.Count });
        }
        catch (BenjiException)
        {
            CountFailure();
            throw;
        }
    }

    /// <inheritdoc/>
    public async Task<bool> TryDeleteAsync(
        ObjectName name, ReadOnlyMemory<byte> expected, CancellationToken cancellationToken)
    {
        try
        {
            var isGone = await inner.TryDeleteAsync(name, expected, cancellationToken);
            Count(counts => counts with { Deletes = counts.Deletes + (isGone ? 1 : 0) });
            return isGone;
        }
        catch (BenjiException)
        {
            CountFailure();
            throw;
        }
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => inner.DisposeAsync();

    private async ValueTask<bool> MoveNextAsync(IAsyncEnumerator<ObjectInfo> objects)
    {
        try
        {
            var isAny = await objects.MoveNextAsync();
            Count(counts => counts with { Listed = counts.Listed + (isAny ? 1 : 0) });
            return isAny;
        }
        catch (BenjiException)
        {
            CountFailure();
            throw;
        }
    }

    private void CountWrite(int length) => Count(
        counts => counts with { Writes = counts.Writes + 1, WrittenBytes = counts.WrittenBytes + length });

    private void CountFailure() => Count(counts => counts with { Failures = counts.Failures + 1 });

    private void Count(Func<StorageCounts, StorageCounts> change)
    {
        lock (_countsLock)
        {
            _counts = change(_counts);
        }
    }

    private sealed class Batch(MeteredStorage storage, IObjectBatch inner) : IObjectBatch
    {
        public int Count => inner.Count;

        public long Bytes => inner.Bytes;

        public ValueTask AddAsync(
            ObjectName name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken) =>
            CountAsync(() => inner.AddAsync(name, content, cancellationToken), content.Length);

        public ValueTask AddNewAsync(
            ObjectName name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken) =>
            CountAsync(() => inner.AddNewAsync(name, content, cancellationToken), content.Length);

        public async Task<IReadOnlyList<ObjectName>> CommitAsync(CancellationToken cancellationToken)
        {
            try
            {
                var taken = await inner.CommitAsync(cancellationToken);
                storage.Count(counts => counts with { Commits = counts.Commits + 1 });
                return taken;
            }
            catch (BenjiException)
            {
                storage.CountFailure();
                throw;
            }
        }

        public ValueTask DisposeAsync() => inner.DisposeAsync();

        private async ValueTask CountAsync(Func<ValueTask> add, int length)
        {
            try
            {
                await add();
                storage.CountWrite(length);
            }
            catch (BenjiException)
            {
                storage.CountFailure();
                throw;
            }
        }
    }
}
