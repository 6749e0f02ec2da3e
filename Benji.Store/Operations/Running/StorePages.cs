using Benji.Store.Blocks;
using Benji.Store.Blocks.Maps;
using Benji.Store.Model;

namespace Benji.Store.Operations.Running;

/// <summary>Opens the map pages of a store and the block maps of its versions.</summary>
internal static class StorePages
{
    /// <summary>Opens the pages of one store.</summary>
    /// <param name="context">What is worked with.</param>
    /// <param name="store">The store.</param>
    /// <param name="run">The run that puts pages; the default for one that only reads.</param>
    public static PageStore Open(StoreContext context, OpenedStore store, StoringRun run = default) =>
        new(
            store,
            context.Catalog,
            new PendingDeletions(store, context.Catalog, context.Time)
            {
                Waiting = cleanup => Log.Waiting(context.Logger, HeldLease.InUse("a backup of what it deletes", cleanup).Message),
            },
            context.Time,
            run);

    /// <summary>Opens one version's block map.</summary>
    public static MapReader OpenMap(StoreContext context, OpenedStore store, VersionRecord version) =>
        new(Open(context, store), version.Root, version.Geometry);
}
