using System.Globalization;
using Benji.Store.Blocks;
using Benji.Store.Blocks.Maps;
using Benji.Store.Blocks.Sealing;
using Benji.Store.Blocks.Writing;
using Benji.Store.Catalogs;
using Benji.Store.Model;

namespace Benji.Bench;

/// <summary>A volume of many TiB whose blocks are random ids and empty objects: its catalog, maps and listing are real.</summary>
internal static class SimulatedStore
{
    private const int RowsPerTransaction = 512;
    private const int ObjectLength = 1_000_000;

    private static readonly VersionName Base = new("simulated/disk", "base");

    /// <summary>Makes a store with one version of <paramref name="tebibytes"/> TiB without holes.</summary>
    public static async Task FillAsync(string home, int tebibytes)
    {
        await using var parts = await BenchParts.OpenAsync(home);
        var geometry = new BlockGeometry((long)tebibytes << 40, BlockGeometry.BlockSizeDefault);
        var random = new Random(tebibytes);
        var map = new MapBuilder(parts.Pages, null, geometry);
        var (_, recording) = LedgerOf(parts);
        var ids = new List<BlockId>(RowsPerTransaction);
        for (var index = 0L; index < geometry.BlockCount; index++)
        {
            var id = NextId(random);
            map.Set(index, id);
            ids.Add(id);
            if (ids.Count == RowsPerTransaction || index == geometry.BlockCount - 1)
            {
                foreach (var block in ids)
                {
                    MakeEmptyObject(home, block);
                }

                await recording.RecordAsync(RowsOf(ids), reservation: null, CancellationToken.None);
                ids.Clear();
                await map.AdvanceAsync(index + 1, CancellationToken.None);
            }
        }

        await PublishAsync(parts, Base, geometry, await map.CompleteAsync(CancellationToken.None));
    }

    /// <summary>Makes a version of <paramref name="tebibytes"/> TiB of which only the map is real, and every 1024th block:
    /// a hole, or 512 blocks later the first block of version <c>one</c> of the volume <paramref name="content"/>.</summary>
    public static async Task MapAsync(string home, int tebibytes, string content)
    {
        const int stride = 1024;
        await using var parts = await BenchParts.OpenAsync(home);
        var real = await parts.Catalog.ReadAsync(t => t.Versions.Find(new VersionName(content, "one"))!, CancellationToken.None);
        var block = await new MapReader(parts.Pages, real.Root, real.Geometry).FindAsync(0, CancellationToken.None);
        var geometry = new BlockGeometry((long)tebibytes << 40, BlockGeometry.BlockSizeDefault);
        var random = new Random(tebibytes);
        var map = new MapBuilder(parts.Pages, null, geometry);
        for (var index = 0L; index < geometry.BlockCount; index++)
        {
            map.Set(index, (index % stride) switch { 0 => BlockId.Hole, stride / 2 => block, _ => NextId(random) });
            if (index % RowsPerTransaction == RowsPerTransaction - 1)
            {
                await map.AdvanceAsync(index + 1, CancellationToken.None);
            }
        }

        var name = new VersionName($"simulated/{tebibytes}", "map");
        var holes = (geometry.BlockCount / stride) * geometry.BlockSize;
        await PublishAsync(parts, name, geometry, await map.CompleteAsync(CancellationToken.None), holes);
    }

    /// <summary>Makes two more versions of it, each with 1 % of the blocks changed at random as hints would say, and prints the
    /// CPU seconds of the second one's catalog and map work: find the old blocks, look the new ones up, record them, write
    /// the map, publish. The first warms the code up, as the bar leaves start-up out.</summary>
    public static async Task ChangeAsync(string home)
    {
        await using var parts = await BenchParts.OpenAsync(home);
        var version = await parts.Catalog.ReadAsync(t => t.Versions.Find(Base), CancellationToken.None)
            ?? throw new NotFoundException($"{home} has no {Base}: fill it, to the end, first.");
        var known = await parts.Catalog.ReadAsync(t => t.Versions.List(Base.Volume).Count, CancellationToken.None);
        var random = new Random(known);
        var spent = TimeSpan.Zero;
        for (var number = known; number < known + 2; number++)
        {
            var before = Environment.CpuUsage.TotalTime;
            await ChangeAsync(parts, version, new VersionName(Base.Volume, $"change-{number}"), random);
            spent = Environment.CpuUsage.TotalTime - before;
        }

        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $$"""{"cpu": {{spent.TotalSeconds:F3}}}"""));
    }

    private static async Task ChangeAsync(BenchParts parts, VersionRecord version, VersionName name, Random random)
    {
        var geometry = version.Geometry;
        var changed = new SortedSet<long>();
        while (changed.Count < geometry.BlockCount / 100)
        {
            changed.Add(random.NextInt64(geometry.BlockCount));
        }

        var reader = new MapReader(parts.Pages, version.Root, geometry);
        var map = new MapBuilder(parts.Pages, reader, geometry);
        var (ledger, recording) = LedgerOf(parts);
        foreach (var batch in changed.Chunk(512))
        {
            await reader.FindAsync(batch, CancellationToken.None);
            BlockId[] ids = [.. batch.Select(_ => NextId(random))];
            foreach (var id in ids)
            {
                await ledger.FindAsync(id, mustLook: false, CancellationToken.None);
            }

            await recording.RecordAsync(RowsOf(ids), reservation: null, CancellationToken.None);
            for (var i = 0; i < batch.Length; i++)
            {
                map.Set(batch[i], ids[i]);
            }

            await map.AdvanceAsync(batch[^1], CancellationToken.None);
        }

        await PublishAsync(parts, name, geometry, await map.CompleteAsync(CancellationToken.None));
    }

    private static BlockId NextId(Random random)
    {
        Span<byte> bytes = stackalloc byte[Hash256.Size];
        random.NextBytes(bytes);
        return new BlockId(new Hash256(bytes));
    }

    private static void MakeEmptyObject(string home, BlockId id)
    {
        var path = Path.Combine(BenchParts.StoragePath(home), ObjectNames.Block(id, BlockForm.Whole).Value);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.Create(path).Dispose();
    }

    private static (BlockLedger Ledger, BlockRecording Recording) LedgerOf(BenchParts parts)
    {
        var run = new StoringRun(1, BenchParts.Now);
        var ledger = new BlockLedger(parts.Store, parts.Catalog, run, TimeProvider.System);
        return (ledger, new BlockRecording(parts.Store, parts.Catalog, ledger, run, TimeProvider.System));
    }

    private static StoredBlock[] RowsOf(IEnumerable<BlockId> ids) =>
    [
        .. ids.Select(id => new StoredBlock(
            new BlockRow(
                id, BenchParts.StorageName, BlockForm.Whole, BlockGeometry.BlockSizeDefault,
                BlockGeometry.BlockSizeDefault, ObjectLength, [], Own: null, IsInvalid: false, ReferenceState.Live,
                BenchParts.Now),
            Seen: null,
            Filler: null,
            new BlockOutcome(id, BlockOutcomeKind.StoredWhole, BlockGeometry.BlockSizeDefault, 0, ObjectLength))),
    ];

    private static async Task PublishAsync(
        BenchParts parts, VersionName name, BlockGeometry geometry, PageId root, long holeBytes = 0)
    {
        var version = new VersionRecord
        {
            Id = Guid.NewGuid(),
            Name = name,
            Date = BenchParts.Now,
            Size = geometry.Size,
            BlockSize = geometry.BlockSize,
            Storage = BenchParts.StorageName,
            Root = root,
            AllocatedBytes = geometry.Size - holeBytes,
        };
        await new ManifestStore(parts.Store).PutAsync(version, CancellationToken.None);
        await parts.Catalog.WriteAsync(
            t =>
            {
                t.Versions.Add(version);
                return true;
            },
            CancellationToken.None);
    }
}
