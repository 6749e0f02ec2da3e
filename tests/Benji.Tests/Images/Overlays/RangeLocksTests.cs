using Benji.Store.Images.Overlays;
using Benji.Store.Images.Overlays.Files;
using Benji.Testing;
using Xunit;

namespace Benji.Tests.Images.Overlays;

public sealed class RangeLocksTests
{
    private readonly RangeLocks _locks = new();

    [Fact]
    public async Task RangesThatOverlapTakeTurnsInTheirOrder()
    {
        var first = await AcquireAsync(0, 10);
        var second = AcquireAsync(5, 10);
        var third = AcquireAsync(12, 2);
        using var other = await AcquireAsync(20, 5);
        Assert.False(second.IsCompleted || third.IsCompleted);
        first.Dispose();
        var held = await second;
        Assert.False(third.IsCompleted);
        held.Dispose();
        (await third).Dispose();
    }

    [Fact]
    public async Task WhoGivesUpWaitingStandsInNobodysWay()
    {
        var first = await AcquireAsync(0, 10);
        using var cancellation = new CancellationTokenSource();
        var second = _locks.AcquireAsync(new UnitRange(0, 30), cancellation.Token).AsTask();
        var third = AcquireAsync(20, 5);
        Assert.False(third.IsCompleted);
        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => second);
        (await third).Dispose();
        first.Dispose();
        (await AcquireAsync(0, 30)).Dispose();
    }

    [Fact]
    public async Task ATryNeverWaits()
    {
        var first = await AcquireAsync(0, 10);
        Assert.Null(_locks.TryAcquire(new UnitRange(9, 1)));
        using (var claim = _locks.TryAcquire(new UnitRange(10, 1)))
        {
            Assert.NotNull(claim);
        }

        first.Dispose();
        using var again = _locks.TryAcquire(new UnitRange(9, 1));
        Assert.NotNull(again);
    }

    [Fact]
    public Task NoUnitHasTwoHolders() => Seeded.RunAsync(async random =>
    {
        var holders = new int[20];
        var seeds = Enumerable.Range(0, 8).Select(_ => random.Next()).ToArray();
        await Task.WhenAll(seeds.Select(seed => Task.Run(async () =>
        {
            var own = new Random(seed);
            for (var i = 0; i < 500; i++)
            {
                var first = own.Next(holders.Length);
                var range = new UnitRange(first, own.Next(1, holders.Length - first + 1));
                using var claim = await _locks.AcquireAsync(range, CancellationToken.None);
                for (var unit = range.First; unit < range.End; unit++)
                {
                    Assert.Equal(1, Interlocked.Increment(ref holders[unit]));
                }

                await Task.Yield();
                for (var unit = range.First; unit < range.End; unit++)
                {
                    Interlocked.Decrement(ref holders[unit]);
                }
            }
        })));
    });

    private Task<RangeLocks.Claim> AcquireAsync(long first, long count) =>
        _locks.AcquireAsync(new UnitRange(first, count), CancellationToken.None).AsTask();
}
