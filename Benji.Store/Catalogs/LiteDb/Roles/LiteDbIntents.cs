using Benji.Store.Catalogs.LiteDb.Rows;
using Benji.Store.Model;
using LiteDB;

namespace Benji.Store.Catalogs.LiteDb.Roles;

/// <summary>The intents in LiteDB.</summary>
internal sealed class LiteDbIntents(LiteDbRows rows) : IIntents
{
    private const string Collection = LiteDbSchema.Intents;

    /// <inheritdoc/>
    public void Put(Intent intent)
    {
        if (intent.Kind == IntentKind.Publish)
        {
            rows.Grow();
        }

        rows.Put(Collection, new BsonDocument
        {
            [LiteDbSchema.Key] = RowKey.Of(intent.VersionId),
            [LiteDbSchema.Value] = new RowWriter()
                .Byte((int)intent.Kind)
                .Text(intent.Name.Volume)
                .Text(intent.Name.Version)
                .Text(intent.Storage)
                .Number(intent.Fencing)
                .Time(intent.Began)
                .Id(intent.OverlayId ?? Guid.Empty)
                .Flag(intent.Mark is not null)
                .Mark(intent.Mark ?? default)
                .Marks(intent.Over)
                .ToValue(),
        });
    }

    /// <inheritdoc/>
    public void Remove(Guid versionId) => rows.Remove(Collection, RowKey.Of(versionId));

    /// <inheritdoc/>
    public IReadOnlyList<Intent> List() => rows.List(Collection, LiteDbSchema.Key).ConvertAll(Unpack);

    private static Intent Unpack(BsonDocument found) => CatalogDamage.Unpack(Collection, found, Read);

    private static Intent Read(BsonDocument found)
    {
        var row = new RowReader(found);
        var id = new Guid(found[LiteDbSchema.Key].AsBinary, bigEndian: true);
        var kind = (IntentKind)row.Choice((int)IntentKind.Remove);
        var name = new VersionName(row.Text(), row.Text());
        var (storage, fencing, began, overlay) = (row.Text(), row.Number(), row.Time(), row.Id());
        var (isMarked, mark) = (row.Flag(), row.Mark());
        var intent = new Intent(
            kind, id, name, storage, fencing, began, overlay == Guid.Empty ? null : overlay, isMarked ? mark : null)
        {
            Over = row.Marks(),
        };
        return row.End(intent);
    }
}
