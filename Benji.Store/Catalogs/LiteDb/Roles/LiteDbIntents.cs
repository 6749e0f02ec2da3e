using Benji.Store.Catalogs.LiteDb.Rows;
using Benji.Store.Model;
using LiteDB;

namespace Benji.Store.Catalogs.LiteDb.Roles;

/// <summary>The intents in LiteDB.</summary>
internal sealed class LiteDbIntents(LiteDbRows rows) : IIntents
{
    private const string Collection = LiteDbSchema.Intents;

    /// <inheritdoc/>
    public void Put(Intent intent) => rows.Put(Collection, new BsonDocument
    {
        [LiteDbSchema.Key] = RowKey.Of(intent.VersionId),
        [LiteDbSchema.Value] = new RowWriter()
            .Byte((int)intent.Kind)
            .Text(intent.Name.Volume)
            .Text(intent.Name.Version)
            .Text(intent.Storage)
            .Number(intent.Fencing)
            .Time(intent.Began)
            .Raw(intent.OverlayId is { } overlay ? overlay.ToByteArray(bigEndian: true) : [])
            .ToValue(),
    });

    /// <inheritdoc/>
    public void Remove(Guid versionId) => rows.Remove(Collection, RowKey.Of(versionId));

    /// <inheritdoc/>
    public IReadOnlyList<Intent> List() => rows.List(Collection, LiteDbSchema.Key).ConvertAll(Unpack);

    private static Intent Unpack(BsonDocument found)
    {
        var row = new RowReader(found);
        var id = new Guid(found[LiteDbSchema.Key].AsBinary, bigEndian: true);
        var kind = (IntentKind)row.Byte();
        var intent = new Intent(kind, id, new VersionName(row.Text(), row.Text()), row.Text(), row.Number(), row.Time());
        return row.IsAtEnd ? intent : intent with { OverlayId = row.Id() };
    }
}
