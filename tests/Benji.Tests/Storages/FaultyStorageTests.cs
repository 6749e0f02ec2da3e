using Benji.Store.Model;
using Benji.Store.Storages;
using Benji.Testing.Storages;
using Xunit;

namespace Benji.Tests.Storages;

public sealed class FaultyStorageTests
{
    private static readonly ObjectName Name = new("x");

    private readonly MemoryStorage _memory = new();

    private static CancellationToken None => CancellationToken.None;

    [Fact]
    public async Task CallsWithoutAFaultPassThrough()
    {
        await using var storage = new FaultyStorage(_memory, _ => null);
        await storage.PutAsync(Name, new byte[] { 1, 2, 3 }, None);
        var destination = new byte[3];
        Assert.Equal(3, await storage.ReadAsync(Name, 0, destination, None));
        Assert.Equal([1, 2, 3], destination);
        Assert.Equal(2, storage.Calls);
    }

    [Fact]
    public async Task ACallFailsBeforeOrAfterItsEffect()
    {
        await using var storage = new FaultyStorage(
            _memory, call => call.Number == 0 ? Fault.Permanent() : Fault.AfterEffect());
        await Assert.ThrowsAsync<StorageException>(() => storage.PutAsync(Name, new byte[1], None));
        Assert.Null(_memory[Name]);
        await Assert.ThrowsAsync<StorageException>(() => storage.PutAsync(Name, new byte[1], None));
        Assert.NotNull(_memory[Name]);
    }

    [Fact]
    public async Task WhatIsWrittenAndReadCanBeShortOrCorrupt()
    {
        await using var storage = new FaultyStorage(_memory, call => call.Kind == StorageCallKind.Put
            ? new Fault { ShortTo = 2 }
            : new Fault { CorruptAt = 1 });
        byte[] content = [1, 2, 3];
        await storage.PutAsync(Name, content, None);
        Assert.Equal([1, 2], _memory[Name]!);
        await using (var batch = storage.StartBatch())
        {
            await batch.AddAsync(Name, content, None);
            await batch.CommitAsync(None);
        }

        Assert.Equal([1, 0xfd, 3], _memory[Name]!);
        Assert.Equal([1, 2, 3], content);
        var destination = new byte[3];
        await storage.ReadAsync(Name, 0, destination, None);
        Assert.Equal([1, 2, 3], destination);
    }

    [Fact]
    public async Task ALostCallReportsSuccessAndDoesNothing()
    {
        await _memory.PutAsync(Name, new byte[1], None);
        await using var storage = new FaultyStorage(_memory, _ => new Fault { Loses = true });
        await storage.DeleteAsync([Name], None);
        Assert.NotNull(_memory[Name]);
        Assert.Null(await storage.FindAsync(Name, None));
        Assert.True(await storage.TryCreateAsync(new("y"), new byte[1], None));
        Assert.Null(_memory[new("y")]);
    }

    [Fact]
    public async Task AGateHoldsACallBeforeItsEffect()
    {
        var gate = new TaskCompletionSource();
        await using var storage = new FaultyStorage(_memory, _ => new Fault { Gate = gate.Task });
        var putting = storage.PutAsync(Name, new byte[1], None);
        Assert.False(putting.IsCompleted);
        Assert.Null(_memory[Name]);
        gate.SetResult();
        await putting;
        Assert.NotNull(_memory[Name]);
    }
}
