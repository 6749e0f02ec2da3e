using Benji.Store.Images.Versions.Frames;
using Benji.Store.Model;
using Benji.Testing;
using Xunit;

namespace Benji.Tests.Images.Versions.Frames;

public class FrameCacheTests
{
    private const int Frame = BlockGeometry.FrameSize;

    [Fact]
    public void MemoryIsBounded()
    {
        using var cache = new FrameCache(64 * Frame);
        for (var i = 0; i < 1000; i++)
        {
            cache.Put(Key(i), Content(i)).Release();
        }

        Assert.InRange(cache.BytesUsed, 1, cache.BytesMax);
        Assert.Equal(64 * Frame, cache.BytesMax);
    }

    [Fact]
    public void APinnedFrameStaysAsItIs()
    {
        using var cache = new FrameCache(1);
        var pinned = Enumerable.Range(0, 100).Select(i => cache.Put(Key(i), Content(i))).ToList();
        for (var i = 100; i < 1000; i++)
        {
            cache.Put(Key(i), Content(i)).Release();
        }

        for (var i = 0; i < pinned.Count; i++)
        {
            Assert.True(pinned[i].Memory.Span.SequenceEqual(Content(i)));
            pinned[i].Release();
        }
    }

    [Fact]
    public void WhatIsFoundIsWhatWasPut() => Seeded.Run(random =>
    {
        using var cache = new FrameCache(32 * Frame);
        var hits = 0;
        for (var i = 0; i < 5000; i++)
        {
            var key = random.Next(60);
            if (cache.TryPin(Key(key), out var frame))
            {
                hits++;
            }
            else
            {
                frame = cache.Put(Key(key), Content(key));
            }

            Assert.True(frame.Memory.Span.SequenceEqual(Content(key)));
            frame.Release();
        }

        Assert.InRange(hits, 500, 4500);
    });

    [Fact]
    public void WhatIsUsedAgainAndAgainStaysBesideAStream()
    {
        using var cache = new FrameCache(1024 * Frame);
        for (var i = 0; i < 20_000; i++)
        {
            cache.Put(Key(1000 + i), Content(i)).Release();
            if (cache.TryPin(Key(7), out var frame))
            {
                frame.Release();
            }
            else
            {
                Assert.True(i < 10, "The frame was pushed out although it was in use.");
                cache.Put(Key(7), Content(7)).Release();
            }
        }
    }

    private static FrameKey Key(int i)
    {
        Span<byte> id = stackalloc byte[Hash256.Size];
        new Random(i / 8).NextBytes(id);
        return new FrameKey(new BlockId(new Hash256(id)), i % 8);
    }

    private static byte[] Content(int i) => BitConverter.GetBytes(i);
}
