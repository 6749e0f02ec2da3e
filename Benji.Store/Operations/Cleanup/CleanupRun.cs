using Benji.Store.Blocks;
using Benji.Store.Blocks.Maps;
using Benji.Store.Model;

namespace Benji.Store.Operations.Cleanup;

/// <summary>One cleanup under its lease: checks, marks what versions need, sweeps the rest, and looks for
/// orphans.</summary>
/// <remarks><para>Why nothing is deleted that a running backup needs. A pass reads in one transaction, at a moment R,
/// the versions and the runs that are alive (a run is a backup or promote: it holds its volume's lease, and a lease on
/// its base version, from before it looks at anything until its version is published). It deletes the object of an id
/// only if no version of R reaches the id, and its row is a candidate since a moment C before R, before every run of R
/// began, and still is in the transaction that claims it.</para>
/// <para>Let W be any run whose version is not among those of R and needs the id. (1) If W took the id from its base
/// version: the base is in the catalog from then on until W publishes. If it was there at R, it reaches the id.
/// Otherwise R came before, the base was itself published after R, and this argument holds for the run that made the
/// base. So let W have looked the id up or stored it itself, at a moment L after its beginning. (2) W was alive at R:
/// then it began after C, so L is after C, where the row was a candidate: the transaction that looked made it live. (3)
/// W began after R: then L is after R and so after C, likewise. In both cases the claim came before L, and W waited
/// until the row was gone and stored anew, or it came after, and found the row changed. Rows become candidates only
/// under the lease on cleanup, hence not between R and a claim of this pass, apart from rows that the pass itself set,
/// which it does not claim.</para>
/// <para>Rows that a run replaces without marking them first (orphans, damaged blocks) are claimed only in a
/// transaction that sees no run at all. While a dead run's intent to publish stands, nothing is claimed: its version
/// may yet appear. C is never before the beginning of a run that is alive in its transaction, whatever the clock
/// did.</para>
/// <para>Decision: docs/decisions/0008. Format: docs/format.md, "Cleanup".</para></remarks>
internal sealed class CleanupRun
{
    private readonly CleanupScope _scope;
    private readonly CleanupCounts _counts;
    private readonly TimeSpan _grace;
    private readonly Dictionary<string, PageStore> _pages;

    /// <summary>Prepares a cleanup; nothing is read yet.</summary>
    /// <param name="scope">What it works with.</param>
    /// <param name="grace">How long something must have been unneeded.</param>
    /// <param name="progress">Where it says how far it is.</param>
    public CleanupRun(CleanupScope scope, TimeSpan grace, IOperationProgress progress)
    {
        _scope = scope;
        _grace = grace;
        _counts = new CleanupCounts(progress);
        _pages = scope.Stores.ToDictionary(
            store => store.Key,
            store => new PageStore(
                store.Value,
                scope.Catalog,
                new PendingDeletions(store.Value, scope.Catalog, scope.Time),
                scope.Time));
    }

    /// <summary>What it marks in; tests make it small.</summary>
    public MarkSets Sets { get; init; } = new();

    /// <summary>Cleans up.</summary>
    /// <exception cref="ConfigurationException">A storage holds versions that the catalog does not know.</exception>
    /// <exception cref="CorruptDataException">A map page is missing or damaged: what hangs below it is not
    /// known.</exception>
    /// <exception cref="LeaseLostException">The lease on cleanup was superseded.</exception>
    /// <exception cref="StorageException">A storage failed; what was begun goes on next time.</exception>
    public async Task<CleanupResult> RunAsync(CancellationToken cancellationToken)
    {
        var began = _scope.Time.GetTimestamp();
        _counts.Progress.StartStage("checking", null, ProgressUnit.Items);
        foreach (var store in _scope.Stores.Values)
        {
            await new CleanupManifests(_scope.Catalog).CheckAsync(store, cancellationToken);
        }

        await PassAsync(cancellationToken);
        if (_grace == TimeSpan.Zero && _counts.Moved > 0)
        {
            // Without a grace period, what this pass found goes at once, but by a second look at what versions need.
            await PassAsync(cancellationToken);
        }

        return new CleanupResult(
            _counts.Deleted,
            _counts.DeletedBytes,
            _counts.Waiting,
            _counts.Orphans,
            _scope.Time.GetElapsedTime(began));
    }

    private async Task PassAsync(CancellationToken cancellationToken)
    {
        (_counts.Waiting, _counts.Moved) = (0, 0);
        _counts.Progress.StartStage("marking", null, ProgressUnit.Items);
        var roots = await _scope.Catalog.ReadAsync(
            transaction => CleanupRoots.Read(transaction, _scope.Time, _grace), cancellationToken);
        var marker = new MapMarker(
            [.. _pages.SelectMany(store => roots.MapsOf(store.Key, store.Value))], Sets);
        var lenders = new CleanupLenders(_scope.Catalog);
        var pages = new CleanupSweep(_scope, roots, new CleanupPages(_scope.Catalog), _counts);
        var blocks = new CleanupSweep(_scope, roots, new CleanupBlocks(_scope.Catalog), _counts);
        var isWhole = false;
        await marker.MarkAsync(
            (range, reached) => pages.RunAsync(range, id => reached.Contains(new(id)), cancellationToken),
            async (range, reached) =>
            {
                await lenders.AddAsync(range, reached, cancellationToken);
                if (range == IdPartition.All)
                {
                    isWhole = true;
                    await SweepAsync(range, reached);
                }
            },
            cancellationToken);
        if (!isWhole)
        {
            // A lender may lie in another range than its borrower: all are known only now.
            await marker.MarkAsync(null, SweepAsync, cancellationToken);
        }

        _counts.Progress.StartStage("listing", null, ProgressUnit.Items);
        foreach (var store in _scope.Stores.Values)
        {
            await new CleanupOrphans(_scope, roots, _counts).RunAsync(store, cancellationToken);
        }

        Task SweepAsync(IdPartition range, FingerprintSet reached) =>
            blocks.RunAsync(range, id => reached.Contains(id) || lenders.Contains(new(id)), cancellationToken);
    }
}
