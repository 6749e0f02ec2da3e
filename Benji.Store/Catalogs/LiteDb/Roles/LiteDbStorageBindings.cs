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
        return new StorageBinding(storage, row.Id(), row.Flag());
    }

    /// <inheritdoc/>
    public void Put(StorageBinding binding) => rows.Put(Collection, new BsonDocument
    {
        [LiteDbSchema.Key] = RowKey.Of(binding.Storage),
        [LiteDbSchema.Value] = new RowWriter().Id(binding.StoreId).Flag(binding.IsEncrypted).ToValue(),
    });
}
