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

/// <summary>A storage whose every call is a step; a group of puts or deletions is one an object.</summary>
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
    public IObjectBatch StartBatch() => new Batch(storage, steps);

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
    public IAsyncEnumerable<Stranger> ListStrangersAsync(string prefix, CancellationToken cancellationToken) =>
        storage.ListStrangersAsync(prefix, cancellationToken);

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
    public async Task<bool> TryDeleteAsync(
        ObjectName name, ReadOnlyMemory<byte> expected, CancellationToken cancellationToken)
    {
        await steps.PassAsync();
        return await storage.TryDeleteAsync(name, expected, cancellationToken);
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => storage.DisposeAsync();

    // As a directory is: each object of a group gets its name alone, and whoever is killed in between leaves the first ones.
    private sealed class Batch(IStorage storage, Interleaver steps) : IObjectBatch
    {
        private readonly Dictionary<ObjectName, (byte[] Content, bool MustBeNew)> _added = [];

        public int Count => _added.Count;

        public long Bytes => _added.Values.Sum(added => (long)added.Content.Length);

        public ValueTask AddAsync(ObjectName name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
        {
            cancellationToken.ThrowIfCancellationRequested();
            _added[name] = (content.ToArray(), false);
            return ValueTask.CompletedTask;
        }

        public ValueTask AddNewAsync(ObjectName name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
        {
            cancellationToken.ThrowIfCancellationRequested();
            _added[name] = (content.ToArray(), true);
            return ValueTask.CompletedTask;
        }

        public async Task<IReadOnlyList<ObjectName>> CommitAsync(CancellationToken cancellationToken)
        {
            var taken = new List<ObjectName>();
            foreach (var (name, (content, mustBeNew)) in _added)
            {
                await steps.PassAsync();
                if (!mustBeNew)
                {
                    await storage.PutAsync(name, content, cancellationToken);
                }
                else if (!await storage.TryCreateAsync(name, content, cancellationToken))
                {
                    taken.Add(name);
                }
            }

            _added.Clear();
            return taken;
        }

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}

/// <summary>A clock whose every short delay is a step, whatever its length; a long one, as between the renewals of a lease,
/// never ends but by cancellation.</summary>
/// <remarks>Its timestamps go by steps, so that what is recent does not depend on the machine.</remarks>
internal sealed class SteppedClock(TimeProvider clock, Interleaver steps) : TimeProvider
{
    private const int StepsPerSecond = 5;
    private static readonly TimeSpan ShortMax = TimeSpan.FromSeconds(1);

    /// <inheritdoc/>
    public override long TimestampFrequency => StepsPerSecond;

    /// <inheritdoc/>
    public override DateTimeOffset GetUtcNow() => clock.GetUtcNow();

    /// <inheritdoc/>
    public override long GetTimestamp() => 1 + steps.Steps;

    /// <inheritdoc/>
    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        Invariant.Holds(period == Timeout.InfiniteTimeSpan);
        if (dueTime <= ShortMax)
        {
            steps.Arrive(_ => callback(state));
        }

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
