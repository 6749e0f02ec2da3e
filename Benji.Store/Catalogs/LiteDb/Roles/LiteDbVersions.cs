using Benji.Store.Catalogs.LiteDb.Rows;
using Benji.Store.Model;
using LiteDB;

namespace Benji.Store.Catalogs.LiteDb.Roles;

/// <summary>The versions in LiteDB.</summary>
internal sealed class LiteDbVersions(LiteDbRows rows) : IVersions
{
    private const string Collection = LiteDbSchema.Versions;
    private const int LatestBatch = 8;

    /// <inheritdoc/>
    public void Add(VersionRecord version)
    {
        if (Find(version.Name) is not null)
        {
            throw new AlreadyExistsException($"There is a version {version.Name} already.");
        }

        Invariant.Holds(Find(version.Id) is null);
        rows.Put(Collection, Pack(version));
    }

    /// <inheritdoc/>
    public void Replace(VersionRecord version)
    {
        Invariant.Holds(Find(version.Name) is not { } named || named.Id == version.Id);
        if (rows.Replace(Collection, Pack(version)) == 0)
        {
            throw new NotFoundException($"There is no version {version.Name} any more.");
        }
    }

    /// <inheritdoc/>
    public bool Remove(Guid id) => rows.Remove(Collection, RowKey.Of(id)) > 0;

    /// <inheritdoc/>
    public VersionRecord? Find(Guid id) => Unpack(rows.Find(Collection, RowKey.Of(id)));

    /// <inheritdoc/>
    public VersionRecord? Find(VersionName name) =>
        Unpack(rows.Find(Collection, LiteDbSchema.Name, RowKey.Of(name.ToString())));

    /// <inheritdoc/>
    public IReadOnlyList<VersionRecord> List(string? volume)
    {
        if (volume is null)
        {
            return rows.List(Collection, LiteDbSchema.Order).ConvertAll(row => Unpack(row)!);
        }

        var (first, last) = RowKey.RangeOf(volume);
        return rows.Range(Collection, LiteDbSchema.Order, first, last).ConvertAll(row => Unpack(row)!);
    }

    /// <inheritdoc/>
    public VersionRecord? FindLatest(string volume, VersionStatus? status)
    {
        var (first, last) = RowKey.RangeOf(volume);
        for (var count = LatestBatch; ; count *= LatestBatch)
        {
            var newest = rows
                .Range(Collection, LiteDbSchema.Order, first, last, count: count, isDescending: true)
                .ConvertAll(row => Unpack(row)!);
            var found = newest.Find(version => status is null || version.Status == status);
            if (found is not null || newest.Count < count)
            {
                return found;
            }
        }
    }

    private static BsonDocument Pack(VersionRecord version)
    {
        var row = new RowWriter()
            .Text(version.Name.Volume)
            .Text(version.Name.Version)
            .Time(version.Date)
            .Text(version.Snapshot)
            .Number(version.Size)
            .Number(version.BlockSize)
            .Text(version.Storage)
            .Byte((int)version.Status)
            .Flag(version.IsProtected)
            .Hash(version.Root.Hash)
            .Number(version.AllocatedBytes)
            .Number(version.Revision)
            .Short(version.Labels.Count);
        foreach (var (name, value) in version.Labels)
        {
            row.Text(name).Text(value);
        }

        row.Flag(version.Statistics is not null);
        if (version.Statistics is { } counts)
        {
            row.Number(counts.BytesRead)
                .Number(counts.BytesWritten)
                .Number(counts.BytesDeduplicated)
                .Number(counts.BytesSparse)
                .Number(counts.BytesStored)
                .Real(counts.Duration);
        }

        return new BsonDocument
        {
            [LiteDbSchema.Key] = RowKey.Of(version.Id),
            [LiteDbSchema.Name] = RowKey.Of(version.Name.ToString()),
            [LiteDbSchema.Order] = RowKey.Of(version.Name, version.Date),
            [LiteDbSchema.Value] = row.ToValue(),
        };
    }

    private static VersionRecord? Unpack(BsonDocument? found) =>
        found is null ? null : CatalogDamage.Unpack(Collection, found, Read);

    private static VersionRecord Read(BsonDocument found)
    {
        var row = new RowReader(found);
        var version = new VersionRecord
        {
            Id = new Guid(found[LiteDbSchema.Key].AsBinary, bigEndian: true),
            Name = new VersionName(row.Text(), row.Text()),
            Date = row.Time(),
            Snapshot = row.Text(),
            Size = row.Number(),
            BlockSize = row.Int(),
            Storage = row.Text(),
            Status = (VersionStatus)row.Choice((int)VersionStatus.Invalid),
            IsProtected = row.Flag(),
            Root = new PageId(row.Hash()),
            AllocatedBytes = row.Count(),
            Revision = row.Count(),
        };
        for (var labels = row.Short(); labels > 0; labels--)
        {
            version.Labels.Add(row.Text(), row.Text());
        }

        if (row.Flag())
        {
            version = version with
            {
                Statistics = new VersionStatistics(
                    row.Count(), row.Count(), row.Count(), row.Count(), row.Count(), row.Real()),
            };
        }

        // Refuses a size, or block size, that no version has.
        CatalogDamage.Require(version.AllocatedBytes <= version.Geometry.Size, "more bytes allocated than there are");
        CatalogDamage.RequireKey(found, LiteDbSchema.Name, RowKey.Of(version.Name.ToString()));
        CatalogDamage.RequireKey(found, LiteDbSchema.Order, RowKey.Of(version.Name, version.Date));
        return row.End(version);
    }
}
