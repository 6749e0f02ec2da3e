using Benji.Store.Storages;
using Benji.Store.Storages.Wrappers;
using Benji.Testing;
using Benji.Testing.Storages;
using Xunit;

namespace Benji.Tests.Storages.Wrappers;

public sealed class ThrottledStorageTests
{
    private const int Rate = 1000;

    private static readonly ObjectName Name = new("x");

    private readonly EagerClock _clock = new();
    private readonly MemoryStorage _memory = new();

    private static CancellationToken None => CancellationToken.None;

    private TimeSpan Waited => _clock.Waits.Aggregate(TimeSpan.Zero, (sum, wait) => sum + wait);

    [Fact]
    public async Task OneSecondsWorthPassesAtOnce()
    {
        await using var storage = new ThrottledStorage(_memory, 0, Rate, _clock);
        await storage.PutAsync(Name, new byte[Rate], None);
        Assert.Empty(_clock.Waits);
    }

    [Fact]
    public async Task WritesOfEveryKindKeepTheRate()
    {
        await using var storage = new ThrottledStorage(_memory, 0, Rate, _clock);
        await using var batch = storage.StartBatch();
        for (var i = 0; i < 10; i++)
        {
            await storage.PutAsync(Name, new byte[300], None);
            await batch.AddAsync(Name, new byte[300], None);
            await storage.TryCreateAsync(Name, new byte[400], None);
        }

        // 10,000 bytes, of which the first 1,000 were free; each wait is rounded up to a millisecond.
        Assert.InRange(Waited.TotalSeconds, 9, 9.05);
    }

    [Fact]
    public async Task ReadsKeepTheirOwnRateAndCountWhatTheyGot()
    {
        await using var storage = new ThrottledStorage(_memory, Rate, 0, _clock);
        await storage.PutAsync(Name, new byte[100_000], None);
        await storage.PutAsync(new("short"), new byte[10], None);
        Assert.Empty(_clock.Waits);
        for (var i = 0; i < 50; i++)
        {
            Assert.Equal(10, await storage.ReadAsync(new("short"), 0, new byte[100], None));
        }

        Assert.InRange(Waited.TotalSeconds, 0, 0.2);
        await storage.ReadAsync(Name, 0, new byte[5000], None);
        await storage.ReadAsync(Name, 0, new byte[5000], None);
        Assert.InRange(Waited.TotalSeconds, 4.5, 10);
    }

    [Fact]
    public async Task AnObjectLargerThanASecondsWorthLeavesADebt()
    {
        await using var storage = new ThrottledStorage(_memory, 0, Rate, _clock);
        await storage.PutAsync(Name, new byte[5 * Rate], None);
        Assert.Empty(_clock.Waits);
        await storage.PutAsync(Name, new byte[1], None);
        Assert.InRange(Waited.TotalSeconds, 4, 4.01);
    }

    [Fact]
    public async Task TimeThatPassesPaysTheDebtButSavesNoMoreThanASecond()
    {
        await using var storage = new ThrottledStorage(_memory, 0, Rate, _clock);
        await storage.PutAsync(Name, new byte[Rate], None);
        _clock.Advance(TimeSpan.FromHours(1));
        await storage.PutAsync(Name, new byte[Rate], None);
        Assert.Empty(_clock.Waits);
        await storage.PutAsync(Name, new byte[Rate], None);
        Assert.InRange(Waited.TotalSeconds, 1, 1.01);
    }

    [Fact]
    public async Task ACancelledWaitGivesItsBytesBack()
    {
        var bucket = new TokenBucket(Rate, TimeProvider.System);
        await bucket.TakeAsync(Rate, None);
        using var source = new CancellationTokenSource();
        var waiting = bucket.TakeAsync(1_000_000, source.Token).AsTask();
        await source.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);

        // With the debt of the cancelled take this would take a quarter of an hour.
        await bucket.TakeAsync(1, None).AsTask().WaitAsync(TimeSpan.FromSeconds(30));
    }

    [Fact]
    public async Task NoRateIsNoLimit()
    {
        await using var storage = new ThrottledStorage(_memory, 0, 0, _clock);
        await storage.PutAsync(Name, new byte[1 << 20], None);
        await storage.ReadAsync(Name, 0, new byte[1 << 20], None);
        Assert.Empty(_clock.Waits);
    }
}
