using System.Buffers.Binary;
using Benji.Store.Catalogs;
using Benji.Store.Catalogs.LiteDb;
using Benji.Store.Catalogs.LiteDb.Disk;
using Benji.Store.Catalogs.LiteDb.Reading;
using Benji.Store.Model;
using Benji.Store.Posix;
using Benji.Testing;
using Xunit;

namespace Benji.Tests.Catalogs.LiteDb.Reading;

/// <summary>A catalog that is only read: what writers left of it, whoever of them was killed, is read and stays as it is.</summary>
public sealed class ReadOnlyCatalogTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();
    private readonly CatalogPaths _paths;

    public ReadOnlyCatalogTests() => _paths = new CatalogPaths(_directory["store/catalog.db"]);

    public void Dispose() => _directory.Dispose();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task ALogIsAppliedInMemoryOnly(bool isTidied)
    {
        await using (var writer = await WriteAsync(1, 2, 3))
        {
            if (isTidied)
            {
                await writer.ApplyLogAsync(CancellationToken.None);
            }
        }

        Assert.Equal(isTidied, new FileInfo(_paths.Log).Length == 0);
        await AssertReadsAsync(3);
    }

    [Fact]
    public async Task WhatIsBesideTheDatabaseMayBeMissing()
    {
        await using (var writer = await WriteAsync(1, 2))
        {
            await writer.ApplyLogAsync(CancellationToken.None);
        }

        File.Delete(_paths.Log);
        File.Delete(_paths.Lock);
        File.Delete(_paths.Queue);
        await AssertReadsAsync(2);
    }

    /// <summary>Every length that a group on its way to the log may have had when its writer was killed.</summary>
    [Fact]
    public async Task ATornTailIsPassedOver()
    {
        await (await WriteAsync(1, 2)).DisposeAsync();
        var before = new FileInfo(_paths.Log).Length;
        await (await WriteAsync(3)).DisposeAsync();
        var whole = await File.ReadAllBytesAsync(_paths.Log);
        var random = new Random(3);
        foreach (var length in new[] { before + 1, before + 15, before + 16, before + 100, whole.Length - 1L }
            .Concat(Enumerable.Range(0, 8).Select(_ => random.NextInt64(before + 1, whole.Length))))
        {
            await File.WriteAllBytesAsync(_paths.Log, whole[..(int)length]);
            await AssertReadsAsync(2);
        }

        await File.WriteAllBytesAsync(_paths.Log, whole);
        await AssertReadsAsync(3);
    }

    [Fact]
    public async Task ALogThatIsDamagedInsideIsRefused()
    {
        await (await WriteAsync(1)).DisposeAsync();
        var first = (int)new FileInfo(_paths.Log).Length;
        await (await WriteAsync(2, 3)).DisposeAsync();
        DamagedFile.Flip(_paths.Log, (int)new FileInfo(_paths.Log).Length - first - 5000);
        var before = FolderSnapshot.Take(_directory.Path);

        await Assert.ThrowsAsync<CatalogException>(OpenAsync);

        Assert.Equal(before, FolderSnapshot.Take(_directory.Path));
    }

    [Fact]
    public async Task ACounterThatAKilledWriterLeftOddIsNoObstacle()
    {
        await (await WriteAsync(1, 2)).DisposeAsync();
        var counter = await File.ReadAllBytesAsync(_paths.Lock);
        BinaryPrimitives.WriteInt64LittleEndian(counter, BinaryPrimitives.ReadInt64LittleEndian(counter) + 1);
        await File.WriteAllBytesAsync(_paths.Lock, counter);
        await AssertReadsAsync(2);
    }

    [Fact]
    public async Task WhatOthersCommitMeanwhileIsSeen()
    {
        await using var writer = await WriteAsync(1);
        await using var reader = await OpenAsync();
        var generation = reader.ReadGeneration();
        await PutAsync(writer, 2);
        Assert.NotEqual(generation, reader.ReadGeneration());
        Assert.Equal(2, await FindAsync(reader));
        await writer.ApplyLogAsync(CancellationToken.None);
        Assert.Equal(2, await FindAsync(reader));
        await PutAsync(writer, 3);
        Assert.Equal(3, await FindAsync(reader));
    }

    [Fact]
    public async Task NoWriterComesBetweenWhatOneTransactionReads()
    {
        await using var writer = await WriteAsync(1);
        await using var reader = await OpenAsync();
        await using var other = await OpenAsync();
        var isFree = await reader.ReadAsync(
            transaction =>
            {
                using var exclusive = FileLock.OpenExisting(_paths.Lock)!;
                using var shared = FileLock.OpenForReading(_paths.Lock)!;
                return (ToAWriter: exclusive.TryAcquire(), ToAReader: shared.TryAcquireShared());
            },
            CancellationToken.None);
        Assert.Equal((false, true), isFree);
        await PutAsync(writer, 2);
        Assert.Equal((2, 2), (await FindAsync(reader), await FindAsync(other)));
    }

    [Fact]
    public async Task WritesAreRefused()
    {
        await (await WriteAsync(1)).DisposeAsync();
        await using var reader = await OpenAsync();
        Assert.True(reader.IsReadOnly);
        await Assert.ThrowsAsync<ReadOnlyException>(() => reader.WriteAsync(_ => true, CancellationToken.None));
        await Assert.ThrowsAsync<InvariantException>(() => reader.ReadAsync(
            transaction =>
            {
                transaction.StorageBindings.Put(new StorageBinding("s", Guid.Empty, true));
                return true;
            },
            CancellationToken.None));
        Assert.Equal(1, await FindAsync(reader));
    }

    [Fact]
    public async Task AReaderIsKnownToThoseWhoDeleteUntilItsEnd()
    {
        await using var writer = await WriteAsync(1);
        Assert.False(await HasReadersAsync(writer));
        var readers = new[] { await OpenAsync(), await OpenAsync() };
        Assert.True(await HasReadersAsync(writer));
        await readers[0].DisposeAsync();
        Assert.True(await HasReadersAsync(writer));
        await readers[1].DisposeAsync();
        Assert.False(await HasReadersAsync(writer));
    }

    [Fact]
    public async Task LeasesOfTheLivingAreSeenAndNothingOfTheDeadIsRemoved()
    {
        await using var living = await WriteAsync(1);
        await TakeAsync(living, "overlay:living");
        var killed = await WriteAsync(2);
        await TakeAsync(killed, "overlay:killed");
        var file = Path.Combine(_paths.Owners, $"{killed.Owner.Token:N}.lock");
        await killed.DisposeAsync();
        await File.WriteAllTextAsync(file, "");
        await using var reader = await OpenAsync();

        var leases = await reader.ReadAsync(transaction => transaction.Leases.List(""), CancellationToken.None);

        Assert.Equal("overlay:living", Assert.Single(leases).Resource);
        Assert.True(File.Exists(file));
    }

    /// <summary>A link that leads round in the place of a file is no read-only place, whoever opens it.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task AnotherFailureThanARefusedWriteIsOne(bool mayOnlyRead)
    {
        await (await WriteAsync(1)).DisposeAsync();
        File.Delete(_paths.Queue);
        File.CreateSymbolicLink(_paths.Queue, _paths.Queue);

        var failure = await Assert.ThrowsAsync<CatalogException>(() => LiteDbOpening.OpenAsync(
            new LiteDbCatalogOptions { Path = _paths.Data }, mayOnlyRead, CancellationToken.None));

        Assert.Contains("symbolic links", failure.Message, StringComparison.Ordinal);
    }

    private async Task AssertReadsAsync(int number)
    {
        var before = FolderSnapshot.Take(_directory.Path);
        await using (var reader = await OpenAsync())
        {
            Assert.Equal(number, await FindAsync(reader));
        }

        Assert.Equal(before, FolderSnapshot.Take(_directory.Path));
    }

    private async Task<LiteDbCatalog> WriteAsync(params int[] numbers)
    {
        var catalog = await LiteDbCatalog.OpenAsync(
            new LiteDbCatalogOptions { Path = _paths.Data, Create = true }, CancellationToken.None);
        foreach (var number in numbers)
        {
            await PutAsync(catalog, number);
        }

        return catalog;
    }

    private Task<ReadOnlyCatalog> OpenAsync() =>
        ReadOnlyCatalog.OpenAsync(new LiteDbCatalogOptions { Path = _paths.Data }, CancellationToken.None);

    private static Task PutAsync(ICatalog catalog, int number) => catalog.WriteAsync(
        write =>
        {
            write.StorageBindings.Put(new StorageBinding("s", new Guid(number, 0, 0, new byte[8]), true));
            return true;
        },
        CancellationToken.None);

    private static Task<int> FindAsync(ICatalog catalog) => catalog.ReadAsync(
        read => BitConverter.ToInt32(read.StorageBindings.Find("s")!.StoreId.ToByteArray()), CancellationToken.None);

    private static Task<bool> HasReadersAsync(ICatalog catalog) =>
        catalog.WriteAsync(transaction => transaction.Leases.HasReaders(), CancellationToken.None);

    private static Task TakeAsync(ICatalog catalog, string resource) => catalog.WriteAsync(
        transaction => transaction.Leases.TryAcquire(resource, LeaseMode.Exclusive, "test", out _, out _),
        CancellationToken.None);
}
