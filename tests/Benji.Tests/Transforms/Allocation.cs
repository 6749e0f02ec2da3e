using Xunit;

namespace Benji.Tests.Transforms;

/// <summary>Asserts that work on the path of every frame allocates nothing.</summary>
internal static class Allocation
{
    private const int Rounds = 5;

    /// <summary>Warms up, then counts what this thread allocates while the work runs that often.</summary>
    /// <remarks>The least of several rounds counts: the runtime itself may allocate once when it puts better code in
    /// place, while work that allocates does so in every round.</remarks>
    public static void IsNone(Action work, int times)
    {
        for (var i = 0; i < 50; i++)
        {
            work();
        }

        Assert.Equal(0, Enumerable.Range(0, Rounds).Min(_ => Allocated(work, times)));
    }

    private static long Allocated(Action work, int times)
    {
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < times; i++)
        {
            work();
        }

        return GC.GetAllocatedBytesForCurrentThread() - before;
    }
}
