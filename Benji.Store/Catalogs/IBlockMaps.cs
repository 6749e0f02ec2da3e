using Benji.Store.Model;

namespace Benji.Store.Catalogs;

/// <summary>The map pages that versions share: <see cref="BlockGeometry.PageSize"/> bytes each, named by content.</summary>
internal interface IBlockMaps
{
    /// <summary>Reads pages by id.</summary>
    /// <returns>In the order asked for; null for one that is not there.</returns>
    IReadOnlyList<MapPageRow?> Find(IReadOnlyList<PageId> ids);

    /// <summary>Adds pages, or replaces the rows of those that are there.</summary>
    void Put(IReadOnlyList<MapPageRow> pages);

    /// <summary>Sets the state of pages; missing ones are passed over.</summary>
    void SetState(IReadOnlyList<PageId> ids, ReferenceState state, DateTimeOffset since);

    /// <summary>Removes rows; missing ones are passed over.</summary>
    void Remove(IReadOnlyList<PageId> ids);

    /// <summary>Lists rows in the order of their ids, without their content.</summary>
    /// <param name="after">Only ids behind this one; null from the start.</param>
    /// <param name="count">At most so many.</param>
    IReadOnlyList<ReferenceRow<PageId>> Scan(PageId? after, int count);
}

/// <summary>One map page in the catalog.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Storage">The configured name of the storage that holds its object.</param>
/// <param name="Level">0 for a page of block ids, n for a page of pages of level n - 1.</param>
/// <param name="Content"><see cref="BlockGeometry.PageSize"/> bytes; never changed by whoever holds them.</param>
/// <param name="State">Where it stands between use and deletion.</param>
/// <param name="Since">When it came to that state.</param>
internal sealed record MapPageRow(
    PageId Id, string Storage, int Level, byte[] Content, ReferenceState State, DateTimeOffset Since);
