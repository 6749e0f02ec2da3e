using Benji.Store.Sources;
using Xunit;

namespace Benji.Tests.Sources;

public sealed class LimitedTargetTests
{
    private static CancellationToken None => CancellationToken.None;

    [Fact]
    public async Task NoMoreWritesAndZeroingsAreUnderWayThanAllowed()
    {
        var slow = new SlowTarget();
        await using var target = new LimitedTarget(slow, writesMax: 2);
        var calls = new List<Task>
        {
            target.WriteAsync(0, new byte[4096], None).AsTask(),
            target.ZeroAsync(4096, 4096, None).AsTask(),
            target.WriteAsync(8192, new byte[4096], None).AsTask(),
            target.ZeroAsync(12_288, 4096, None).AsTask(),
        };
        Assert.Equal(2, slow.Begun);
        slow.Gate.SetResult();
        await Task.WhenAll(calls);
        await target.FlushAsync(None);
        Assert.Equal(5, slow.Begun);
    }

    private sealed class SlowTarget : ITarget
    {
        private int _begun;

        public TaskCompletionSource Gate { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public int Begun => Volatile.Read(ref _begun);

        public string Description => "slow";

        public bool IsZeroed => false;

        public ValueTask WriteAsync(long offset, ReadOnlyMemory<byte> content, CancellationToken cancellationToken) =>
            WaitAsync();

        public ValueTask ZeroAsync(long offset, long length, CancellationToken cancellationToken) => WaitAsync();

        public ValueTask FlushAsync(CancellationToken cancellationToken) => WaitAsync();

        public ValueTask DisposeAsync() => default;

        private async ValueTask WaitAsync()
        {
            Interlocked.Increment(ref _begun);
            await Gate.Task;
        }
    }
}
