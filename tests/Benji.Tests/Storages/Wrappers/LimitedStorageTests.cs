using Benji.Store.Storages;
using Benji.Store.Storages.Wrappers;
using Benji.Testing.Storages;
using Xunit;

namespace Benji.Tests.Storages.Wrappers;

public sealed class LimitedStorageTests
{
    private static readonly ObjectName Name = new("x");

    private static CancellationToken None => CancellationToken.None;

    [Fact]
    public async Task NoMoreCallsThanTheTraitsSayAreUnderWay()
    {
        var gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var memory = new MemoryStorage
        {
            Traits = new("memory", ReadsMax: 3, WritesMax: 2, BatchBytes: 1, BatchObjects: 1, ReadsCompleteInline: true),
        };
        await memory.PutAsync(Name, new byte[10], None);
        var begun = new int[2];
        await using var faulty = new FaultyStorage(memory, call =>
        {
            Interlocked.Increment(ref begun[call.Kind is StorageCallKind.Read or StorageCallKind.Find ? 0 : 1]);
            return new Fault { Gate = gate.Task };
        });
        await using var storage = new LimitedStorage(faulty);
        await using var batch = storage.StartBatch();
        var calls = new List<Task>();
        for (var i = 0; i < 5; i++)
        {
            calls.Add(storage.ReadAsync(Name, 0, new byte[10], None).AsTask());
            calls.Add(storage.FindAsync(Name, None).AsTask());
            calls.Add(storage.PutAsync(Name, new byte[10], None));
            calls.Add(storage.TryCreateAsync(Name, new byte[10], None));
            calls.Add(storage.DeleteAsync([new("y")], None));
        }

        calls.Add(batch.AddAsync(Name, new byte[10], None).AsTask());

        // Each call runs to its gate or its place before it returns its task, so the counts stand.
        Assert.Equal([3, 2], begun);
        gate.SetResult();
        await Task.WhenAll(calls);
        Assert.Equal([10, 16], begun);
    }

    [Fact]
    public async Task AFailedCallGivesItsPlaceBack()
    {
        await using var memory = new MemoryStorage
        {
            Traits = new("memory", ReadsMax: 1, WritesMax: 1, BatchBytes: 1, BatchObjects: 1, ReadsCompleteInline: true),
        };
        await using var storage = new LimitedStorage(new FaultyStorage(memory, _ => Fault.Permanent()));
        for (var i = 0; i < 3; i++)
        {
            await Assert.ThrowsAsync<Store.Model.StorageException>(
                () => storage.PutAsync(Name, new byte[1], None).WaitAsync(TimeSpan.FromSeconds(30)));
            await Assert.ThrowsAsync<Store.Model.StorageException>(
                () => storage.FindAsync(Name, None).AsTask().WaitAsync(TimeSpan.FromSeconds(30)));
        }
    }

    [Fact]
    public async Task ACancelledWaitTakesNoPlace()
    {
        var gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var memory = new MemoryStorage
        {
            Traits = new("memory", ReadsMax: 1, WritesMax: 1, BatchBytes: 1, BatchObjects: 1, ReadsCompleteInline: true),
        };
        await using var storage = new LimitedStorage(new FaultyStorage(memory, _ => new Fault { Gate = gate.Task }));
        var first = storage.FindAsync(Name, None).AsTask();
        using var source = new CancellationTokenSource();
        var second = storage.FindAsync(Name, source.Token).AsTask();
        await source.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => second);
        gate.SetResult();
        await first;
        await storage.FindAsync(Name, None).AsTask().WaitAsync(TimeSpan.FromSeconds(30));
    }
}
