using Benji.Store.Model;
using Benji.Store.Storages;
using Benji.Store.Storages.Wrappers;
using Benji.Testing.Storages;
using Xunit;

namespace Benji.Tests.Storages.Wrappers;

public sealed class MeteredStorageTests
{
    private static readonly ObjectName Name = new("x");

    private static CancellationToken None => CancellationToken.None;

    [Fact]
    public async Task EveryCallIsCountedWithItsBytes()
    {
        await using var storage = new MeteredStorage(new MemoryStorage());
        await storage.PutAsync(Name, new byte[100], None);
        await storage.TryCreateAsync(new("y"), new byte[10], None);
        await storage.TryCreateAsync(new("y"), new byte[10], None);
        await using (var batch = storage.StartBatch())
        {
            await batch.AddAsync(new("z"), new byte[1000], None);
            await batch.CommitAsync(None);
        }

        await storage.FindAsync(Name, None);
        await storage.FindAsync(new("missing"), None);
        await storage.ReadAsync(Name, 90, new byte[50], None);
        await foreach (var info in storage.ListAsync("", None))
        {
            Assert.NotEqual(0, info.Size);
        }

        await storage.DeleteAsync([Name, new("y")], None);
        Assert.Equal(
            new StorageCounts(
                Reads: 1, ReadBytes: 10, Writes: 3, WrittenBytes: 1110, Commits: 1, Finds: 2, Listed: 3, Deletes: 2,
                Failures: 0),
            storage.Counts);
    }

    [Fact]
    public async Task FailuresOfEveryKindAreCountedAndNothingElseIs()
    {
        await using var storage = new MeteredStorage(new FaultyStorage(new MemoryStorage(), _ => Fault.Permanent()));
        await using var batch = storage.StartBatch();
        Func<Task>[] calls =
        [
            () => storage.PutAsync(Name, new byte[1], None),
            () => storage.TryCreateAsync(Name, new byte[1], None),
            () => batch.AddAsync(Name, new byte[1], None).AsTask(),
            () => batch.CommitAsync(None),
            () => storage.FindAsync(Name, None).AsTask(),
            () => storage.ReadAsync(Name, 0, new byte[1], None).AsTask(),
            () => storage.DeleteAsync([Name], None),
            async () => await storage.ListAsync("", None).GetAsyncEnumerator().MoveNextAsync(),
        ];
        foreach (var call in calls)
        {
            await Assert.ThrowsAsync<StorageException>(call);
        }

        Assert.Equal(default(StorageCounts) with { Failures = calls.Length }, storage.Counts);
    }

    [Fact]
    public async Task ConcurrentCallsAreAllCounted()
    {
        await using var storage = new MeteredStorage(new MemoryStorage());
        await Task.WhenAll(Enumerable.Range(0, 8).Select(i => Task.Run(async () =>
        {
            for (var n = 0; n < 500; n++)
            {
                await storage.PutAsync(new($"{i}"), new byte[3], None);
            }
        })));
        Assert.Equal(default(StorageCounts) with { Writes = 4000, WrittenBytes = 12_000 }, storage.Counts);
    }
}
