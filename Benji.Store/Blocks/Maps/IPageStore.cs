using Benji.Store.Model;

namespace Benji.Store.Blocks.Maps;

/// <summary>Where map pages are read from and put to, many at once because each trip costs a transaction and a
/// sync.</summary>
/// <remarks>Safe for concurrent calls.</remarks>
internal interface IPageStore : IPageSource
{
    /// <summary>Computes the id of a page; <see cref="PageId.Hole"/> for one of holes only.</summary>
    /// <param name="level">The page's level: it is part of what is hashed.</param>
    /// <param name="content"><see cref="BlockGeometry.PageSize"/> bytes.</param>
    PageId ComputeId(int level, ReadOnlySpan<byte> content);

    /// <summary>Stores pages that are not stored yet, durable and recorded when it returns.</summary>
    /// <param name="pages">Pages of any levels by their ids, a few hundred at most; none of holes only.</param>
    /// <param name="cancellationToken">Stops before the next step; what was stored is left for cleanup.</param>
    Task PutAsync(IReadOnlyDictionary<PageId, MapPage> pages, CancellationToken cancellationToken);
}
