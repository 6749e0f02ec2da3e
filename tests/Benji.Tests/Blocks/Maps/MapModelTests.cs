using Benji.Store.Blocks.Maps;
using Benji.Store.Model;
using Benji.Testing;
using Xunit;

namespace Benji.Tests.Blocks.Maps;

/// <summary>Random sequences of versions against a plain dictionary: growth, shrinking, holes, every page
/// border.</summary>
public sealed class MapModelTests
{
    // Around the borders of a leaf page, of a page of leaves and of a page of those.
    private static readonly long[] Sizes =
        [0, 1, 2, 255, 256, 257, 511, 512, 513, 4000, 65_535, 65_536, 65_537, 70_000, 131_072, 16_777_216, 16_777_300];

    [Fact]
    public Task EveryVersionReadsBackAsTheModelSays() => Seeded.RunAsync(async random =>
    {
        for (var round = 0; round < 12; round++)
        {
            var pages = new MemoryPages();
            var model = MapModel.Empty;
            var past = new List<MapModel>();
            for (var step = 0; step < 8; step++)
            {
                var geometry = NextGeometry(random, model);
                var changes = Changes(random, model, geometry);
                model = await model.ChangeAsync(pages, geometry, changes, window: random.Next(1, 600));
                past.Add(model);
                await model.CheckAsync(pages);
                await CheckIsCanonicalAsync(model);
                await CheckLookUpsAsync(random, model, pages);
            }

            // Later versions changed nothing in earlier ones.
            foreach (var version in past)
            {
                await version.CheckAsync(pages);
            }
        }
    });

    [Fact]
    public Task DiffListsExactlyTheBlocksInWhichTwoVersionsDiffer() => Seeded.RunAsync(async random =>
    {
        for (var round = 0; round < 12; round++)
        {
            var pages = new MemoryPages();
            var before = MapModel.Empty;
            before = await before.ChangeAsync(pages, NextGeometry(random, before), new Dictionary<long, BlockId>());
            before = await before.ChangeAsync(pages, before.Geometry, Changes(random, before, before.Geometry));
            var geometry = NextGeometry(random, before);
            var after = await before.ChangeAsync(pages, geometry, Changes(random, before, geometry));
            var expected = before.Blocks.Keys.Union(after.Blocks.Keys).Order()
                .Where(index => before[index] != after[index])
                .Select(index => new MapChange(index, before[index], after[index]));
            var found = new List<MapChange>();
            var changes = MapDiff.ReadAsync(
                before.Open(pages), after.Open(pages), CancellationToken.None);
            await foreach (var change in changes)
            {
                found.Add(change);
            }

            Assert.Equal(expected, found);
        }
    });

    private static BlockGeometry NextGeometry(Random random, MapModel model)
    {
        if (random.Next(3) == 0)
        {
            return model.Geometry;
        }

        var blocks = Sizes[random.Next(Sizes.Length)];
        var cut = blocks > 0 && random.Next(2) == 0 ? random.Next(MapModel.BlockSize) : 0;
        return new BlockGeometry((blocks * MapModel.BlockSize) - cut, MapModel.BlockSize);
    }

    private static Dictionary<long, BlockId> Changes(Random random, MapModel model, BlockGeometry geometry)
    {
        var changes = new Dictionary<long, BlockId>();
        var count = geometry.BlockCount;
        for (var run = random.Next(6); run > 0 && count > 0; run--)
        {
            var first = random.NextInt64(count);
            var length = random.Next(3) == 0 ? random.Next(1, 1500) : random.Next(1, 4);
            for (var index = first; index < Math.Min(first + length, count); index++)
            {
                changes[index] = random.Next(4) switch
                {
                    0 => BlockId.Hole,
                    1 => model[index],
                    _ => MapModel.RandomId(random),
                };
            }
        }

        // A block of another length is another block, as every caller knows.
        var last = Math.Min(count, model.Geometry.BlockCount) - 1;
        if (last >= 0 && geometry.BlockLength(last) != model.Geometry.BlockLength(last) && !model[last].IsHole)
        {
            changes[last] = MapModel.RandomId(random);
        }

        return changes;
    }

    // The same blocks give the same root, whatever versions lead to it: what deduplicates pages between runs.
    private static async Task CheckIsCanonicalAsync(MapModel model)
    {
        var fresh = await MapModel.BuildAsync(new MemoryPages(), model.Geometry, model.Blocks);
        Assert.Equal(fresh.Root, model.Root);
    }

    private static async Task CheckLookUpsAsync(Random random, MapModel model, MemoryPages pages)
    {
        if (model.Geometry.BlockCount == 0)
        {
            return;
        }

        var reader = model.Open(pages);
        var indexes = Enumerable.Range(0, 300)
            .Select(i => i % 2 == 0 || model.Blocks.Count == 0
                ? random.NextInt64(model.Geometry.BlockCount)
                : model.Blocks.Keys.ElementAt(random.Next(Math.Min(model.Blocks.Count, 500))))
            .ToArray();
        Assert.Equal(indexes.Select(index => model[index]), await reader.FindAsync(indexes, CancellationToken.None));
        foreach (var index in indexes.Take(20))
        {
            Assert.Equal(model[index], await reader.FindAsync(index, CancellationToken.None));
        }

        var first = random.NextInt64(model.Geometry.BlockCount);
        var count = random.NextInt64(model.Geometry.BlockCount - first + 1);
        var expected = model.Blocks.Where(block => block.Key >= first && block.Key < first + count);
        var found = new List<KeyValuePair<long, BlockId>>();
        await foreach (var run in reader.ReadAsync(first, count, CancellationToken.None))
        {
            found.AddRange(run.Ids.ToArray()
                .Select((id, i) => KeyValuePair.Create(run.FirstBlock + i, id))
                .Where(block => !block.Value.IsHole));
        }

        Assert.Equal(expected, found);
    }
}
