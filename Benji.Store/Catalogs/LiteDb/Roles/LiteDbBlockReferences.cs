using Benji.Store.Model;
using LiteDB;

namespace Benji.Store.Catalogs.LiteDb.Roles;

/// <summary>The stored blocks in LiteDB; the few damaged ones stand in a small collection too.</summary>
internal sealed class LiteDbBlockReferences(LiteDbRows rows) : IBlockReferences
{
    private const string Collection = LiteDbSchema.Blocks;
    private const string Invalid = LiteDbSchema.InvalidBlocks;

    /// <inheritdoc/>
    public IReadOnlyList<BlockRow?> Find(IReadOnlyList<BlockId> ids)
    {
        var found = new BlockRow?[ids.Count];
        for (var i = 0; i < found.Length; i++)
        {
            found[i] = rows.Find(Collection, RowKey.Of(ids[i].Hash)) is { } row ? Unpack(row) : null;
        }

        return found;
    }

    /// <inheritdoc/>
    public void Put(IReadOnlyList<BlockRow> blocks)
    {
        rows.Put(Collection, blocks.OrderBy(block => block.Id.Hash).Select(Pack).ToArray());
        MarkInvalid(blocks.Where(block => block.IsInvalid).Select(block => block.Id).ToArray());
        MarkValid(blocks.Where(block => !block.IsInvalid).Select(block => block.Id).ToArray());
    }

    /// <inheritdoc/>
    public void SetState(IReadOnlyList<BlockId> ids, ReferenceState state, DateTimeOffset since)
    {
        var changed = Find(ids).OfType<BlockRow>().Select(block => Pack(block with { State = state, Since = since }));
        rows.Replace(Collection, changed.ToArray());
    }

    /// <inheritdoc/>
    public void SetInvalid(IReadOnlyList<BlockId> ids, bool isInvalid)
    {
        var changed = Find(ids).OfType<BlockRow>().Where(block => block.IsInvalid != isInvalid);
        Put(changed.Select(block => block with { IsInvalid = isInvalid }).ToArray());
    }

    /// <inheritdoc/>
    public void Remove(IReadOnlyList<BlockId> ids)
    {
        rows.Remove(Collection, ids.Select(id => RowKey.Of(id.Hash)).ToArray());
        MarkValid(ids);
    }

    /// <inheritdoc/>
    public IReadOnlyList<BlockRow> Scan(BlockId? after, int count)
    {
        var (first, last) = RowKey.AllHashes;
        first = after is { } id ? RowKey.After(id.Hash) : first;
        return rows.Range(Collection, LiteDbSchema.Key, first, last, count: count).ConvertAll(Unpack);
    }

    /// <inheritdoc/>
    public IReadOnlyList<BlockId> ListInvalid() => rows
        .List(Invalid, LiteDbSchema.Key)
        .ConvertAll(row => new BlockId(new Hash256(row[LiteDbSchema.Key].AsBinary)));

    private void MarkInvalid(BlockId[] ids)
    {
        if (ids.Length > 0)
        {
            rows.Put(Invalid, ids.Select(id => new BsonDocument { [LiteDbSchema.Key] = RowKey.Of(id.Hash) }).ToArray());
        }
    }

    private void MarkValid(IReadOnlyList<BlockId> ids)
    {
        // Almost always nothing is damaged, and one look at the collection saves one for each block.
        if (ids.Count > 0 && rows.Any(Invalid))
        {
            rows.Remove(Invalid, ids.Select(id => RowKey.Of(id.Hash)).ToArray());
        }
    }

    private static BsonDocument Pack(BlockRow block)
    {
        var row = new RowWriter()
            .Text(block.Storage)
            .Byte((int)block.Form)
            .Number(block.Length)
            .Number(block.Allocated)
            .Number(block.StoredLength)
            .Flag(block.IsInvalid)
            .Byte((int)block.State)
            .Time(block.Since);
        foreach (var lender in block.Lenders)
        {
            row.Hash(lender.Hash);
        }

        return new BsonDocument
        {
            [LiteDbSchema.Key] = RowKey.Of(block.Id.Hash),
            [LiteDbSchema.Value] = row.ToValue(),
        };
    }

    private static BlockRow Unpack(BsonDocument found)
    {
        var row = new RowReader(found);
        var id = new BlockId(new Hash256(found[LiteDbSchema.Key].AsBinary));
        var storage = row.Text();
        var form = (BlockForm)row.Byte();
        var length = checked((int)row.Number());
        var allocated = checked((int)row.Number());
        var storedLength = row.Number();
        var isInvalid = row.Flag();
        var state = (ReferenceState)row.Byte();
        var since = row.Time();
        var rest = row.Rest();
        var lenders = rest.Length == 0 ? [] : new BlockId[rest.Length / Hash256.Size];
        for (var i = 0; i < lenders.Length; i++)
        {
            lenders[i] = new BlockId(new Hash256(rest[(i * Hash256.Size)..]));
        }

        return new BlockRow(id, storage, form, length, allocated, storedLength, lenders, isInvalid, state, since);
    }
}
