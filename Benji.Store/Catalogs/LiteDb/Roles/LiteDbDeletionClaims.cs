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
        if (rows.Find(Collection, RowKey.Of(storage)) is not { } found)
        {
            return null;
        }

        var row = new RowReader(found);
        var mark = row.Mark();
        var over = row.Marks();
        var blocks = new BlockId[row.Short()];
        for (var i = 0; i < blocks.Length; i++)
        {
            blocks[i] = new BlockId(row.Hash());
        }

        var pages = new PageId[row.Short()];
        for (var i = 0; i < pages.Length; i++)
        {
            pages[i] = new PageId(row.Hash());
        }

        return new DeletionClaim(storage, mark, over, blocks, pages);
    }

    /// <inheritdoc/>
    public void Put(DeletionClaim claim)
    {
        var row = new RowWriter().Mark(claim.Mark).Marks(claim.Over).Short(claim.Blocks.Count);
        foreach (var block in claim.Blocks)
        {
            row.Hash(block.Hash);
        }

        row.Short(claim.Pages.Count);
        foreach (var page in claim.Pages)
        {
            row.Hash(page.Hash);
        }

        rows.Put(Collection, new LiteDB.BsonDocument
        {
            [LiteDbSchema.Key] = RowKey.Of(claim.Storage),
            [LiteDbSchema.Value] = row.ToValue(),
        });
    }

    /// <inheritdoc/>
    public void Remove(string storage) => rows.Remove(Collection, RowKey.Of(storage));
}
