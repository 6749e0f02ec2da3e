using Benji.Store.Catalogs.LiteDb.Rows;
using Benji.Store.Model;
using LiteDB;

namespace Benji.Store.Catalogs.LiteDb.Roles;

/// <summary>The map pages in LiteDB: one row a page, its state in a field that is read without the content.</summary>
internal sealed class LiteDbBlockMaps(LiteDbRows rows) : IBlockMaps
{
    private const string Collection = LiteDbSchema.Pages;
    private const string Content = "c";
    private const string StateFields = $"{{ {LiteDbSchema.Key}, {LiteDbSchema.Value} }}";

    /// <inheritdoc/>
    public IReadOnlyList<MapPageRow?> Find(IReadOnlyList<PageId> ids)
    {
        var found = new Dictionary<PageId, MapPageRow>();
        foreach (var row in rows.FindEach(Collection, ids.Distinct().OrderBy(id => id.Hash).Select(id => RowKey.Of(id.Hash))))
        {
            var page = Unpack(row);
            found[page.Id] = page;
        }

        return [.. ids.Select(id => found.GetValueOrDefault(id))];
    }

    /// <inheritdoc/>
    public void Put(IReadOnlyList<MapPageRow> pages)
    {
        if (pages.Any(page => page.State == ReferenceState.Live))
        {
            rows.Grow();
        }

        rows.Put(Collection, pages.OrderBy(page => page.Id.Hash).Select(Pack).ToArray());
    }

    /// <inheritdoc/>
    public void SetState(IReadOnlyList<PageId> ids, ReferenceState state, DateTimeOffset since)
    {
        var changed = Find(ids).OfType<MapPageRow>().Select(page => page with { State = state, Since = since });
        Put(changed.ToArray());
    }

    /// <inheritdoc/>
    public void Remove(IReadOnlyList<PageId> ids) =>
        rows.Remove(Collection, ids.Select(id => RowKey.Of(id.Hash)).ToArray());

    /// <inheritdoc/>
    public IReadOnlyList<ReferenceRow<PageId>> Scan(PageId? after, int count)
    {
        var (first, last) = RowKey.AllHashes;
        first = after is { } id ? RowKey.After(id.Hash) : first;
        return rows.Range(Collection, LiteDbSchema.Key, first, last, StateFields, count).ConvertAll(row =>
        {
            var page = CatalogDamage.Unpack(Collection, row, state => ReadState(state, content: []));
            return new ReferenceRow<PageId>(page.Id, page.Storage, page.State, page.Since);
        });
    }

    private static BsonDocument Pack(MapPageRow page)
    {
        Invariant.Holds(page.Content.Length == BlockGeometry.PageSize);
        var used = page.Content.AsSpan().LastIndexOfAnyExcept((byte)0) + 1;
        return new BsonDocument
        {
            [LiteDbSchema.Key] = RowKey.Of(page.Id.Hash),
            [LiteDbSchema.Value] = new RowWriter()
                .Text(page.Storage)
                .Byte(page.Level)
                .Byte((int)page.State)
                .Time(page.Since)
                .ToValue(),
            // Pages end in holes more often than not, and a row that fits one database page costs half.
            [Content] = new(used == page.Content.Length ? page.Content : page.Content[..used]),
        };
    }

    private static MapPageRow Unpack(BsonDocument found) => CatalogDamage.Unpack(Collection, found, Read);

    private static MapPageRow Read(BsonDocument found)
    {
        var stored = found[Content].AsBinary;
        if (stored.Length > BlockGeometry.PageSize)
        {
            throw new CatalogException($"A map page in the catalog has {stored.Length} bytes.");
        }

        var content = stored;
        if (stored.Length < BlockGeometry.PageSize)
        {
            content = new byte[BlockGeometry.PageSize];
            stored.CopyTo(content, 0);
        }

        return ReadState(found, content);
    }

    private static MapPageRow ReadState(BsonDocument found, byte[] content)
    {
        var row = new RowReader(found);
        var id = new PageId(new Hash256(found[LiteDbSchema.Key].AsBinary));
        var (storage, level) = (row.Text(), row.Byte());
        var state = (ReferenceState)row.Choice((int)ReferenceState.Orphan);
        return row.End(new MapPageRow(id, storage, level, content, state, row.Time()));
    }
}
