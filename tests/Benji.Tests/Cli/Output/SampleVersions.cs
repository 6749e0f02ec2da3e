using Benji.Store.Model;

namespace Benji.Tests.Cli.Output;

/// <summary>Versions whose output is written down in tests.</summary>
internal static class SampleVersions
{
    public static VersionRecord Full { get; } = new()
    {
        Id = new Guid("0f8fad5b-d9cb-469f-a165-70867728950e"),
        Name = new VersionName("vm/web-1", "20261123T024501Z"),
        Date = new DateTimeOffset(2026, 11, 23, 2, 45, 1, TimeSpan.Zero).AddTicks(1234560),
        Snapshot = "b-2026",
        Size = 10L * 1024 * 1024 * 1024,
        BlockSize = 4 * 1024 * 1024,
        Storage = "main",
        Status = VersionStatus.Invalid,
        IsProtected = true,
        Labels = new SortedList<string, string>(StringComparer.Ordinal) { ["keep"] = "", ["site"] = "b\"n" },
        Statistics = new VersionStatistics(1000, 2000, 3000, 4096, 5000, 1.5),
        Root = PageId.Hole,
        AllocatedBytes = 65536,
    };

    public static VersionRecord Bare { get; } = new()
    {
        Id = new Guid("7c9e6679-7425-40de-944b-e07fc1f90ae7"),
        Name = new VersionName("db", "first"),
        Date = new DateTimeOffset(2026, 1, 2, 23, 4, 5, TimeSpan.Zero),
        Size = 0,
        BlockSize = 65536,
        Storage = "main",
        Root = PageId.Hole,
        AllocatedBytes = 0,
    };
}
