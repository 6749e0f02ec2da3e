using System.Collections.Immutable;
using Benji.Store.Catalogs;
using Benji.Store.Model;

namespace Benji.Testing.Catalogs;

/// <summary>The stored blocks of a <see cref="MemoryCatalog"/>.</summary>
internal sealed class MemoryBlockReferences(MemorySession session) : IBlockReferences
{
    private ImmutableSortedDictionary<BlockId, BlockRow> Rows
    {
        get => session.State.Blocks;
        set => session.State = session.State with { Blocks = value };
    }

    /// <inheritdoc/>
    public IReadOnlyList<BlockRow?> Find(IReadOnlyList<BlockId> ids) =>
        [.. ids.Select(id => Rows.GetValueOrDefault(id))];

    /// <inheritdoc/>
    public void Put(IReadOnlyList<BlockRow> blocks) =>
        Rows = Rows.SetItems(blocks.Select(row => KeyValuePair.Create(row.Id, row)));

    /// <inheritdoc/>
    public void SetState(IReadOnlyList<BlockId> ids, ReferenceState state, DateTimeOffset since) =>
        Put([.. Find(ids).OfType<BlockRow>().Select(row => row with { State = state, Since = since })]);

    /// <inheritdoc/>
    public void SetInvalid(IReadOnlyList<BlockId> ids, bool isInvalid) =>
        Put([.. Find(ids).OfType<BlockRow>().Select(row => isInvalid ? row.Marked() : row with { IsInvalid = false })]);

    /// <inheritdoc/>
    public void Remove(IReadOnlyList<BlockId> ids) => Rows = Rows.RemoveRange(ids);

    /// <inheritdoc/>
    public IReadOnlyList<BlockRow> Scan(BlockId? after, int count) =>
        [.. Rows.Values.Where(row => after is not { } id || row.Id.Hash > id.Hash).Take(count)];

    /// <inheritdoc/>
    public IReadOnlyList<BlockId> ListInvalid() => [.. Rows.Values.Where(row => row.IsInvalid).Select(row => row.Id)];
}

/// <summary>The map pages of a <see cref="MemoryCatalog"/>.</summary>
internal sealed class MemoryBlockMaps(MemorySession session) : IBlockMaps
{
    private ImmutableSortedDictionary<PageId, MapPageRow> Rows
    {
        get => session.State.Pages;
        set => session.State = session.State with { Pages = value };
    }

    /// <inheritdoc/>
    public IReadOnlyList<MapPageRow?> Find(IReadOnlyList<PageId> ids) =>
        [.. ids.Select(id => Rows.GetValueOrDefault(id))];

    /// <inheritdoc/>
    public void Put(IReadOnlyList<MapPageRow> pages) =>
        Rows = Rows.SetItems(pages.Select(row => KeyValuePair.Create(row.Id, row)));

    /// <inheritdoc/>
    public void SetState(IReadOnlyList<PageId> ids, ReferenceState state, DateTimeOffset since) =>
        Put([.. Find(ids).OfType<MapPageRow>().Select(row => row with { State = state, Since = since })]);

    /// <inheritdoc/>
    public void Remove(IReadOnlyList<PageId> ids) => Rows = Rows.RemoveRange(ids);

    /// <inheritdoc/>
    public IReadOnlyList<ReferenceRow<PageId>> Scan(PageId? after, int count) =>
    [
        .. Rows.Values
            .Where(row => after is not { } id || row.Id.Hash > id.Hash)
            .Take(count)
            .Select(row => new ReferenceRow<PageId>(row.Id, row.Storage, row.State, row.Since)),
    ];
}
