using Benji.Store.Model;
using Xunit;

namespace Benji.Tests.Model;

public sealed class FrameSetTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(64)]
    [InlineData(65)]
    [InlineData(1024)]
    public void AllHoldsEveryFrame(int frameCount)
    {
        var set = FrameSet.All(frameCount);
        Assert.Equal(frameCount, set.Count);
        Assert.True(set.IsAll);
        Assert.True(set.TryFindRun(0, out var first, out var count));
        Assert.Equal((0, frameCount), (first, count));
    }

    [Fact]
    public void TouchedFramesIncludeBothEdges()
    {
        var set = new FrameSet(64);
        set.AddTouched(BlockGeometry.FrameSize - 1, 2);
        set.AddTouched(10 * BlockGeometry.FrameSize, BlockGeometry.FrameSize);
        set.AddTouched(20 * BlockGeometry.FrameSize, 0);
        Assert.Equal([0, 1, 10], Enumerable.Range(0, 64).Where(set.Contains));
    }

    [Fact]
    public void RunsAreFoundInOrder()
    {
        var set = new FrameSet(130);
        set.AddRange(3, 2);
        set.AddRange(63, 3);
        set.Add(129);
        var runs = new List<(int First, int Count)>();
        for (var at = 0; set.TryFindRun(at, out var first, out var count); at = first + count)
        {
            runs.Add((first, count));
        }

        Assert.Equal([(3, 2), (63, 3), (129, 1)], runs);
    }

    [Fact]
    public void AnEmptySetHasNoRun()
    {
        var set = new FrameSet(100);
        Assert.True(set.IsEmpty);
        Assert.False(set.TryFindRun(0, out _, out _));
    }
}
