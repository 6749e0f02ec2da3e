using System.Security.Cryptography;
using Benji.Store.Model;
using Benji.Store.Operations;
using Benji.Testing;
using Xunit;

namespace Benji.Tests.Operations;

/// <summary>A backup that is stopped shows nothing and keeps what it stored: the next one goes on from there.</summary>
public sealed class StoppedBackupTests : IAsyncDisposable
{
    private const int Blocks = 40;

    // Two workers hold a block each, and four wait for them.
    private const int UnderWayMax = 6;

    private readonly StoreFixture _store = new();
    private readonly byte[] _content;

    public StoppedBackupTests()
    {
        _content = RandomNumberGenerator.GetBytes(Blocks * _store.BlockSize);
        _store.Images.Set("disk", _content);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(20)]
    [InlineData(39)]
    public async Task TheNextBackupFindsWhatWasStored(int blocks)
    {
        await StopAsync(blocks);
        Assert.Empty(await (await _store.StoreAsync()).ListAsync(null));
        var result = await _store.BackupAsync("disk");
        Assert.InRange(result.BlocksDeduplicated, Math.Max(0, blocks - UnderWayMax), blocks);
        Assert.Equal(Blocks, result.BlocksDeduplicated + result.BlocksNew);
        await FourChecks.RunAsync(_store, new Dictionary<VersionName, byte[]> { [result.Version.Name] = _content });
    }

    [Fact]
    public async Task DeltasAreKeptToo()
    {
        var first = await _store.BackupAsync("disk");
        var before = _content.ToArray();
        for (var block = 0; block < Blocks; block++)
        {
            _content[block * _store.BlockSize] ^= 1;
        }

        _store.Images.Set("disk", _content);
        await StopAsync(30);
        var second = await _store.BackupAsync("disk");
        Assert.InRange(second.BlocksDeduplicated, 30 - UnderWayMax, 30);
        await FourChecks.RunAsync(
            _store,
            new Dictionary<VersionName, byte[]> { [first.Version.Name] = before, [second.Version.Name] = _content });
    }

    [Fact]
    public async Task WhatIsNotWantedAgainIsCleanedUp()
    {
        await StopAsync(30);
        await FourChecks.RunAsync(_store, new Dictionary<VersionName, byte[]>());
        Assert.Empty(_store.Objects("blocks"));
    }

    public ValueTask DisposeAsync() => _store.DisposeAsync();

    private async Task StopAsync(int blocks)
    {
        using var stop = new CancellationTokenSource();
        var store = await _store.StoreAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => store.BackupAsync(
            new BackupRequest { Source = "disk", Volume = "disk" },
            new StopAfter(blocks * (long)_store.BlockSize, stop),
            stop.Token));
    }

    /// <summary>Stops the run when so many bytes were handed to its workers.</summary>
    private sealed class StopAfter(long bytes, CancellationTokenSource stop) : IOperationProgress
    {
        private long _done;

        public void StartStage(string name, long? total, ProgressUnit unit)
        {
        }

        public void Advance(long units)
        {
            if ((_done += units) >= bytes)
            {
                stop.Cancel();
            }
        }
    }
}
