using Benji.Store.Blocks.Opening;
using Benji.Store.Model;
using Benji.Store.Posix;
using Benji.Store.Storages;
using Benji.Testing;
using Benji.Testing.Storages;
using Xunit;

namespace Benji.Tests.Blocks;

/// <summary>An object is missing while the witness is there, and damaged while others beside it can be read.</summary>
public sealed class WitnessedStorageTests : IAsyncLifetime
{
    private static readonly ObjectName Witness = new("store.json");
    private static readonly ObjectName Sought = new("blocks/aa/bb/aabb");

    private readonly ManualClock _clock = new();
    private readonly MemoryStorage _memory;
    private readonly HashSet<string> _unreadable = [];
    private WitnessedStorage _storage = null!;

    public WitnessedStorageTests() => _memory = new MemoryStorage(_clock);

    private static CancellationToken None => CancellationToken.None;

    public async Task InitializeAsync()
    {
        _storage = new WitnessedStorage(
            new FaultyStorage(_memory, call => call.Kind == StorageCallKind.Read && _unreadable.Contains(call.Name)
                ? new Fault { Before = StorageFailures.Of(Errno.Io) }
                : null),
            Witness,
            _clock);
        await PutAsync(Witness.Value);
    }

    public async Task DisposeAsync() => await _storage.DisposeAsync();

    [Fact]
    public async Task WhatIsMissingIsMissingWhileTheWitnessIsThere()
    {
        Assert.Null(await _storage.FindAsync(Sought, None));
        await Assert.ThrowsAsync<NotFoundException>(ReadAsync);
        Assert.Empty(await ListAsync());
        await _storage.DeleteAsync([Sought], None);
        Assert.True(await _storage.TryDeleteAsync(Sought, new byte[1], None));
    }

    /// <summary>A request each time: a backup lists twice, and more often where it has to wait.</summary>
    [Fact]
    public async Task WhatIsThereNeedsNoWitness()
    {
        await PutAsync(Sought.Value);
        await _memory.DeleteAsync([Witness], None);
        _clock.Wait(TimeSpan.FromSeconds(6));

        Assert.NotNull(await _storage.FindAsync(Sought, None));
        await ReadAsync();
        Assert.Single(await ListAsync());
        Assert.False(await _storage.TryDeleteAsync(Sought, new byte[1], None));
    }

    [Fact]
    public async Task NothingIsMissingWhereTheWitnessIsNot()
    {
        await _memory.DeleteAsync([Witness], None);

        await Assert.ThrowsAsync<StorageException>(() => _storage.FindAsync(Sought, None).AsTask());
        await Assert.ThrowsAsync<StorageException>(ReadAsync);
        await Assert.ThrowsAsync<StorageException>(() => _storage.DeleteAsync([Sought], None));
        await Assert.ThrowsAsync<StorageException>(() => _storage.TryDeleteAsync(Sought, new byte[1], None));
    }

    /// <summary>What an empty listing lacks is looked up before it counts as missing, and that look-up asks always.</summary>
    [Fact]
    public async Task AnEmptyListingCountsForFiveSecondsAfterTheWitnessWasSeen()
    {
        _clock.Wait(TimeSpan.FromSeconds(6));
        Assert.Empty(await ListAsync());
        await _memory.DeleteAsync([Witness], None);
        _clock.Wait(TimeSpan.FromSeconds(4));
        Assert.Empty(await ListAsync());
        _clock.Wait(TimeSpan.FromSeconds(2));
        await Assert.ThrowsAsync<StorageException>(ListAsync);
    }

    [Theory]
    [InlineData("blocks/aa/bb/aabc")]
    [InlineData("blocks/aa/cc/aacc")]
    [InlineData("blocks/cc/dd/ccdd")]
    public async Task AnObjectThatCannotBeReadIsDamagedWhileOneBesideItCanBe(string other)
    {
        await PutAsync(Sought.Value, other);
        _unreadable.Add(Sought.Value);
        await Assert.ThrowsAsync<CorruptDataException>(ReadAsync);

        _unreadable.Add(other);
        Assert.True((await Assert.ThrowsAsync<StorageException>(ReadAsync)).IsUnreadable);
    }

    [Fact]
    public async Task ObjectsOfAnotherKindCountWhereThereIsNoneOfThisKind()
    {
        await PutAsync(Sought.Value);
        _unreadable.Add(Sought.Value);
        await Assert.ThrowsAsync<CorruptDataException>(ReadAsync);

        _unreadable.Add(Witness.Value);
        await Assert.ThrowsAsync<StorageException>(ReadAsync);
    }

    [Fact]
    public async Task EightOthersThatCannotBeReadEitherAreEnough()
    {
        var others = Enumerable.Range(0, 8).Select(i => $"blocks/aa/bb/aabb{i}").ToArray();
        await PutAsync([Sought.Value, "blocks/cc/dd/ccdd", .. others]);
        _unreadable.UnionWith([Sought.Value, .. others]);
        await Assert.ThrowsAsync<StorageException>(ReadAsync);

        _unreadable.Remove(others[3]);
        await Assert.ThrowsAsync<CorruptDataException>(ReadAsync);
    }

    private async Task PutAsync(params string[] names)
    {
        foreach (var name in names)
        {
            await _memory.PutAsync(new ObjectName(name), new byte[10], None);
        }
    }

    private Task ReadAsync() => _storage.ReadAsync(Sought, 0, new byte[10], None).AsTask();

    private async Task<List<ObjectInfo>> ListAsync()
    {
        var listed = new List<ObjectInfo>();
        await foreach (var info in _storage.ListAsync("blocks/", None))
        {
            listed.Add(info);
        }

        return listed;
    }
}
