using Xunit;

namespace Benji.Tests.Transforms;

/// <summary>Asserts that work on the path of every frame allocates nothing.</summary>
internal static class Allocation
{
    /// <summary>Warms up, then counts what this thread allocates while the work runs that often.</summary>
    public static void IsNone(Action work, int times)
    {
        for (var i = 0; i < 50; i++)
        {
            work();
        }

        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < times; i++)
        {
            work();
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }
}
