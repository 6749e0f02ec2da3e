using Benji.Store.Model;

namespace Benji.Store.Blocks.Maps;

/// <summary>Where map pages are read from, many at once because each trip costs a transaction.</summary>
/// <remarks>Safe for concurrent calls.</remarks>
internal interface IPageSource
{
    /// <summary>Reads pages of one level; each is checked against its id.</summary>
    /// <param name="ids">The pages, a few hundred at most: all are in memory at once. Equal ids are allowed.</param>
    /// <param name="level">The level of all of them.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    /// <returns>In the order asked for, <see cref="BlockGeometry.PageSize"/> bytes each, shared and never to be
    /// changed; null for a page of holes, and for one that this source passes over as if it were.</returns>
    /// <exception cref="CorruptDataException">A page is missing or damaged; the message names it and its
    /// level.</exception>
    ValueTask<byte[]?[]> ReadAsync(IReadOnlyList<PageId> ids, int level, CancellationToken cancellationToken);
}
