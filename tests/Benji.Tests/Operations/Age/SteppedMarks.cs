using System.Runtime.CompilerServices;
using Benji.Store.Storages;
using Benji.Testing.Interleaving;

namespace Benji.Tests.Operations.Age;

/// <summary>A storage in which everything that is done to marks and manifests has a step before it and one after it; the calls
/// that a run makes several of at once have none.</summary>
internal sealed class SteppedMarks(IStorage storage, Interleaver steps) : IStorage
{
    public StorageTraits Traits => storage.Traits;

    public Task<bool> TryCreateAsync(
        ObjectName name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken) =>
        storage.TryCreateAsync(name, content, cancellationToken);

    public async Task PutAsync(ObjectName name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        await PassAsync(name.Value);
        await storage.PutAsync(name, content, cancellationToken);
        await PassAsync(name.Value);
    }

    public IObjectBatch StartBatch() => storage.StartBatch();

    public ValueTask<ObjectInfo?> FindAsync(ObjectName name, CancellationToken cancellationToken) =>
        storage.FindAsync(name, cancellationToken);

    public ValueTask<int> ReadAsync(
        ObjectName name, long offset, Memory<byte> destination, CancellationToken cancellationToken) =>
        storage.ReadAsync(name, offset, destination, cancellationToken);

    public async IAsyncEnumerable<ObjectInfo> ListAsync(
        string prefix, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await PassAsync(prefix);
        var listed = new List<ObjectInfo>();
        await foreach (var info in storage.ListAsync(prefix, cancellationToken))
        {
            listed.Add(info);
        }

        await PassAsync(prefix);
        foreach (var info in listed)
        {
            yield return info;
        }
    }

    public IAsyncEnumerable<Stranger> ListStrangersAsync(string prefix, CancellationToken cancellationToken) =>
        storage.ListStrangersAsync(prefix, cancellationToken);

    public async Task DeleteAsync(IReadOnlyList<ObjectName> names, CancellationToken cancellationToken)
    {
        await PassAsync("marks/");
        await storage.DeleteAsync(names, cancellationToken);
        await PassAsync("marks/");
    }

    public async Task<bool> TryDeleteAsync(
        ObjectName name, ReadOnlyMemory<byte> expected, CancellationToken cancellationToken)
    {
        await PassAsync(name.Value);
        var isGone = await storage.TryDeleteAsync(name, expected, cancellationToken);
        await PassAsync(name.Value);
        return isGone;
    }

    public ValueTask DisposeAsync() => storage.DisposeAsync();

    private Task PassAsync(string name) =>
        name.StartsWith("marks/", StringComparison.Ordinal) || name.StartsWith("versions/", StringComparison.Ordinal)
            ? steps.PassAsync()
            : Task.CompletedTask;
}

/// <summary>A clock whose short waits, those for another process, are steps, and whose long ones never end.</summary>
internal sealed class PollingClock(TimeProvider clock, Interleaver steps) : TimeProvider
{
    private static readonly TimeSpan PollMax = TimeSpan.FromSeconds(1);

    private readonly SteppedClock _stepped = new(clock, steps);

    public override DateTimeOffset GetUtcNow() => clock.GetUtcNow();

    public override long GetTimestamp() => clock.GetTimestamp();

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
        dueTime >= TimeSpan.Zero && dueTime <= PollMax
            ? _stepped.CreateTimer(callback, state, dueTime, period)
            : System.CreateTimer(callback, state, Timeout.InfiniteTimeSpan, period);
}
