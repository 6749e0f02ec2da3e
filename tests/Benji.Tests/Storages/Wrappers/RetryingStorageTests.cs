using Benji.Store.Model;
using Benji.Store.Storages;
using Benji.Store.Storages.Wrappers;
using Benji.Testing;
using Benji.Testing.Storages;
using Xunit;

namespace Benji.Tests.Storages.Wrappers;

public sealed class RetryingStorageTests
{
    private static readonly ObjectName Name = new("a/b");

    private readonly EagerClock _clock = new();
    private readonly MemoryStorage _memory = new();

    private static CancellationToken None => CancellationToken.None;

    [Fact]
    public async Task ATransientFailureIsRepeatedUntilItPasses()
    {
        await using var storage = Open(call => call.Number < 3 ? Fault.Transient() : null);
        await storage.PutAsync(Name, new byte[7], None);
        Assert.Equal(7, _memory[Name]?.Length);
        Assert.Equal(3, _clock.Waits.Count);
    }

    [Fact]
    public async Task TheLastOfTheTriesFailsTheCall()
    {
        await using var faulty = new FaultyStorage(_memory, _ => Fault.Transient());
        await using var storage = Retrying(faulty);
        var failure = await Assert.ThrowsAsync<StorageException>(() => storage.PutAsync(Name, new byte[7], None));
        Assert.True(failure.IsTransient);
        Assert.Equal(4, faulty.Calls);
        Assert.Equal(3, _clock.Waits.Count);
    }

    [Fact]
    public async Task TheWaitsDoubleWithJitterUpToTheLongest()
    {
        await using var storage = Retrying(new FaultyStorage(_memory, _ => Fault.Transient()), attempts: 7);
        await Assert.ThrowsAsync<StorageException>(() => storage.DeleteAsync([Name], None));
        double[] longest = [1, 2, 4, 8, 8, 8];
        Assert.Equal(longest.Length, _clock.Waits.Count);
        Assert.All(_clock.Waits.Zip(longest), wait =>
            Assert.InRange(wait.First.TotalSeconds, wait.Second / 2, wait.Second));
        Assert.True(_clock.Waits.Distinct().Count() > 3, "The waits have no jitter");
    }

    [Fact]
    public async Task APermanentFailureIsNotRepeated()
    {
        await using var faulty = new FaultyStorage(_memory, _ => Fault.Permanent());
        await using var storage = Retrying(faulty);
        await Assert.ThrowsAsync<StorageException>(() => storage.PutAsync(Name, new byte[7], None));
        await Assert.ThrowsAsync<StorageException>(async () => await storage.FindAsync(Name, None));
        await Assert.ThrowsAsync<StorageException>(async () => await storage.ReadAsync(Name, 0, new byte[1], None));
        await Assert.ThrowsAsync<StorageException>(() => storage.DeleteAsync([Name], None));
        await Assert.ThrowsAsync<StorageException>(() => FirstAsync(storage));
        Assert.Equal(5, faulty.Calls);
        Assert.Empty(_clock.Waits);
    }

    [Fact]
    public async Task AMissingObjectIsNotRepeated()
    {
        await using var faulty = new FaultyStorage(_memory, _ => null);
        await using var storage = Retrying(faulty);
        await Assert.ThrowsAsync<NotFoundException>(async () => await storage.ReadAsync(Name, 0, new byte[1], None));
        Assert.Equal(1, faulty.Calls);
    }

    [Fact]
    public async Task ACreateIsNotRepeatedBecauseItCouldMeetItself()
    {
        await using var storage = Open(call => call.Number == 0 ? Fault.AfterEffect() : null);
        await Assert.ThrowsAsync<StorageException>(() => storage.TryCreateAsync(Name, new byte[7], None));
        Assert.Equal(7, _memory[Name]?.Length);
    }

    [Fact]
    public async Task AnAddIsRepeatedAndACommitIsNot()
    {
        await using var storage = Open(call => call.Kind switch
        {
            StorageCallKind.Add when call.Number < 2 => Fault.Transient(),
            StorageCallKind.Commit => Fault.Transient(),
            _ => null,
        });
        await using var batch = storage.StartBatch();
        await batch.AddAsync(Name, new byte[7], None);
        Assert.Equal((1, 7L), (batch.Count, batch.Bytes));
        Assert.Equal(2, _clock.Waits.Count);
        await Assert.ThrowsAsync<StorageException>(() => batch.CommitAsync(None));
        Assert.Equal(2, _clock.Waits.Count);
    }

    [Fact]
    public async Task AListingThatFailsHalfWayFailsBecauseItCannotStartOver()
    {
        await _memory.PutAsync(new("a"), new byte[1], None);
        await _memory.PutAsync(new("b"), new byte[1], None);
        await using var storage = Retrying(new HalfListing(_memory));
        var seen = 0;
        await Assert.ThrowsAsync<StorageException>(async () =>
        {
            await foreach (var info in storage.ListAsync("", None))
            {
                seen++;
            }
        });
        Assert.Equal(1, seen);
        Assert.Empty(_clock.Waits);
    }

    [Fact]
    public async Task CancellationEndsTheTries()
    {
        using var source = new CancellationTokenSource();
        await using var faulty = new FaultyStorage(_memory, call =>
        {
            if (call.Number == 1)
            {
                source.Cancel();
            }

            return Fault.Transient();
        });
        await using var storage = Retrying(faulty);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => storage.PutAsync(Name, new byte[7], source.Token));
        Assert.Equal(2, faulty.Calls);
    }

    private static async Task<ObjectInfo?> FirstAsync(IStorage storage)
    {
        await foreach (var info in storage.ListAsync("", None))
        {
            return info;
        }

        return null;
    }

    private RetryingStorage Open(Func<StorageCall, Fault?> script) => Retrying(new FaultyStorage(_memory, script));

    private RetryingStorage Retrying(IStorage inner, int attempts = 4) => new(
        inner, new RetryPolicy(attempts, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(8)), new Random(7), _clock);

    // Fails for a passing reason after the first object.
    private sealed class HalfListing(IStorage inner) : IStorage
    {
        public StorageTraits Traits => inner.Traits;

        public Task<bool> TryCreateAsync(ObjectName name, ReadOnlyMemory<byte> content, CancellationToken token) =>
            inner.TryCreateAsync(name, content, token);

        public Task PutAsync(ObjectName name, ReadOnlyMemory<byte> content, CancellationToken token) =>
            inner.PutAsync(name, content, token);

        public IObjectBatch StartBatch() => inner.StartBatch();

        public ValueTask<ObjectInfo?> FindAsync(ObjectName name, CancellationToken token) =>
            inner.FindAsync(name, token);

        public ValueTask<int> ReadAsync(ObjectName name, long offset, Memory<byte> to, CancellationToken token) =>
            inner.ReadAsync(name, offset, to, token);

        public async IAsyncEnumerable<ObjectInfo> ListAsync(
            string prefix, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken token)
        {
            await foreach (var info in inner.ListAsync(prefix, token))
            {
                yield return info;
                throw new StorageException("The listing broke off", isTransient: true);
            }
        }

        public IAsyncEnumerable<Stranger> ListStrangersAsync(string prefix, CancellationToken token) =>
            inner.ListStrangersAsync(prefix, token);

        public Task DeleteAsync(IReadOnlyList<ObjectName> names, CancellationToken token) =>
            inner.DeleteAsync(names, token);

        public Task<bool> TryDeleteAsync(ObjectName name, ReadOnlyMemory<byte> expected, CancellationToken token) =>
            inner.TryDeleteAsync(name, expected, token);

        public ValueTask DisposeAsync() => inner.DisposeAsync();
    }
}
