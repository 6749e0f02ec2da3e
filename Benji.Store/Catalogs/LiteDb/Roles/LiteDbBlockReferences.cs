using Benji.Store.Catalogs.LiteDb.Rows;
using Benji.Store.Model;
using LiteDB;

namespace Benji.Store.Catalogs.LiteDb.Roles;

/// <summary>The stored blocks in LiteDB, a group of them a document; the few damaged ones stand in a small collection
/// too.</summary>
internal sealed class LiteDbBlockReferences(LiteDbRows rows, BlockGroupCache groups) : IBlockReferences
{
    private const string Collection = LiteDbSchema.Blocks;
    private const string Invalid = LiteDbSchema.InvalidBlocks;

    /// <inheritdoc/>
    public IReadOnlyList<BlockRow?> Find(IReadOnlyList<BlockId> ids)
    {
        Load(ids);
        return [.. ids.Select(id => groups.Get(BlockGroup.KeyOf(id)) is { } group ? BlockGroup.Find(group, id) : null)];
    }

    /// <inheritdoc/>
    public void Put(IReadOnlyList<BlockRow> blocks)
    {
        // A scrub puts rows that are there, and a cleanup those of strays.
        if (blocks.Any(block => block.State == ReferenceState.Live && Find([block.Id])[0] is null))
        {
            rows.Grow();
        }

        Change([.. blocks.Select(block => new BlockChange(block.Id, block))]);
        MarkInvalid(blocks.Where(block => block.IsInvalid).Select(block => block.Id).ToArray());
        MarkValid(blocks.Where(block => !block.IsInvalid).Select(block => block.Id).ToArray());
    }

    /// <inheritdoc/>
    public void SetState(IReadOnlyList<BlockId> ids, ReferenceState state, DateTimeOffset since)
    {
        var changed = Find(ids).OfType<BlockRow>().Select(block => block with { State = state, Since = since });
        Change([.. changed.Select(block => new BlockChange(block.Id, block))]);
    }

    /// <inheritdoc/>
    public void SetInvalid(IReadOnlyList<BlockId> ids, bool isInvalid)
    {
        var changed = Find(ids).OfType<BlockRow>().Where(block => isInvalid || block.IsInvalid);
        Put(changed.Select(block => isInvalid ? block.Marked() : block with { IsInvalid = false }).ToArray());
    }

    /// <inheritdoc/>
    public void Remove(IReadOnlyList<BlockId> ids)
    {
        Change([.. ids.Select(id => new BlockChange(id, null))]);
        MarkValid(ids);
    }

    /// <inheritdoc/>
    public IReadOnlyList<BlockRow> Scan(BlockId? after, int count)
    {
        var found = new List<BlockRow>();
        var first = after is { } id ? BlockGroup.KeyOf(id) : 0;
        foreach (var document in rows.Walk(Collection, LiteDbSchema.Key, first, BlockGroup.KeyMax))
        {
            BlockGroup.List(document[LiteDbSchema.Value].AsBinary, after, found, count);
            if (found.Count == count)
            {
                break;
            }
        }

        return found;
    }

    /// <inheritdoc/>
    public IReadOnlyList<BlockId> ListInvalid() => rows
        .List(Invalid, LiteDbSchema.Key)
        .ConvertAll(row => CatalogDamage.Unpack(
            Invalid, row, marked => new BlockId(new Hash256(marked[LiteDbSchema.Key].AsBinary))));

    private void Load(IEnumerable<BlockId> ids)
    {
        int[] missing = [.. ids.Select(BlockGroup.KeyOf).Where(key => !groups.Knows(key)).Distinct().Order()];
        var found = new Dictionary<int, byte[]>();
        foreach (var row in rows.FindEach(Collection, missing.Select(key => new BsonValue(key))))
        {
            var (key, group) = (row[LiteDbSchema.Key], row[LiteDbSchema.Value]);
            if (!key.IsInt32 || !group.IsBinary || !found.TryAdd(key.AsInt32, group.AsBinary))
            {
                throw CatalogDamage.OfRow(Collection, new CatalogException("it is no group of blocks."));
            }
        }

        foreach (var key in missing)
        {
            groups.Set(key, found.GetValueOrDefault(key));
        }
    }

    // A group of another length is made anew, which places it as a whole; LiteDB's update would scatter it.
    private void Change(BlockChange[] changes)
    {
        Load(changes.Select(change => change.Id));
        List<BsonDocument> added = [], replaced = [];
        List<BsonValue> removed = [];
        foreach (var group in changes.OrderBy(change => change.Id.Hash).GroupBy(change => BlockGroup.KeyOf(change.Id)))
        {
            var old = groups.Get(group.Key);
            var merged = BlockGroup.Merge(old ?? BlockGroup.Empty, [.. group]);
            var isInPlace = merged.Length == old?.Length;
            if (old is not null && !isInPlace)
            {
                removed.Add(group.Key);
            }

            if (merged.Length > 0)
            {
                var document = new BsonDocument { [LiteDbSchema.Key] = group.Key, [LiteDbSchema.Value] = merged };
                (isInPlace ? replaced : added).Add(document);
            }

            groups.Set(group.Key, merged.Length > 0 ? merged : null);
        }

        rows.Replace(Collection, replaced);
        rows.Remove(Collection, removed);
        rows.Add(Collection, added);
    }

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
}
