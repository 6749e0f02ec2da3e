using System.Runtime.CompilerServices;
using Benji.Store.Model;

namespace Benji.Store.Storages.Wrappers;

/// <summary>Repeats calls to another storage that failed for a passing reason, a bounded number of times.</summary>
/// <remarks>Only calls whose repetition does no harm: put, add, find, read, delete, and a listing that has not yielded yet.
/// Not a create, which could find its own lost success in the way, and not a commit, because a sync that succeeds the
/// second time says nothing of the first. Safe for concurrent calls. Owns the other storage.</remarks>
/// <param name="inner">The storage that is called.</param>
/// <param name="policy">How often and when.</param>
/// <param name="random">Spreads the waits; used under a lock.</param>
/// <param name="time">The clock of the waits.</param>
internal sealed class RetryingStorage(IStorage inner, RetryPolicy policy, Random random, TimeProvider time) : IStorage
{
    private readonly Lock _randomLock = new();

    /// <inheritdoc/>
    public StorageTraits Traits => inner.Traits;

    /// <inheritdoc/>
    public Task<bool> TryCreateAsync(
        ObjectName name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken) =>
        inner.TryCreateAsync(name, content, cancellationToken);

    /// <inheritdoc/>
    public async Task PutAsync(ObjectName name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                await inner.PutAsync(name, content, cancellationToken);
                return;
            }
            catch (StorageException failure) when (IsRepeated(failure, attempt))
            {
                await WaitAsync(attempt, cancellationToken);
            }
        }
    }

    /// <inheritdoc/>
    public IObjectBatch StartBatch() => new Batch(this, inner.StartBatch());

    /// <inheritdoc/>
    public async ValueTask<ObjectInfo?> FindAsync(ObjectName name, CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return await inner.FindAsync(name, cancellationToken);
            }
            catch (StorageException failure) when (IsRepeated(failure, attempt))
            {
                await WaitAsync(attempt, cancellationToken);
            }
        }
    }

    /// <inheritdoc/>
    public async ValueTask<int> ReadAsync(
        ObjectName name, long offset, Memory<byte> destination, CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return await inner.ReadAsync(name, offset, destination, cancellationToken);
            }
            catch (StorageException failure) when (IsRepeated(failure, attempt))
            {
                await WaitAsync(attempt, cancellationToken);
            }
        }
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<ObjectInfo> ListAsync(
        string prefix, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var (objects, isAny) = await StartListAsync(prefix, cancellationToken);
        await using (objects)
        {
            while (isAny)
            {
                yield return objects.Current;
                isAny = await objects.MoveNextAsync();
            }
        }
    }

    /// <inheritdoc/>
    public IAsyncEnumerable<Stranger> ListStrangersAsync(string prefix, CancellationToken cancellationToken) =>
        inner.ListStrangersAsync(prefix, cancellationToken);

    /// <inheritdoc/>
    public async Task DeleteAsync(IReadOnlyList<ObjectName> names, CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                await inner.DeleteAsync(names, cancellationToken);
                return;
            }
            catch (StorageException failure) when (IsRepeated(failure, attempt))
            {
                await WaitAsync(attempt, cancellationToken);
            }
        }
    }

    /// <inheritdoc/>
    public async Task<bool> TryDeleteAsync(
        ObjectName name, ReadOnlyMemory<byte> expected, CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return await inner.TryDeleteAsync(name, expected, cancellationToken);
            }
            catch (StorageException failure) when (IsRepeated(failure, attempt))
            {
                await WaitAsync(attempt, cancellationToken);
            }
        }
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => inner.DisposeAsync();

    // Nothing was yielded before the first object is there, so until then a listing may start over.
    private async Task<(IAsyncEnumerator<ObjectInfo> Objects, bool IsAny)> StartListAsync(
        string prefix, CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            var objects = inner.ListAsync(prefix, cancellationToken).GetAsyncEnumerator(cancellationToken);
            try
            {
                return (objects, await objects.MoveNextAsync());
            }
            catch (Exception failure)
            {
                await objects.DisposeAsync();
                if (failure is not StorageException storageFailure || !IsRepeated(storageFailure, attempt))
                {
                    throw;
                }
            }

            await WaitAsync(attempt, cancellationToken);
        }
    }

    private bool IsRepeated(StorageException failure, int attempt) =>
        failure.IsTransient && attempt < policy.AttemptsMax;

    private Task WaitAsync(int attempt, CancellationToken cancellationToken)
    {
        double jitter;
        lock (_randomLock)
        {
            jitter = random.NextDouble();
        }

        return Task.Delay(policy.DelayAfter(attempt, jitter), time, cancellationToken);
    }

    private sealed class Batch(RetryingStorage storage, IObjectBatch inner) : IObjectBatch
    {
        public int Count => inner.Count;

        public long Bytes => inner.Bytes;

        public ValueTask AddAsync(
            ObjectName name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken) =>
            RepeatAsync(() => inner.AddAsync(name, content, cancellationToken), cancellationToken);

        public ValueTask AddNewAsync(
            ObjectName name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken) =>
            RepeatAsync(() => inner.AddNewAsync(name, content, cancellationToken), cancellationToken);

        public Task<IReadOnlyList<ObjectName>> CommitAsync(CancellationToken cancellationToken) =>
            inner.CommitAsync(cancellationToken);

        public ValueTask DisposeAsync() => inner.DisposeAsync();

        private async ValueTask RepeatAsync(Func<ValueTask> add, CancellationToken cancellationToken)
        {
            for (var attempt = 1; ; attempt++)
            {
                try
                {
                    await add();
                    return;
                }
                catch (StorageException failure) when (storage.IsRepeated(failure, attempt))
                {
                    await storage.WaitAsync(attempt, cancellationToken);
                }
            }
        }
    }
}
