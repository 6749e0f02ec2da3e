using Benji.Store.Blocks.Maps;
using Benji.Store.Model;
using Benji.Testing;
using Xunit;

namespace Benji.Tests.Blocks.Maps;

public sealed class FingerprintSetTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void ItHoldsWhatWasAddedAndNothingElse(bool isWide) => Seeded.Run(random =>
    {
        var set = new FingerprintSet(1 << 16, isWide);
        var expected = new HashSet<Hash256>();
        for (var i = 0; i < 50_000; i++)
        {
            var id = MapModel.RandomId(random).Hash;
            Assert.True(set.TryAdd(id, out var isNew));
            Assert.Equal(expected.Add(id), isNew);
            Assert.True(set.TryAdd(id, out isNew) && !isNew);
        }

        Assert.Equal(expected.Count, set.Count);
        Assert.All(expected, id => Assert.True(set.Contains(id)));
        Assert.False(set.Contains(MapModel.RandomId(random).Hash));
        set.Clear();
        Assert.False(set.Contains(expected.First()));
    });

    [Fact]
    public void AFullSetRefusesNewIdsAndKeepsTheOld()
    {
        var random = new Random(5);
        var set = new FingerprintSet(16, isWide: false);
        var held = Enumerable.Range(0, 12).Select(_ => MapModel.RandomId(random).Hash).ToList();
        Assert.All(held, id => Assert.True(set.TryAdd(id, out _)));

        Assert.False(set.TryAdd(MapModel.RandomId(random).Hash, out _));
        Assert.True(set.TryAdd(held[0], out var isNew));
        Assert.False(isNew);
        Assert.All(held, id => Assert.True(set.Contains(id)));
    }

    [Fact]
    public void OnlyAWideSetTellsIdsOfOneFingerprintApart()
    {
        var bytes = new byte[Hash256.Size];
        bytes[20] = 1;
        var first = new Hash256(bytes);
        bytes[10] = 1;
        var second = new Hash256(bytes);

        foreach (var isWide in new[] { false, true })
        {
            var set = new FingerprintSet(16, isWide);
            Assert.True(set.TryAdd(first, out _));
            Assert.Equal(!isWide, set.Contains(second));
        }
    }

    [Fact]
    public void PartitionsCutTheIdsInOrderAndMissNone()
    {
        var random = new Random(6);
        var ids = Enumerable.Range(0, 2000).Select(_ => MapModel.RandomId(random).Hash).ToList();
        for (var (range, bits) = (IdPartition.All, 0); bits < 6; bits++, range = range.Half)
        {
            var found = new List<Hash256>();
            for (var part = range with { Index = 0 }; ; part = part.Next)
            {
                var own = ids.Where(part.Contains).Order().ToList();
                Assert.All(own, id => Assert.True(part.Before is not { } before || id > before));
                found.AddRange(own);
                if (part.IsLast)
                {
                    break;
                }
            }

            Assert.Equal(ids.Order(), found);
        }
    }
}
