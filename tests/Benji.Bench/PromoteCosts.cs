using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using Benji.Store;
using Benji.Store.Blocks;
using Benji.Store.Blocks.Maps;
using Benji.Store.Model;
using Benji.Store.Operations;
using Benji.Store.Sources;
using Microsoft.Extensions.Logging.Abstractions;

namespace Benji.Bench;

/// <summary>Promotes overlays with 64 MiB of changes over a simulated volume and prints the seconds that it takes, by the clock and of the CPU.</summary>
/// <remarks>Every 256th block of the version is a real one, so that changed frames have lenders.</remarks>
internal static class PromoteCosts
{
    private const int DirtyBytes = 64 * 1024 * 1024;
    private const int Unit = 4096;
    private const int BlockStride = 256;
    private const int RealBlocks = 32;

    private static readonly VersionName Base = new("simulated/disk", "base");
    private static readonly VersionName Real = new("simulated/disk", "real");

    /// <summary>Measures on a store that <see cref="SimulatedStore.FillAsync"/> made.</summary>
    public static async Task PrintAsync(string home)
    {
        await MakeRealAsync(home);
        var options = new StoreOptions
        {
            CatalogPath = Path.Combine(home, "catalog.db"),
            OverlayDirectory = Path.Combine(home, "overlays"),
            Storages = [new StorageOptions { Name = BenchParts.StorageName, Path = BenchParts.StoragePath(home) }],
            DefaultStorage = BenchParts.StorageName,
            Sources = new SourceOpener(IoOptions.Default),
        };
        await using var store = await BenjiStore.OpenAsync(
            options, StoreUse.Change, NullLoggerFactory.Instance, TimeProvider.System);

        // Once for the code to be compiled; then 16 blocks as a whole, 1,024 frames in as many blocks, and as many units.
        await MeasureAsync(store, "warm", BlockGeometry.FrameSize, 16);
        var whole = await MeasureAsync(store, "whole", DirtyBytes, 1);
        var frames = await MeasureAsync(store, "frames", BlockGeometry.FrameSize, DirtyBytes / BlockGeometry.FrameSize);
        var units = await MeasureAsync(store, "units", Unit, DirtyBytes / BlockGeometry.FrameSize);
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $$"""
            {"whole": {{whole.Wall:F3}}, "frames": {{frames.Wall:F3}}, "units": {{units.Wall:F3}},
             "whole_cpu": {{whole.Cpu:F3}}, "frames_cpu": {{frames.Cpu:F3}}, "units_cpu": {{units.Cpu:F3}}}
            """));
    }

    private static async Task<(double Wall, double Cpu)> MeasureAsync(BenjiStore store, string name, int length, int count)
    {
        var overlay = await store.CreateOverlayAsync(Real.ToString(), name);
        var content = new byte[length];
        await using (var image = await store.OpenImages().OpenOverlayAsync(overlay, CancellationToken.None))
        {
            for (var i = 0; i < count; i++)
            {
                RandomNumberGenerator.Fill(content);
                var offset = (long)i * BlockStride * BlockGeometry.BlockSizeDefault;
                await image.WriteAsync(offset + (count == 1 ? BlockGeometry.BlockSizeDefault : 0), content, CancellationToken.None);
            }
        }

        var before = Environment.CpuUsage.TotalTime;
        var began = Stopwatch.GetTimestamp();
        var request = new PromoteRequest { Overlay = overlay.Name, Version = $"{name}-{Guid.NewGuid():N}" };
        await store.PromoteAsync(request, NoProgress.Instance);
        return (Stopwatch.GetElapsedTime(began).TotalSeconds, (Environment.CpuUsage.TotalTime - before).TotalSeconds);
    }

    private static async Task MakeRealAsync(string home)
    {
        await using var parts = await BenchParts.OpenAsync(home);
        var (origin, made) = await parts.Catalog.ReadAsync(
            t => (t.Versions.Find(Base)!, t.Versions.Find(Real)), CancellationToken.None);
        if (made is not null)
        {
            return;
        }

        var blocks = await StoreRealAsync(parts);
        var map = new MapBuilder(parts.Pages, new MapReader(parts.Pages, origin.Root, origin.Geometry), origin.Geometry);
        for (var i = 0L; i * BlockStride < origin.Geometry.BlockCount; i++)
        {
            map.Set(i * BlockStride, blocks[(int)(i % RealBlocks)]);
        }

        var version = origin with
        {
            Id = Guid.NewGuid(),
            Name = Real,
            Date = BenchParts.Now,
            Root = await map.CompleteAsync(CancellationToken.None),
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

    private static async Task<BlockId[]> StoreRealAsync(BenchParts parts)
    {
        using var reads = new BlockStore(parts.Store);
        await using var lane = new BlockWriter(
            parts.Store, parts.Catalog, reads, new StoringRun(1, BenchParts.Now), TimeProvider.System).StartLane();
        var random = new Random(11);
        var content = new byte[BlockGeometry.BlockSizeDefault];
        var ids = new BlockId[RealBlocks];
        for (var i = 0; i < RealBlocks; i++)
        {
            random.NextBytes(content);
            var all = FrameSet.All(BlockGeometry.FrameCount(content.Length));
            var outcome = await lane.WriteAsync(
                new BlockInput(content, BlockId.Hole, 0, all, Filler: null, MayLend: false), CancellationToken.None);
            ids[i] = outcome.Id;
        }

        await lane.CompleteAsync(CancellationToken.None);
        return ids;
    }
}
