using Benji.Store.Transforms;
using Xunit;

namespace Benji.Tests.Transforms;

public sealed class ContextPoolTests
{
    [Fact]
    public void ContextIsLentAgainAfterItsReturn()
    {
        using var pool = new ContextPool<Context>(() => new Context());
        var first = pool.Rent();
        var second = pool.Rent();
        Assert.NotSame(first, second);
        pool.Return(first);
        Assert.Same(first, pool.Rent());
        pool.Return(first);
        pool.Return(second);
    }

    [Fact]
    public void NoMoreThanTheBoundIsKept()
    {
        using var pool = new ContextPool<Context>(() => new Context());
        Context[] contexts = [.. Enumerable.Range(0, 100 + Environment.ProcessorCount).Select(_ => pool.Rent())];
        foreach (var context in contexts)
        {
            pool.Return(context);
        }

        var kept = contexts.Count(context => !context.IsDisposed);
        Assert.Equal(Math.Max(4, Environment.ProcessorCount), kept);
    }

    [Fact]
    public void DisposingFreesKeptAndReturnedContexts()
    {
        var pool = new ContextPool<Context>(() => new Context());
        var kept = pool.Rent();
        var lent = pool.Rent();
        pool.Return(kept);
        pool.Dispose();
        Assert.True(kept.IsDisposed);
        Assert.False(lent.IsDisposed);
        pool.Return(lent);
        Assert.True(lent.IsDisposed);
        Assert.Throws<ObjectDisposedException>(() => pool.Rent());
    }

    [Fact]
    public async Task NoContextIsLentTwiceAtOnce()
    {
        using var pool = new ContextPool<Context>(() => new Context());
        await Parallel.ForAsync(0, 2000, new ParallelOptions { MaxDegreeOfParallelism = 16 }, async (_, _) =>
        {
            var context = pool.Rent();
            Assert.Equal(1, Interlocked.Increment(ref context.Users));
            await Task.Yield();
            Assert.Equal(0, Interlocked.Decrement(ref context.Users));
            pool.Return(context);
        });
    }

    private sealed class Context : IDisposable
    {
        public int Users;

        public bool IsDisposed { get; private set; }

        public void Dispose() => IsDisposed = true;
    }
}
