using Benji.Store.Model;
using Benji.Store.Sources;
using Benji.Testing;
using Xunit;

namespace Benji.Tests.Sources;

public sealed class HintMapTests
{
    private const int SizeMax = 300;

    [Fact]
    public void ReadingWinsOverHoles()
    {
        var map = Build(Hole(0, 100), Data(20, 10), Data(90, 20), Hole(105, 5), Hole(120, 5));
        Assert.Equal([Hole(0, 20), Data(20, 10), Hole(30, 60), Data(90, 20), Hole(120, 5)], map.Extents);
    }

    [Fact]
    public void TouchingExtentsOfOneKindAreOne()
    {
        Assert.Equal([Data(10, 30), Hole(40, 20)], Build(Data(30, 10), Data(10, 20), Hole(50, 10), Hole(40, 10)).Extents);
    }

    [Fact]
    public void AnExtentWithoutLengthIsNoExtent()
    {
        Assert.Empty(Build(Data(10, 0), Hole(20, 0)).Extents);
    }

    [Fact]
    public void WithinCutsToTheRange()
    {
        var map = Build(Data(0, 100), Hole(100, 100));
        Assert.Equal([Data(90, 10), Hole(100, 10)], map.Within(90, 20));
        Assert.Empty(map.Within(50, 0));
        Assert.Empty(map.Within(200, 100));
    }

    [Fact]
    public void AnyMixOfExtentsEqualsTheMapOfBytes() => Seeded.Run(random =>
    {
        for (var round = 0; round < 2000; round++)
        {
            var model = new ExtentKind?[SizeMax];
            var builder = new HintMapBuilder();
            var count = random.Next(12);
            for (var i = 0; i < count; i++)
            {
                var offset = random.Next(SizeMax);
                var extent = new Extent(offset, random.Next(Math.Min(60, SizeMax - offset) + 1), (ExtentKind)random.Next(2));
                builder.Add(extent);
                Apply(model, extent);
            }

            var map = builder.Build();
            AssertEqual(model, 0, SizeMax, map.Extents);
            var from = random.Next(SizeMax);
            var length = random.Next(SizeMax - from + 1);
            AssertEqual(model, from, length, map.Within(from, length));
        }
    });

    internal static void Apply(ExtentKind?[] model, Extent extent)
    {
        for (var i = extent.Offset; i < extent.End; i++)
        {
            model[i] = extent.Kind == ExtentKind.Data || model[i] == ExtentKind.Data ? ExtentKind.Data : ExtentKind.Hole;
        }
    }

    // The extents are the runs of equal bytes of the model, no more and no fewer.
    internal static void AssertEqual(ExtentKind?[] model, int offset, int length, IEnumerable<Extent> extents)
    {
        var expected = new List<Extent>();
        for (var i = offset; i < offset + length; i++)
        {
            if (model[i] is not ExtentKind kind)
            {
                continue;
            }

            if (expected.Count > 0 && expected[^1].End == i && expected[^1].Kind == kind)
            {
                expected[^1] = expected[^1] with { Length = expected[^1].Length + 1 };
            }
            else
            {
                expected.Add(new Extent(i, 1, kind));
            }
        }

        Assert.Equal(expected, extents);
    }

    private static HintMap Build(params Extent[] extents)
    {
        var builder = new HintMapBuilder();
        foreach (var extent in extents)
        {
            builder.Add(extent);
        }

        return builder.Build();
    }

    private static Extent Data(long offset, long length) => new(offset, length, ExtentKind.Data);

    private static Extent Hole(long offset, long length) => new(offset, length, ExtentKind.Hole);
}
