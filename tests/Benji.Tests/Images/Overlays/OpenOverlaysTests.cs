using Benji.Store.Images.Overlays;
using Benji.Store.Images.Overlays.Files;
using Benji.Store.Model;
using Benji.Testing.Disks;
using Benji.Testing.Serving;
using Xunit;

namespace Benji.Tests.Images.Overlays;

public sealed class OpenOverlaysTests
{
    private const int Unit = OverlayLayout.UnitSize;

    private readonly OpenOverlays _open = new();
    private readonly SimulatedDisk _disk = new();
    private readonly OverlayBench _bench;
    private int _claims;
    private int _claimsMade;

    public OpenOverlaysTests()
    {
        _bench = new OverlayBench(new byte[10 * Unit], () => new SimulatedOverlayDisk(_disk));
        SimulatedOverlayDisk.Create(_disk, _bench.Header);
    }

    [Fact]
    public async Task OpeningsSeeEachOthersWritesAndFlushThem()
    {
        var one = await OpenAsync();
        var other = await OpenAsync();
        await one.WriteAsync(0, "abc"u8.ToArray(), CancellationToken.None);
        Assert.Equal("abc"u8.ToArray(), await other.ReadBytesAsync(0, 3));
        await other.FlushAsync(CancellationToken.None);
        var steps = _disk.Steps;
        await one.FlushAsync(CancellationToken.None);
        Assert.Equal(steps, _disk.Steps);
        await one.DisposeAsync();
        Assert.Equal(1, _claims);
        Assert.Equal("abc"u8.ToArray(), await other.ReadBytesAsync(0, 3));
        await other.DisposeAsync();
        Assert.Equal((0, 0, 1), (_claims, _bench.OpenBases, _claimsMade));
    }

    [Fact]
    public async Task WhoOpensAgainClaimsAgain()
    {
        await (await OpenAsync()).DisposeAsync();
        await (await OpenAsync()).DisposeAsync();
        Assert.Equal((0, 2), (_claims, _claimsMade));
    }

    [Fact]
    public async Task AnOpeningThatFailsLeavesNothing()
    {
        await Assert.ThrowsAsync<InUseException>(
            () => _open.OpenAsync(_bench.Entry, _ => throw new InUseException("taken"), CancellationToken.None));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => _open.OpenAsync(_bench.Entry, ClaimAsync, new CancellationToken(canceled: true)));
        await using var image = await OpenAsync();
        Assert.Equal(1, _claims);
    }

    [Fact]
    public async Task TheClaimIsGivenUpAlsoWhenTheLastFlushFails()
    {
        var image = await OpenAsync();
        await image.WriteAsync(0, new byte[Unit], CancellationToken.None);
        _disk.Fails = step => step.Kind == DiskStepKind.Sync;
        await Assert.ThrowsAsync<StorageException>(async () => await image.DisposeAsync());
        Assert.Equal((0, 0), (_claims, _bench.OpenBases));
    }

    [Fact]
    public async Task ManyOpenAndCloseAtOnce()
    {
        await Task.WhenAll(Enumerable.Range(0, 8).Select(opener => Task.Run(async () =>
        {
            for (var i = 0; i < 50; i++)
            {
                await using var image = await OpenAsync();
                Assert.Equal(1, Volatile.Read(ref _claims));
                await Task.Yield();
            }
        })));
        Assert.Equal((0, 0), (_claims, _bench.OpenBases));
    }

    private Task<OverlayImage> OpenAsync() => _open.OpenAsync(_bench.Entry, ClaimAsync, CancellationToken.None);

    // One process has an overlay open at a time; a second claim would be refused.
    private async Task<ClaimedCore> ClaimAsync(CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        Assert.Equal(1, Interlocked.Increment(ref _claims));
        _claimsMade++;
        return new ClaimedCore(await _bench.OpenCoreAsync(), new Claim(this));
    }

    private sealed class Claim(OpenOverlaysTests tests) : IAsyncDisposable
    {
        public ValueTask DisposeAsync()
        {
            Interlocked.Decrement(ref tests._claims);
            return default;
        }
    }
}
