using Benji.Store.Sources;
using Benji.Testing.Images;
using Xunit;

namespace Benji.Tests.Sources;

public sealed class LimitedSourceTests
{
    private static CancellationToken None => CancellationToken.None;

    [Fact]
    public async Task NoMoreReadsAreUnderWayThanAllowed()
    {
        var gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var begun = 0;
        var image = new MemoryImage(new byte[100])
        {
            Reading = async _ =>
            {
                Interlocked.Increment(ref begun);
                await gate.Task;
            },
        };
        await using var source = new LimitedSource(image, readsMax: 2);
        var reads = Enumerable.Range(0, 5).Select(i => source.ReadAsync(i, new byte[1], None).AsTask()).ToList();
        Assert.Equal(2, Volatile.Read(ref begun));
        gate.SetResult();
        await Task.WhenAll(reads);
        Assert.Equal(5, begun);
    }

    [Fact]
    public async Task AReadThatFailsGivesItsPlaceBack()
    {
        var image = new MemoryImage(new byte[100]) { FailingOffset = 50 };
        await using var source = new LimitedSource(image, readsMax: 1);
        await Assert.ThrowsAsync<Store.Model.StorageException>(() => source.ReadAsync(50, new byte[1], None).AsTask());
        await source.ReadAsync(10, new byte[1], None);
        Assert.Equal(1, image.BytesRead);
    }

    [Fact]
    public async Task AReadThatWaitsCanBeCancelled()
    {
        var gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var image = new MemoryImage(new byte[100]) { Reading = async _ => await gate.Task };
        await using var source = new LimitedSource(image, readsMax: 1);
        var first = source.ReadAsync(0, new byte[1], None).AsTask();
        using var stop = new CancellationTokenSource();
        var second = source.ReadAsync(0, new byte[1], stop.Token).AsTask();
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => second);
        gate.SetResult();
        await first;
    }
}
