using Benji.Store.Storages;
using Xunit;

namespace Benji.Tests.Storages;

/// <summary>What every storage promises for batches.</summary>
public abstract class StorageBatchContract : StorageContractBase
{
    [Fact]
    public async Task NothingIsVisibleBeforeTheCommitAndAllAfter()
    {
        await using var batch = Storage.StartBatch();
        for (var i = 0; i < 20; i++)
        {
            await batch.AddAsync(Name($"b/{i % 3}/{i}"), Bytes(i, 1000 * i), None);
        }

        Assert.Empty(await ListAsync(""));
        Assert.Null(await Storage.FindAsync(Name("b/0/0"), None));
        Assert.Equal(20, batch.Count);
        Assert.Equal(190_000, batch.Bytes);

        await batch.CommitAsync(None);
        for (var i = 0; i < 20; i++)
        {
            Assert.Equal(Bytes(i, 1000 * i), await ReadAllAsync(Name($"b/{i % 3}/{i}")));
        }

        Assert.Equal(20, (await ListAsync("b/")).Count);
    }

    [Fact]
    public async Task ACommitEmptiesTheBatchForTheNextGroup()
    {
        await using var batch = Storage.StartBatch();
        await batch.AddAsync(Name("first"), Bytes(1, 10), None);
        await batch.CommitAsync(None);
        Assert.Equal(0, batch.Count);
        Assert.Equal(0, batch.Bytes);

        await batch.AddAsync(Name("second"), Bytes(2, 20), None);
        Assert.Equal(1, batch.Count);
        Assert.Equal(20, batch.Bytes);
        Assert.Equal(["first"], await ListAsync(""));
        await batch.CommitAsync(None);
        Assert.Equal(["first", "second"], await ListAsync(""));
        Assert.Equal(Bytes(2, 20), await ReadAllAsync(Name("second")));
    }

    [Fact]
    public async Task AnEmptyBatchCommits()
    {
        await using var batch = Storage.StartBatch();
        await batch.CommitAsync(None);
        Assert.Empty(await ListAsync(""));
    }

    [Fact]
    public async Task TheLastOfEqualNamesWins()
    {
        await using var batch = Storage.StartBatch();
        await batch.AddAsync(Name("x"), Bytes(1, 100), None);
        await batch.AddAsync(Name("y"), Bytes(5, 5), None);
        await batch.AddAsync(Name("x"), Bytes(2, 20), None);
        Assert.Equal(2, batch.Count);
        Assert.Equal(25, batch.Bytes);
        await batch.CommitAsync(None);
        Assert.Equal(Bytes(2, 20), await ReadAllAsync(Name("x")));
        Assert.Equal(["x", "y"], await ListAsync(""));
    }

    [Fact]
    public async Task WhatMustBeNewIsStoredOnlyWhereItsNameIsFree()
    {
        await Storage.PutAsync(Name("taken"), Bytes(1, 100), None);
        await using var batch = Storage.StartBatch();
        await batch.AddNewAsync(Name("taken"), Bytes(2, 20), None);
        await batch.AddNewAsync(Name("free"), Bytes(3, 30), None);
        await batch.AddAsync(Name("other"), Bytes(4, 40), None);

        Assert.Equal([Name("taken")], await batch.CommitAsync(None));

        Assert.Equal((0, 0L), (batch.Count, batch.Bytes));
        Assert.Equal(Bytes(1, 100), await ReadAllAsync(Name("taken")));
        Assert.Equal(Bytes(3, 30), await ReadAllAsync(Name("free")));
        Assert.Equal(["free", "other", "taken"], await ListAsync(""));
    }

    [Fact]
    public async Task TheLastOfEqualNamesDecidesWhetherItMustBeNew()
    {
        await Storage.PutAsync(Name("x"), Bytes(1, 100), None);
        await using var batch = Storage.StartBatch();
        await batch.AddNewAsync(Name("x"), Bytes(2, 20), None);
        await batch.AddAsync(Name("x"), Bytes(3, 30), None);
        Assert.Empty(await batch.CommitAsync(None));
        Assert.Equal(Bytes(3, 30), await ReadAllAsync(Name("x")));

        await batch.AddAsync(Name("x"), Bytes(4, 40), None);
        await batch.AddNewAsync(Name("x"), Bytes(5, 50), None);
        Assert.Equal([Name("x")], await batch.CommitAsync(None));
        Assert.Equal(Bytes(3, 30), await ReadAllAsync(Name("x")));
    }

    [Fact]
    public async Task ABatchReplacesWhatStands()
    {
        await Storage.PutAsync(Name("x"), Bytes(1, 100), None);
        await using var batch = Storage.StartBatch();
        await batch.AddAsync(Name("x"), Bytes(2, 20), None);
        Assert.Equal(Bytes(1, 100), await ReadAllAsync(Name("x")));
        await batch.CommitAsync(None);
        Assert.Equal(Bytes(2, 20), await ReadAllAsync(Name("x")));
    }

    [Fact]
    public async Task AnUncommittedBatchLeavesNothing()
    {
        await Storage.PutAsync(Name("x"), Bytes(1, 100), None);
        await using (var batch = Storage.StartBatch())
        {
            await batch.AddAsync(Name("x"), Bytes(2, 20), None);
            await batch.AddAsync(Name("y"), Bytes(3, 30), None);
        }

        Assert.Equal(["x"], await ListAsync(""));
        Assert.Equal(Bytes(1, 100), await ReadAllAsync(Name("x")));
    }

    [Fact]
    public async Task TheContentMayChangeOnceTheAddIsDone()
    {
        using var buffer = Pool.Rent(8192);
        await using var batch = Storage.StartBatch();
        for (var i = 0; i < 5; i++)
        {
            Bytes(i, 8192).CopyTo(buffer.Span);
            await batch.AddAsync(Name($"{i}"), buffer.Memory, None);
        }

        buffer.Span.Clear();
        await batch.CommitAsync(None);
        for (var i = 0; i < 5; i++)
        {
            Assert.Equal(Bytes(i, 8192), await ReadAllAsync(Name($"{i}")));
        }
    }

    [Fact]
    public async Task ConcurrentBatchesOfTheSameNamesLeaveWholeObjects()
    {
        await Task.WhenAll(Enumerable.Range(0, 6).Select(i => Task.Run(() => PutBatchAsync(Storage, i))));
        for (var name = 0; name < 10; name++)
        {
            var content = await ReadAllAsync(Name($"shared/{name}"));
            Assert.Contains(Enumerable.Range(0, 6), i => content.AsSpan().SequenceEqual(Bytes((i * 100) + name, 3000)));
        }
    }

    private static async Task PutBatchAsync(IStorage storage, int writer)
    {
        await using var batch = storage.StartBatch();
        for (var name = 0; name < 10; name++)
        {
            await batch.AddAsync(Name($"shared/{name}"), Bytes((writer * 100) + name, 3000), None);
        }

        await batch.CommitAsync(None);
    }
}
