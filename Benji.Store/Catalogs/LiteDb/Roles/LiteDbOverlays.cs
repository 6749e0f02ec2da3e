using Benji.Store.Catalogs.LiteDb.Rows;
using Benji.Store.Model;
using LiteDB;

namespace Benji.Store.Catalogs.LiteDb.Roles;

/// <summary>The overlays in LiteDB.</summary>
internal sealed class LiteDbOverlays(LiteDbRows rows) : IOverlays
{
    private const string Collection = LiteDbSchema.Overlays;

    /// <inheritdoc/>
    public void Add(OverlayRecord overlay)
    {
        if (Find(overlay.BaseId, overlay.Name) is not null)
        {
            throw new AlreadyExistsException($"There is an overlay {overlay.BaseName}@{overlay.Name} already.");
        }

        rows.Grow();
        rows.Put(Collection, new BsonDocument
        {
            [LiteDbSchema.Key] = RowKey.Of(overlay.Id),
            [LiteDbSchema.Name] = RowKey.Of(overlay.BaseId, overlay.Name),
            [LiteDbSchema.Value] = new RowWriter()
                .Text(overlay.Name)
                .Id(overlay.BaseId)
                .Text(overlay.BaseName.Volume)
                .Text(overlay.BaseName.Version)
                .Time(overlay.Created)
                .ToValue(),
        });
    }

    /// <inheritdoc/>
    public bool Remove(Guid id) => rows.Remove(Collection, RowKey.Of(id)) > 0;

    /// <inheritdoc/>
    public OverlayRecord? Find(Guid baseId, string name) =>
        rows.Find(Collection, LiteDbSchema.Name, RowKey.Of(baseId, name)) is { } row ? Unpack(row) : null;

    /// <inheritdoc/>
    public IReadOnlyList<OverlayRecord> List(Guid? baseId) =>
    [
        .. rows.List(Collection, LiteDbSchema.Key)
            .Select(Unpack)
            .Where(overlay => baseId is null || overlay.BaseId == baseId)
            .OrderBy(overlay => overlay.Created)
            .ThenBy(overlay => overlay.Name, StringComparer.Ordinal),
    ];

    private static OverlayRecord Unpack(BsonDocument found) => CatalogDamage.Unpack(Collection, found, Read);

    private static OverlayRecord Read(BsonDocument found)
    {
        var row = new RowReader(found);
        var id = new Guid(found[LiteDbSchema.Key].AsBinary, bigEndian: true);
        var overlay = new OverlayRecord(id, row.Text(), row.Id(), new VersionName(row.Text(), row.Text()), row.Time());
        CatalogDamage.RequireKey(found, LiteDbSchema.Name, RowKey.Of(overlay.BaseId, overlay.Name));
        return row.End(overlay);
    }
}
