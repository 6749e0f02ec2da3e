using Benji.Store.Catalogs;
using Benji.Store.Catalogs.LiteDb;
using Benji.Store.Catalogs.LiteDb.Disk;
using Benji.Store.Catalogs.LiteDb.Reading;
using Benji.Store.Model;
using Benji.Testing;
using Benji.Testing.Catalogs;
using Xunit;

namespace Benji.Tests.Catalogs.LiteDb.Reading;

/// <summary>Readers whom no lock keeps apart from writers: on another host, or where the lock's file was tidied away.</summary>
public sealed class UnsharedLockTests : IAsyncLifetime
{
    private readonly TemporaryDirectory _directory = new();
    private LiteDbCatalog _writer = null!;
    private int _number;

    private LiteDbCatalogOptions Options => new() { Path = _directory["catalog.db"], Create = true };

    public async Task InitializeAsync()
    {
        await OpenWriterAsync();
        await WriteAsync();
    }

    public async Task DisposeAsync()
    {
        await _writer.DisposeAsync();
        _directory.Dispose();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task WhatWasReadBesideAWriterIsReadAgain(bool isApplied)
    {
        await using var reader = await OtherHost.OpenAsync(Options, CancellationToken.None);
        var seen = new List<int>();

        var read = await reader.ReadAsync(
            transaction =>
            {
                seen.Add(Find(transaction));
                if (seen.Count == 1)
                {
                    Do(WriteAsync());
                    if (isApplied)
                    {
                        Do(_writer.ApplyLogAsync(CancellationToken.None));
                    }
                }

                return Find(transaction);
            },
            CancellationToken.None);

        Assert.Equal(2, read);
        Assert.Equal([1, 2], seen);
    }

    /// <summary>What fails then says nothing of the catalog, nor of what was looked for.</summary>
    [Fact]
    public async Task AFailureBesideAWriterIsNone()
    {
        await using var reader = await OtherHost.OpenAsync(Options, CancellationToken.None);
        var runs = 0;

        var read = await reader.ReadAsync(
            transaction =>
            {
                if (++runs == 1)
                {
                    Do(WriteAsync());
                    throw new NotFoundException("It is half written.");
                }

                return Find(transaction);
            },
            CancellationToken.None);

        Assert.Equal((2, 2), (read, runs));
    }

    [Fact]
    public async Task WhoIsNeverLetAloneIsTold()
    {
        await using var reader = await OtherHost.OpenAsync(Options, CancellationToken.None);

        await Assert.ThrowsAsync<InUseException>(() => reader.ReadAsync(
            transaction =>
            {
                Do(WriteAsync());
                return Find(transaction);
            },
            CancellationToken.None));

        Assert.Equal(_number, await reader.ReadAsync(Find, CancellationToken.None));
    }

    [Fact]
    public async Task AWriterThatMakesTheLocksFileIsNoticed()
    {
        await _writer.DisposeAsync();
        var paths = new CatalogPaths(Options.Path);
        File.Delete(paths.Lock);
        File.Delete(paths.Queue);
        await using var reader = await ReadOnlyCatalog.OpenAsync(Options, CancellationToken.None);
        Assert.False(File.Exists(paths.Lock));
        var seen = new List<int>();

        var read = await reader.ReadAsync(
            transaction =>
            {
                if (seen.Count == 0)
                {
                    Do(OpenWriterAsync());
                    Do(WriteAsync());
                }

                seen.Add(Find(transaction));
                return seen[^1];
            },
            CancellationToken.None);

        Assert.Equal(2, read);
        Assert.Equal([1, 2], seen);
    }

    private static int Find(ICatalogTransaction transaction) =>
        BitConverter.ToInt32(transaction.StorageBindings.Find("s")!.StoreId.ToByteArray());

    // A transaction waits for nothing but the disk: what comes between its steps is done by whoever runs it.
    private static void Do(Task task) => task.GetAwaiter().GetResult();

    private async Task OpenWriterAsync() => _writer = await LiteDbCatalog.OpenAsync(Options, CancellationToken.None);

    private Task WriteAsync() => _writer.WriteAsync(
        transaction =>
        {
            _number++;
            transaction.StorageBindings.Put(new StorageBinding("s", new Guid(_number, 0, 0, new byte[8]), true));
            return true;
        },
        CancellationToken.None);
}
