using Benji.Store.Blocks;
using Benji.Store.Blocks.Maps;
using Benji.Store.Blocks.Sealing;
using Benji.Store.Catalogs;
using Benji.Store.Model;
using Benji.Testing.Catalogs;
using Xunit;

namespace Benji.Tests.Operations.Cleanup;

/// <summary>What must hold in a <see cref="CleanupWorld"/> while nobody is at work.</summary>
internal static class CleanupChecks
{
    /// <summary>Checks that each version of the catalog reads as what it must hold, from its objects alone, and that rows say what
    /// objects are.</summary>
    public static async Task CheckAsync(this CleanupWorld world)
    {
        await using var empty = new MemoryCatalog(new MemoryCatalogPlace(world.Clock));
        var pages = new PageStore(
            world.Store, empty, new PendingDeletions(world.Store, empty, world.Clock), world.Clock);
        var expected = new Dictionary<BlockId, int>();
        foreach (var version in world.State.Versions.Values)
        {
            var found = new SortedDictionary<long, BlockId>();
            var map = new MapReader(pages, version.Root, version.Geometry);
            await foreach (var run in map.ReadAsync(0, version.Geometry.BlockCount, CancellationToken.None))
            {
                for (var i = 0; i < run.Ids.Length; i++)
                {
                    if (!run.Ids.Span[i].IsHole)
                    {
                        found.Add(run.FirstBlock + i, run.Ids.Span[i]);
                    }
                }
            }

            var contents = world.Contents[version.Id];
            Assert.Equal(contents.ToDictionary(block => block.Key, block => world.IdOf(block.Value)), found);
            foreach (var content in contents.Values)
            {
                expected[world.IdOf(content)] = content;
            }
        }

        await CheckBlocksAsync(world, expected);
        await CheckRowsAsync(world);
    }

    /// <summary>Checks that exactly those versions are visible that were published and not removed.</summary>
    /// <remarks>For a world without dead runs: of one that was killed nobody knows how far it came.</remarks>
    public static void CheckVisible(this CleanupWorld world)
    {
        var visible = world.State.Versions.Keys.ToHashSet();
        Assert.Empty(world.State.Intents);
        Assert.Empty(visible.Intersect(world.Failed));
        Assert.Empty(visible.Intersect(world.Removed));
        Assert.Empty(world.Published.Except(world.Removing).Except(visible));
        var manifests = world.Objects.Names.Where(name => name.Value.StartsWith(ObjectNames.ManifestPrefix, StringComparison.Ordinal));
        Assert.Equal(
            world.State.Versions.Values.Select(version => ObjectNames.Manifest(version.Name).Value).Order(),
            manifests.Select(name => name.Value).Order());
    }

    /// <summary>Checks that a deep scrub of each version finds nothing.</summary>
    public static async Task CheckScrubAsync(this CleanupWorld world)
    {
        await using var process = await world.StartAsync();
        foreach (var version in world.State.Versions.Values)
        {
            var result = await process.ScrubAsync(version);
            Assert.Empty(result.Damage);
            Assert.Equal(VersionStatus.Valid, result.Version.Status);
        }
    }

    /// <summary>Checks that rows and objects of blocks and pages are exactly those that versions need.</summary>
    public static async Task CheckExactAsync(this CleanupWorld world)
    {
        var needed = (await NeededAsync(world)).Select(hash => hash.ToString()).Order();
        var there = new HashSet<Hash256>();
        foreach (var name in world.Objects.Names)
        {
            if (ObjectNames.TryParseBlock(name, out var block, out _))
            {
                there.Add(block.Hash);
            }

            if (ObjectNames.TryParsePage(name, out var page))
            {
                there.Add(page.Hash);
            }
        }

        Assert.Equal(needed, there.Select(hash => hash.ToString()).Order());
        var rows = world.State.Blocks.Keys.Select(id => id.Hash).Concat(world.State.Pages.Keys.Select(id => id.Hash));
        Assert.Equal(needed, rows.Select(hash => hash.ToString()).Order());
        Assert.Empty(world.State.Claims);
        Assert.Empty(world.State.Reservations);
        Assert.All(world.State.Bindings.Values, binding => Assert.Equal((null, false), (binding.DoubtFrom, binding.HoldsStrays)));
    }

    private static async Task<HashSet<Hash256>> NeededAsync(CleanupWorld world)
    {
        await using var catalog = world.OpenCatalog();
        var pages = new PageStore(
            world.Store, catalog, new PendingDeletions(world.Store, catalog, world.Clock), world.Clock);
        var needed = new HashSet<Hash256>();
        var roots = world.State.Versions.Values
            .Select(version => new MarkRoot(pages, version.Root, version.Geometry.Levels - 1))
            .ToList();
        await new MapMarker(roots, new MarkSets()).MarkAsync(
            (_, reached) =>
            {
                needed.UnionWith(world.State.Pages.Keys.Where(reached.Contains).Select(id => id.Hash));
                return Task.CompletedTask;
            },
            (_, reached) =>
            {
                needed.UnionWith(world.State.Blocks.Keys.Select(id => id.Hash).Where(reached.Contains));
                return Task.CompletedTask;
            },
            CancellationToken.None);
        for (var count = -1; count != needed.Count;)
        {
            count = needed.Count;
            needed.UnionWith(world.State.Blocks.Values.Where(row => needed.Contains(row.Id.Hash))
                .SelectMany(row => row.Lenders.Select(lender => lender.Hash)).ToList());
        }

        return needed;
    }

    private static async Task CheckBlocksAsync(CleanupWorld world, Dictionary<BlockId, int> expected)
    {
        using var reads = new BlockStore(world.Store);
        var bytes = new byte[CleanupWorld.BlockSize];
        foreach (var (id, content) in expected)
        {
            var damages = (await reads.ReadBlockAsync(id, CleanupWorld.BlockSize, bytes, CancellationToken.None)).Damages;
            Assert.True(damages.Count == 0, $"Block {id}: {(damages is [var first, ..] ? first.Reason : "")}");
            Assert.True(bytes.AsSpan().SequenceEqual(CleanupWorld.BytesOf(content)), $"Block {id} has other bytes.");
            Assert.True(world.State.Blocks.TryGetValue(id, out var row), $"Block {id} has no row.");
            Assert.NotEqual(ReferenceState.Deleting, row.State);
        }
    }

    // The row of a block that anybody may use says where its frames are, and its lenders own what it borrows.
    private static async Task CheckRowsAsync(CleanupWorld world)
    {
        using var adoption = new BlockAdoption(world.Store);
        foreach (var row in world.State.Blocks.Values.Where(row => row.State == ReferenceState.Live && !row.IsInvalid))
        {
            var name = ObjectNames.Block(row.Id, row.Form);
            var info = await world.Store.Storage.FindAsync(name, CancellationToken.None);
            Assert.True(info is not null, $"{name} has a row and is not there.");
            var header = await adoption.ReadAsync(row.Id, row.Form, info.Value.Size, row.Since, CancellationToken.None);
            Assert.Equal(header.Own, row.Own);
            Assert.Equal(header.Loans.OrderBy(loan => loan.Lender.Hash), row.Loans.OrderBy(loan => loan.Lender.Hash));
        }
    }
}
