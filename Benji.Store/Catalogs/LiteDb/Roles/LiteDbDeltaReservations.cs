using Benji.Store.Catalogs.LiteDb.Rows;
using Benji.Store.Model;
using LiteDB;

namespace Benji.Store.Catalogs.LiteDb.Roles;

/// <summary>The reservations of deltas in LiteDB.</summary>
internal sealed class LiteDbDeltaReservations(LiteDbRows rows) : IDeltaReservations
{
    private const string Collection = LiteDbSchema.Reservations;

    /// <inheritdoc/>
    public IReadOnlyList<DeltaReservation> List() => rows.List(Collection, LiteDbSchema.Key).ConvertAll(Unpack);

    /// <inheritdoc/>
    public void Put(DeltaReservation reservation)
    {
        var row = new RowWriter().Text(reservation.Storage).Number(reservation.Fencing);
        foreach (var block in reservation.Blocks)
        {
            row.Hash(block.Hash);
        }

        rows.Put(Collection, new BsonDocument
        {
            [LiteDbSchema.Key] = RowKey.Of(reservation.Id),
            [LiteDbSchema.Value] = row.ToValue(),
        });
    }

    /// <inheritdoc/>
    public bool Remove(Guid id) => rows.Remove(Collection, RowKey.Of(id)) > 0;

    private static DeltaReservation Unpack(BsonDocument found) => CatalogDamage.Unpack(Collection, found, Read);

    private static DeltaReservation Read(BsonDocument found)
    {
        var row = new RowReader(found);
        var id = new Guid(found[LiteDbSchema.Key].AsBinary, bigEndian: true);
        var (storage, fencing) = (row.Text(), row.Number());
        var blocks = new List<BlockId>();
        while (!row.IsAtEnd)
        {
            blocks.Add(new BlockId(row.Hash()));
        }

        return new DeltaReservation(id, storage, fencing, blocks);
    }
}
