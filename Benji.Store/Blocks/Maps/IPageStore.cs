using Benji.Store.Model;

namespace Benji.Store.Blocks.Maps;

/// <summary>Where map pages are read from and put to, many at once because each trip costs a transaction and a
/// sync.</summary>
/// <remarks>Safe for concurrent calls.</remarks>
internal interface IPageStore
{
    /// <summary>Computes the id of a page; <see cref="PageId.Hole"/> for one of holes only.</summary>
    /// <param name="level">The page's level: it is part of what is hashed.</param>
    /// <param name="content"><see cref="BlockGeometry.PageSize"/> bytes.</param>
    PageId ComputeId(int level, ReadOnlySpan<byte> content);

    /// <summary>Reads pages of one level; each is checked against its id.</summary>
    /// <param name="ids">The pages, a few hundred at most: all are in memory at once. Equal ids are allowed.</param>
    /// <param name="level">The level of all of them.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    /// <returns>In the order asked for, <see cref="BlockGeometry.PageSize"/> bytes each, shared and never to be
    /// changed; null for a page of holes.</returns>
    /// <exception cref="CorruptDataException">A page is missing or damaged; the message names it and its
    /// level.</exception>
    ValueTask<byte[]?[]> ReadAsync(IReadOnlyList<PageId> ids, int level, CancellationToken cancellationToken);

    /// <summary>Stores pages that are not stored yet, durable and recorded when it returns.</summary>
    /// <param name="pages">Pages of any levels, a few hundred at most; pages of holes are passed over.</param>
    /// <param name="cancellationToken">Stops before the next step; what was stored is left for cleanup.</param>
    /// <returns>Their ids, in order.</returns>
    Task<PageId[]> PutAsync(IReadOnlyList<MapPage> pages, CancellationToken cancellationToken);
}
