using System.Globalization;
using Benji.Store.Model;

namespace Benji.Bench;

/// <summary>Many versions of some volumes in a catalog, as years of nightly runs leave them.</summary>
internal static class SimulatedVersions
{
    private const int VolumeCount = 30;

    /// <summary>Adds versions with labels and statistics to the catalog of a home directory; nothing is stored.</summary>
    public static async Task AddAsync(string home, int count)
    {
        await using var parts = await BenchParts.OpenAsync(home);
        var start = BenchParts.Now.AddDays(-count / VolumeCount);
        foreach (var batch in Enumerable.Range(0, count).Chunk(500))
        {
            VersionRecord[] versions = [.. batch.Select(index => Version(index, start))];
            await parts.Catalog.WriteAsync(
                t =>
                {
                    Array.ForEach(versions, t.Versions.Add);
                    return true;
                },
                CancellationToken.None);
        }
    }

    private static VersionRecord Version(int index, DateTimeOffset start)
    {
        var date = start.AddDays(index / VolumeCount).AddSeconds(index % VolumeCount);
        var name = date.ToString("yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture);
        return new VersionRecord
        {
            Id = Guid.NewGuid(),
            Name = new VersionName($"cluster/disk-{index % VolumeCount}", name),
            Date = date,
            Snapshot = $"nightly-{index}",
            Size = 100L << 30,
            BlockSize = BlockGeometry.BlockSizeDefault,
            Storage = BenchParts.StorageName,
            Root = PageId.Hole,
            AllocatedBytes = 0,
            Labels = new SortedList<string, string>(StringComparer.Ordinal) { ["host"] = "node-7", ["kind"] = "nightly" },
            Statistics = new VersionStatistics(1 << 30, 1 << 28, 1 << 20, 1 << 29, 1 << 27, 12.5),
        };
    }
}
