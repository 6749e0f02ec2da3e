using Benji.Store.Catalogs.LiteDb.Rows;
using Benji.Store.Model;

namespace Benji.Store.Catalogs.LiteDb.Roles;

/// <summary>The deletions under way in LiteDB.</summary>
internal sealed class LiteDbDeletionClaims(LiteDbRows rows) : IDeletionClaims
{
    private const string Collection = LiteDbSchema.Claims;

    /// <inheritdoc/>
    public DeletionClaim? Find(string storage)
    {
        return rows.Find(Collection, RowKey.Of(storage)) is { } found
            ? CatalogDamage.Unpack(Collection, found, row => Read(storage, row))
            : null;
    }

    /// <inheritdoc/>
    public void Put(DeletionClaim claim)
    {
        var row = new RowWriter().Mark(claim.Mark).Marks(claim.Over);
        Write(row, claim.Blocks.Select(block => block.Hash), claim.Blocks.Count);
        Write(row, claim.Pages.Select(page => page.Hash), claim.Pages.Count);
        Write(row, claim.Deltas.Select(block => block.Hash), claim.Deltas.Count);
        rows.Put(Collection, new LiteDB.BsonDocument
        {
            [LiteDbSchema.Key] = RowKey.Of(claim.Storage),
            [LiteDbSchema.Value] = row.ToValue(),
        });
    }

    /// <inheritdoc/>
    public void Remove(string storage) => rows.Remove(Collection, RowKey.Of(storage));

    private static DeletionClaim Read(string storage, LiteDB.BsonDocument found)
    {
        var row = new RowReader(found);
        var mark = row.Mark();
        var over = row.Marks();
        BlockId[] blocks = [.. Hashes(ref row).Select(hash => new BlockId(hash))];
        PageId[] pages = [.. Hashes(ref row).Select(hash => new PageId(hash))];
        BlockId[] deltas = [.. Hashes(ref row).Select(hash => new BlockId(hash))];
        return row.End(new DeletionClaim(storage, mark, over, blocks, pages) { Deltas = deltas });
    }

    private static Hash256[] Hashes(ref RowReader row)
    {
        var hashes = new Hash256[row.Short()];
        for (var i = 0; i < hashes.Length; i++)
        {
            hashes[i] = row.Hash();
        }

        return hashes;
    }

    private static void Write(RowWriter row, IEnumerable<Hash256> hashes, int count)
    {
        row.Short(count);
        foreach (var hash in hashes)
        {
            row.Hash(hash);
        }
    }
}
