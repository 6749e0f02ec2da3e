using Benji.Store.Model;
using Xunit;

namespace Benji.Tests.Model;

public sealed class BlockBufferPoolTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(4096)]
    [InlineData(8192)]
    [InlineData(8193)]
    [InlineData(65536)]
    [InlineData((4 << 20) + 2704)]
    [InlineData(64 << 20)]
    public unsafe void ABufferIsAlignedAndCanGrowToWholePages(int length)
    {
        var pool = new BlockBufferPool(0);
        using var buffer = pool.Rent(length);
        Assert.Equal(length, buffer.Length);
        Assert.True(buffer.Capacity >= (length + BlockBuffer.Alignment - 1) / BlockBuffer.Alignment * BlockBuffer.Alignment);
        Assert.True(buffer.Capacity <= length + Math.Max(8192, length / 4) + BlockBuffer.Alignment);
        fixed (byte* start = buffer.Memory.Span)
        {
            Assert.Equal(0u, (nuint)start % BlockBuffer.Alignment);
        }
    }

    [Fact]
    public void AReturnedBufferIsLentAgainAndTheRestIsLetGo()
    {
        var pool = new BlockBufferPool(100_000);
        pool.Rent(60_000).Dispose();
        Assert.True(pool.IdleBytes > 60_000);
        var idle = pool.IdleBytes;
        using (var first = pool.Rent(60_000))
        using (var second = pool.Rent(60_000))
        {
            Assert.Equal(0, pool.IdleBytes);
        }

        Assert.Equal(idle, pool.IdleBytes);
    }

    [Fact]
    public void ADisposedBufferCannotBeUsed()
    {
        var buffer = new BlockBufferPool(1 << 20).Rent(100);
        buffer.Dispose();
        buffer.Dispose();
        Assert.Throws<ObjectDisposedException>(() => buffer.Memory);
    }
}
