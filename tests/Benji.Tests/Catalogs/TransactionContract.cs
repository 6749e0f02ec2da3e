using Benji.Store.Catalogs;
using Benji.Store.Model;
using Xunit;

namespace Benji.Tests.Catalogs;

/// <summary>What every catalog's transactions must do: whole, durable, one after another, seen by all.</summary>
public abstract class TransactionContract : CatalogContract
{
    [Fact]
    public async Task WhatAFailedTransactionChangedIsSeenByNobody()
    {
        var another = await OpenAnotherAsync();
        await WriteAsync(catalog => catalog.StorageBindings.Put(Binding("kept", 1)));

        var failure = await Assert.ThrowsAsync<TimeoutException>(() => WriteAsync(catalog =>
        {
            catalog.StorageBindings.Put(Binding("kept", 2));
            for (var i = 0; i < 500; i++)
            {
                catalog.StorageBindings.Put(Binding($"new{i}", i));
            }

            throw new TimeoutException("of the work's own");
        }));

        Assert.Equal("of the work's own", failure.Message);
        foreach (var catalog in new[] { Catalog, another })
        {
            Assert.Equal(Binding("kept", 1), await FindAsync(catalog, "kept"));
            Assert.Null(await FindAsync(catalog, "new7"));
        }

        await WriteAsync(catalog => catalog.StorageBindings.Put(Binding("after", 3)));
        await ReopenAsync();
        Assert.Equal(Binding("kept", 1), await FindAsync(Catalog, "kept"));
        Assert.Equal(Binding("after", 3), await FindAsync(Catalog, "after"));
        Assert.Null(await FindAsync(Catalog, "new7"));
    }

    [Fact]
    public async Task WhatWasCommittedIsThereAfterOpeningAgain()
    {
        for (var round = 0; round < 20; round++)
        {
            await WriteAsync(catalog => catalog.StorageBindings.Put(Binding($"of round {round}", round)));
            await ReopenAsync();
            Assert.Equal(Binding($"of round {round}", round), await FindAsync(Catalog, $"of round {round}"));
            Assert.Equal(Binding("of round 0", 0), await FindAsync(Catalog, "of round 0"));
        }
    }

    [Fact]
    public async Task AChangeInAReadingTransactionIsRefusedAndLeavesNothing()
    {
        await Assert.ThrowsAsync<InvariantException>(() => ReadAsync(catalog =>
        {
            catalog.StorageBindings.Put(Binding("s", 1));
            return true;
        }));

        Assert.Null(await FindAsync(Catalog, "s"));
    }

    [Fact]
    public async Task ARoleIsRefusedAfterItsTransaction()
    {
        BlockId[] ids = [new BlockId(HashOf(1))];
        var (bindings, blocks) = await ReadAsync(catalog =>
        {
            catalog.BlockReferences.Find(ids);
            return (catalog.StorageBindings, catalog.BlockReferences);
        });

        Assert.Throws<InvariantException>(() => bindings.Find("s"));
        Assert.Throws<InvariantException>(() => blocks.Find(ids));
    }

    [Fact]
    public async Task TwoCatalogObjectsSeeEachOthersCommits()
    {
        var another = await OpenAnotherAsync();
        for (var round = 0; round < 50; round++)
        {
            var (writer, reader) = int.IsEvenInteger(round) ? (Catalog, another) : (another, Catalog);
            await WriteAsync(writer, catalog => catalog.StorageBindings.Put(Binding("s", round)));

            Assert.Equal(Binding("s", round), await FindAsync(reader, "s"));
        }
    }

    [Fact]
    public async Task EveryCommitOfAnyObjectChangesTheGenerationOfAll()
    {
        var another = await OpenAnotherAsync();
        var seen = new HashSet<long> { Catalog.ReadGeneration() };
        for (var round = 0; round < 10; round++)
        {
            var writer = int.IsEvenInteger(round) ? Catalog : another;
            await WriteAsync(writer, catalog => catalog.StorageBindings.Put(Binding("s", round)));

            Assert.Equal(Catalog.ReadGeneration(), another.ReadGeneration());
            Assert.True(seen.Add(Catalog.ReadGeneration()));
        }
    }

    [Fact]
    public async Task ReadingLeavesTheGenerationAsItIs()
    {
        await WriteAsync(catalog => catalog.StorageBindings.Put(Binding("s", 1)));
        var before = Catalog.ReadGeneration();

        var another = await OpenAnotherAsync();
        await FindAsync(another, "s");

        Assert.Equal(before, Catalog.ReadGeneration());
    }

    [Fact]
    public async Task ConcurrentWritersOfSeveralObjectsLoseNoUpdate()
    {
        const int Writers = 4;
        const int Rounds = 25;
        var another = await OpenAnotherAsync();
        var counter = new VersionRecordBuilder("counter", "one") { Size = 0 }.Build();
        await WriteAsync(catalog => catalog.Versions.Add(counter));

        await Task.WhenAll(Enumerable.Range(0, Writers).Select(async writer =>
        {
            var own = int.IsEvenInteger(writer) ? Catalog : another;
            for (var round = 0; round < Rounds; round++)
            {
                await WriteAsync(own, catalog =>
                {
                    var found = catalog.Versions.Find(counter.Id)!;
                    catalog.Versions.Replace(found with { Size = found.Size + 1 });
                });
            }
        }));

        Assert.Equal(Writers * Rounds, (await ReadAsync(catalog => catalog.Versions.Find(counter.Id)))!.Size);
    }

    [Fact]
    public async Task CancellingTheWaitForTheCatalogLeavesItUsable()
    {
        using var cancellation = new CancellationTokenSource();
        var entered = new TaskCompletionSource();
        using var mayEnd = new ManualResetEventSlim();
        var another = await OpenAnotherAsync();
        var holder = Catalog.WriteAsync(
            catalog =>
            {
                entered.SetResult();
                mayEnd.Wait(TimeSpan.FromMinutes(1));
                catalog.StorageBindings.Put(Binding("held", 1));
                return true;
            },
            CancellationToken.None);
        await entered.Task;

        var sameObject = Catalog.ReadAsync(catalog => catalog.StorageBindings.Find("held"), cancellation.Token);
        var otherObject = another.ReadAsync(catalog => catalog.StorageBindings.Find("held"), cancellation.Token);
        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => sameObject);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => otherObject);
        mayEnd.Set();
        await holder;

        Assert.Equal(Binding("held", 1), await FindAsync(another, "held"));
        Assert.Equal(Binding("held", 1), await FindAsync(Catalog, "held"));
    }

    private static StorageBinding Binding(string storage, int number) =>
        new(storage, new Guid(number, 0, 0, new byte[8]), IsEncrypted: int.IsOddInteger(number));

    private static Task<StorageBinding?> FindAsync(ICatalog catalog, string storage) =>
        catalog.ReadAsync(transaction => transaction.StorageBindings.Find(storage), CancellationToken.None);
}
