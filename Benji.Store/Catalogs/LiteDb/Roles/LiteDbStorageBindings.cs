using Benji.Store.Catalogs.LiteDb.Rows;
using LiteDB;

namespace Benji.Store.Catalogs.LiteDb.Roles;

/// <summary>The storages that the catalog belongs to, in LiteDB.</summary>
internal sealed class LiteDbStorageBindings(LiteDbRows rows) : IStorageBindings
{
    private const string Collection = LiteDbSchema.Storages;

    /// <inheritdoc/>
    public StorageBinding? Find(string storage)
    {
        if (rows.Find(Collection, RowKey.Of(storage)) is not { } found)
        {
            return null;
        }

        var row = new RowReader(found);
        var (id, isEncrypted, holdsStrays, doubts) = (row.Id(), row.Flag(), row.Flag(), row.Number());
        return new StorageBinding(storage, id, isEncrypted, row.Flag() ? row.Time() : null, holdsStrays, doubts);
    }

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
}
