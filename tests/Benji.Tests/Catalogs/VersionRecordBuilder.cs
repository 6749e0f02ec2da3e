using Benji.Store.Model;

namespace Benji.Tests.Catalogs;

/// <summary>Makes version records for tests from a name and a few choices.</summary>
internal sealed class VersionRecordBuilder(string volume, string version)
{
    public Guid Id { get; init; } = Guid.NewGuid();

    public DateTimeOffset Date { get; init; } = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    public long Size { get; init; } = 1L << 30;

    public VersionStatus Status { get; init; }

    public VersionRecord Build() => new()
    {
        Id = Id,
        Name = new VersionName(volume, version),
        Date = Date,
        Size = Size,
        BlockSize = BlockGeometry.BlockSizeDefault,
        Storage = "storage",
        Status = Status,
        Root = PageId.Hole,
        AllocatedBytes = 0,
    };
}
