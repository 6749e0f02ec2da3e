using Benji.Store.Catalogs.LiteDb.Rows;
using Benji.Store.Model;
using LiteDB;

namespace Benji.Store.Catalogs.LiteDb.Roles;

/// <summary>The age marks in LiteDB: some hundreds at most, so that a listing reads them all.</summary>
internal sealed class LiteDbAgeMarks(LiteDbRows rows) : IAgeMarks
{
    private const string Collection = LiteDbSchema.AgeMarks;

    /// <inheritdoc/>
    public IReadOnlyList<KnownMark> List(string storage) =>
    [
        .. rows.List(Collection, LiteDbSchema.Key)
            .Select(Unpack)
            .Where(known => known.Storage == storage)
            .OrderBy(known => known.Mark.Number)
            .ThenBy(known => known.Mark.Token),
    ];

    /// <inheritdoc/>
    public void Put(KnownMark mark) => rows.Put(Collection, new BsonDocument
    {
        [LiteDbSchema.Key] = RowKey.Of(mark.Mark.Token),
        [LiteDbSchema.Value] = new RowWriter()
            .Text(mark.Storage)
            .Mark(mark.Mark)
            .Byte((int)mark.State)
            .Time(mark.Since)
            .ToValue(),
    });

    /// <inheritdoc/>
    public void Remove(IReadOnlyList<AgeMark> marks) =>
        rows.Remove(Collection, marks.Select(mark => RowKey.Of(mark.Token)));

    private static KnownMark Unpack(BsonDocument found) => CatalogDamage.Unpack(Collection, found, Read);

    private static KnownMark Read(BsonDocument found)
    {
        var row = new RowReader(found);
        var known = new KnownMark(
            row.Text(), row.Mark(), (AgeMarkState)row.Choice((int)AgeMarkState.Gone), row.Time());
        CatalogDamage.RequireKey(found, LiteDbSchema.Key, RowKey.Of(known.Mark.Token));
        return row.End(known);
    }
}
