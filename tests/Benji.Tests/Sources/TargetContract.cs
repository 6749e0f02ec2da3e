using Benji.Store.Model;
using Benji.Store.Sources;
using Benji.Testing;
using Xunit;

namespace Benji.Tests.Sources;

/// <summary>What every target that keeps its bytes must do, whatever it writes to.</summary>
public abstract class TargetContract : IDisposable
{
    protected const int Size = (5 * 1024 * 1024) + 1234;

    private readonly BlockBufferPool _pool = new(idleBytesMax: 64 * 1024 * 1024);

    protected TemporaryDirectory Directory { get; } = new();

    /// <summary>Opens the target for <see cref="Size"/> bytes.</summary>
    internal abstract ITarget Open();

    /// <summary>The bytes that are there once the target was flushed; at least <see cref="Size"/>.</summary>
    internal abstract byte[] Content();

    /// <summary>The bytes before anything was written.</summary>
    internal abstract byte[] Before();

    [Fact]
    public async Task WhatIsWrittenIsThereAfterAFlush()
    {
        var expected = Before();
        new Random(1).NextBytes(expected.AsSpan(0, Size));
        await using (var target = Open())
        {
            await WriteAllAsync(target, expected, 1024 * 1024);
            await target.FlushAsync(CancellationToken.None);
        }

        AssertEqual(expected, Content());
    }

    [Fact]
    public async Task AZeroedTargetReadsAsZerosAndAnotherKeepsItsBytes()
    {
        await using (var target = Open())
        {
            await target.FlushAsync(CancellationToken.None);
        }

        AssertEqual(Before(), Content());
    }

    [Fact]
    public async Task ZeroedRangesReadAsZeros()
    {
        var expected = Before();
        new Random(2).NextBytes(expected.AsSpan(0, Size));
        await using (var target = Open())
        {
            await WriteAllAsync(target, expected, 65536);
            foreach (var (offset, length) in new[] { (0, 65536), (1024 * 1024, 1), (2000001, 300000), (3000000, 0), (Size - 5000, 5000) })
            {
                await target.ZeroAsync(offset, length, CancellationToken.None);
                expected.AsSpan(offset, length).Clear();
            }

            await target.FlushAsync(CancellationToken.None);
        }

        AssertEqual(expected, Content());
    }

    [Fact]
    public async Task AFlushInBetweenChangesNothing()
    {
        var expected = Before();
        new Random(3).NextBytes(expected.AsSpan(0, Size));
        await using (var target = Open())
        {
            await target.FlushAsync(CancellationToken.None);
            await WriteAllAsync(target, expected, 1024 * 1024);
            await target.FlushAsync(CancellationToken.None);
            await target.FlushAsync(CancellationToken.None);
        }

        AssertEqual(expected, Content());
    }

    [Fact]
    public async Task AnyOrderOfWritesAndZerosEqualsTheModel() => await Seeded.RunAsync(async random =>
    {
        var expected = Before();
        await using (var target = Open())
        {
            for (var step = 0; step < 60; step++)
            {
                var offset = random.Next((Size / 4096) + 1) * 4096;
                var length = Math.Min(random.Next(1, 40) * 4096, Size - offset);
                if (random.Next(3) == 0)
                {
                    offset += random.Next(length + 1);
                    length = random.Next(Math.Min(length, Size - offset) + 1);
                    await target.ZeroAsync(offset, length, CancellationToken.None);
                    expected.AsSpan(offset, length).Clear();
                }
                else
                {
                    random.NextBytes(expected.AsSpan(offset, length));
                    await WriteAsync(target, offset, expected.AsMemory(offset, length), random.Next(2) == 0);
                }
            }

            await target.FlushAsync(CancellationToken.None);
        }

        AssertEqual(expected, Content());
    });

    [Fact]
    public async Task ConcurrentWritesOfDifferentRangesAllArrive()
    {
        var expected = Before();
        new Random(4).NextBytes(expected.AsSpan(0, Size));
        await using (var target = Open())
        {
            await Parallel.ForAsync(0, (Size / 65536) + 1, async (i, _) =>
            {
                var offset = (int)i * 65536;
                var length = Math.Min(65536, Size - offset);
                await WriteAsync(target, offset, expected.AsMemory(offset, length), i % 2 == 0);
            });
            await target.FlushAsync(CancellationToken.None);
        }

        AssertEqual(expected, Content());
    }

    [Fact]
    public async Task WritesOutsideAreABrokenInvariant()
    {
        await using var target = Open();
        var part = new byte[4096];
        await Assert.ThrowsAsync<InvariantException>(async () => await target.WriteAsync(1, part, CancellationToken.None));
        await Assert.ThrowsAsync<InvariantException>(
            async () => await target.WriteAsync(Size / 4096 * 4096, part, CancellationToken.None));
        await Assert.ThrowsAsync<InvariantException>(
            async () => await target.ZeroAsync(Size, 1, CancellationToken.None));
    }

    [Fact]
    public async Task ACancelledCallChangesNothing()
    {
        await using (var target = Open())
        {
            var cancelled = new CancellationToken(canceled: true);
            await Assert.ThrowsAsync<OperationCanceledException>(
                async () => await target.WriteAsync(0, new byte[4096], cancelled));
            await Assert.ThrowsAsync<OperationCanceledException>(async () => await target.ZeroAsync(0, 4096, cancelled));
            await Assert.ThrowsAsync<OperationCanceledException>(async () => await target.FlushAsync(cancelled));
            await target.FlushAsync(CancellationToken.None);
        }

        AssertEqual(Before(), Content());
    }

    public void Dispose()
    {
        Dispose(disposing: true);
        GC.SuppressFinalize(this);
    }

    protected virtual void Dispose(bool disposing) => Directory.Dispose();

    private async Task WriteAllAsync(ITarget target, byte[] content, int step)
    {
        for (var offset = 0; offset < Size; offset += step)
        {
            await WriteAsync(target, offset, content.AsMemory(offset, Math.Min(step, Size - offset)), aligned: true);
        }
    }

    private async Task WriteAsync(ITarget target, int offset, Memory<byte> content, bool aligned)
    {
        if (!aligned)
        {
            await target.WriteAsync(offset, content, CancellationToken.None);
            return;
        }

        using var buffer = _pool.Rent(content.Length);
        content.CopyTo(buffer.Memory);
        await target.WriteAsync(offset, buffer.Memory, CancellationToken.None);
    }

    private static void AssertEqual(byte[] expected, byte[] actual)
    {
        Assert.Equal(expected.Length, actual.Length);
        Assert.Equal(expected.Length, expected.AsSpan().CommonPrefixLength(actual));
    }
}
