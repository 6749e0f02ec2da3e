using System.Runtime.CompilerServices;
using Benji.Store.Catalogs;
using Benji.Store.Model;
using Benji.Store.Storages;

namespace Benji.Testing.Interleaving;

/// <summary>A catalog whose every transaction is a step.</summary>
internal sealed class SteppedCatalog(ICatalog catalog, Interleaver steps) : ICatalog
{
    /// <inheritdoc/>
    public LeaseOwner Owner => catalog.Owner;

    /// <inheritdoc/>
    public async Task<T> ReadAsync<T>(Func<ICatalogTransaction, T> work, CancellationToken cancellationToken)
    {
        await steps.PassAsync();
        return await catalog.ReadAsync(work, cancellationToken);
    }

    /// <inheritdoc/>
    public async Task<T> WriteAsync<T>(Func<ICatalogTransaction, T> work, CancellationToken cancellationToken)
    {
        await steps.PassAsync();
        return await catalog.WriteAsync(work, cancellationToken);
    }

    /// <inheritdoc/>
    public long ReadGeneration() => catalog.ReadGeneration();

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => catalog.DisposeAsync();
}

/// <summary>A storage whose every call is a step.</summary>
internal sealed class SteppedStorage(IStorage storage, Interleaver steps) : IStorage
{
    /// <inheritdoc/>
    public StorageTraits Traits => storage.Traits with { ReadsMax = 1 };

    /// <inheritdoc/>
    public async Task<bool> TryCreateAsync(
        ObjectName name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        await steps.PassAsync();
        return await storage.TryCreateAsync(name, content, cancellationToken);
    }

    /// <inheritdoc/>
    public async Task PutAsync(ObjectName name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        await steps.PassAsync();
        await storage.PutAsync(name, content, cancellationToken);
    }

    /// <inheritdoc/>
    public IObjectBatch StartBatch() => new Batch(storage.StartBatch(), steps);

    /// <inheritdoc/>
    public async ValueTask<ObjectInfo?> FindAsync(ObjectName name, CancellationToken cancellationToken)
    {
        await steps.PassAsync();
        return await storage.FindAsync(name, cancellationToken);
    }

    /// <inheritdoc/>
    public async ValueTask<int> ReadAsync(
        ObjectName name, long offset, Memory<byte> destination, CancellationToken cancellationToken)
    {
        await steps.PassAsync();
        return await storage.ReadAsync(name, offset, destination, cancellationToken);
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<ObjectInfo> ListAsync(
        string prefix, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (var info in storage.ListAsync(prefix, cancellationToken))
        {
            await steps.PassAsync();
            yield return info;
        }
    }

    /// <inheritdoc/>
    public async Task DeleteAsync(IReadOnlyList<ObjectName> names, CancellationToken cancellationToken)
    {
        // One step an object: whoever deletes many may be killed in between.
        foreach (var name in names)
        {
            await steps.PassAsync();
            await storage.DeleteAsync([name], cancellationToken);
        }
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => storage.DisposeAsync();

    private sealed class Batch(IObjectBatch batch, Interleaver steps) : IObjectBatch
    {
        public int Count => batch.Count;

        public long Bytes => batch.Bytes;

        public ValueTask AddAsync(ObjectName name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken) =>
            batch.AddAsync(name, content, cancellationToken);

        public async Task CommitAsync(CancellationToken cancellationToken)
        {
            await steps.PassAsync();
            await batch.CommitAsync(cancellationToken);
        }

        public ValueTask DisposeAsync() => batch.DisposeAsync();
    }
}

/// <summary>A clock whose every delay is a step, whatever its length.</summary>
internal sealed class SteppedClock(TimeProvider clock, Interleaver steps) : TimeProvider
{
    /// <inheritdoc/>
    public override DateTimeOffset GetUtcNow() => clock.GetUtcNow();

    /// <inheritdoc/>
    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        Invariant.Holds(period == Timeout.InfiniteTimeSpan);
        steps.Arrive(_ => callback(state));
        return new Step();
    }

    private sealed class Step : ITimer
    {
        public bool Change(TimeSpan dueTime, TimeSpan period) => false;

        public void Dispose()
        {
        }

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
