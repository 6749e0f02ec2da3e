using Benji.Store.Blocks;
using Benji.Store.Catalogs;

namespace Benji.Store.Operations.Cleanup;

/// <summary>What all parts of the cleanup of one store work with.</summary>
/// <param name="Catalog">The catalog.</param>
/// <param name="Store">The store; rows of others are left alone.</param>
/// <param name="Lease">The lease on cleanup, held by this run.</param>
/// <param name="Time">The clock.</param>
internal sealed record CleanupScope(ICatalog Catalog, OpenedStore Store, Lease Lease, TimeProvider Time)
{
    /// <summary>Rows looked at in one transaction: a row of a map page lies on database pages of its own, three or so, and
    /// more of them make the catalog's cache large.</summary>
    public const int BatchMax = 256;
}

/// <summary>What one cleanup did so far.</summary>
internal sealed class CleanupCounts(IOperationProgress progress)
{
    /// <summary>Where it says how far it is.</summary>
    public IOperationProgress Progress => progress;

    /// <summary>Objects deleted.</summary>
    public long Deleted { get; set; }

    /// <summary>Their bytes.</summary>
    public long DeletedBytes { get; set; }

    /// <summary>Rows that the last pass left on their way: candidates and orphans.</summary>
    public long Waiting { get; set; }

    /// <summary>Rows that the last pass set on their way.</summary>
    public long Moved { get; set; }

    /// <summary>True when something was kept because somebody reads without a lease.</summary>
    public bool IsHeldBack { get; set; }

    /// <summary>Orphans recorded.</summary>
    public long Orphans { get; set; }
}
