using System.Text;
using Benji.Store.Catalogs.LiteDb.Rows;
using LiteDB;

namespace Benji.Store.Catalogs.LiteDb.Roles;

/// <summary>The storages that the catalog belongs to, in LiteDB.</summary>
internal sealed class LiteDbStorageBindings(LiteDbRows rows) : IStorageBindings
{
    private const string Collection = LiteDbSchema.Storages;

    /// <inheritdoc/>
    public StorageBinding? Find(string storage) =>
        rows.Find(Collection, RowKey.Of(storage)) is { } found ? Unpack(found) : null;

    /// <inheritdoc/>
    public IReadOnlyList<StorageBinding> List() => rows.List(Collection, LiteDbSchema.Key)
        .ConvertAll(Unpack);

    /// <inheritdoc/>
    public void Put(StorageBinding binding)
    {
        var row = new RowWriter()
            .Id(binding.StoreId)
            .Flag(binding.IsEncrypted)
            .Flag(binding.HoldsStrays)
            .Number(binding.Doubts)
            .Flag(binding.DoubtFrom is not null);
        if (binding.DoubtFrom is { } doubt)
        {
            row.Time(doubt);
        }

        rows.Put(Collection, new BsonDocument
        {
            [LiteDbSchema.Key] = RowKey.Of(binding.Storage),
            [LiteDbSchema.Value] = row.ToValue(),
        });
    }

    private static StorageBinding Unpack(BsonDocument found) => CatalogDamage.Unpack(Collection, found, Read);

    private static StorageBinding Read(BsonDocument found)
    {
        var storage = Encoding.UTF8.GetString(found[LiteDbSchema.Key].AsBinary);
        var row = new RowReader(found);
        var (id, isEncrypted, holdsStrays, doubts) = (row.Id(), row.Flag(), row.Flag(), row.Number());
        DateTimeOffset? doubtFrom = row.Flag() ? row.Time() : null;
        return row.End(new StorageBinding(storage, id, isEncrypted, doubtFrom, holdsStrays, doubts));
    }
}
