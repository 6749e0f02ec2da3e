using Benji.Store.Blocks;
using Benji.Store.Blocks.Maps;
using Benji.Store.Model;

namespace Benji.Store.Operations.Running;

/// <summary>Opens the map pages of a store and the block maps of its versions.</summary>
internal static class StorePages
{
    /// <summary>Opens the pages of one store.</summary>
    public static PageStore Open(StoreContext context, OpenedStore store) =>
        new(store, context.Catalog, new PendingDeletions(store, context.Catalog, context.Time), context.Time);

    /// <summary>Opens one version's block map.</summary>
    public static MapReader OpenMap(StoreContext context, OpenedStore store, VersionRecord version) =>
        new(Open(context, store), version.Root, version.Geometry);
}
