using Benji.Store.Blocks;
using Benji.Store.Blocks.Maps;
using Benji.Store.Model;

namespace Benji.Store.Operations.Cleanup;

/// <summary>One cleanup of one store under its lease: finishes what a dead one left, checks, marks what versions need, sweeps
/// the rest, and looks for orphans.</summary>
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
/// <para>Why nothing is deleted that somebody reads without a lease. On this host such a reader holds a kernel lock from before
/// its first transaction. It found its version in one that came before the claim, and then the claim sees the lock and is
/// none; or after it, and then the version was there after the claim, so that the above holds for it. What another host reads
/// is gone for it when its next look finds the version gone.</para>
/// <para>Why no borrower is left without what it borrows. All lenders of what is needed are needed. Of the rest, a block goes
/// only when no row borrows from it, or with all rows that do, in one claim, or after them: the scan that found none began
/// after all leaves were gone, and whoever makes a row that borrows from a block makes that block live first, so that the
/// claim finds it changed. A claim is finished whole, whoever does it.</para>
/// <para>Decision: docs/decisions/0008. Format: docs/format.md, "Cleanup".</para></remarks>
internal sealed class CleanupRun
{
    private readonly CleanupScope _scope;
    private readonly CleanupCounts _counts;
    private readonly TimeSpan _grace;
    private readonly PageStore _pages;

    /// <summary>Prepares the cleanup of one store; nothing is read yet.</summary>
    /// <param name="scope">What it works with.</param>
    /// <param name="grace">How long something must have been unneeded.</param>
    /// <param name="progress">Where it says how far it is.</param>
    public CleanupRun(CleanupScope scope, TimeSpan grace, IOperationProgress progress)
    {
        _scope = scope;
        _grace = grace;
        _counts = new CleanupCounts(progress);
        _pages = new PageStore(
            scope.Store, scope.Catalog, new PendingDeletions(scope.Store, scope.Catalog, scope.Time), scope.Time);
    }

    /// <summary>What it marks in; tests make it small.</summary>
    public MarkSets Sets { get; init; } = new();

    /// <summary>How many lenders a pass keeps back; tests make it small.</summary>
    public int LendersMax { get; init; } = CleanupOrder.RowsMaxDefault;

    /// <summary>Cleans up.</summary>
    /// <exception cref="ConfigurationException">The storage holds versions that the catalog does not know.</exception>
    /// <exception cref="AgeMismatchException">Catalog and storage are not of the same age.</exception>
    /// <exception cref="CorruptDataException">A map page is missing or damaged: what hangs below it is not
    /// known.</exception>
    /// <exception cref="LeaseLostException">The lease on cleanup was superseded.</exception>
    /// <exception cref="StorageException">The storage failed; what was begun goes on next time.</exception>
    public async Task<CleanupResult> RunAsync(CancellationToken cancellationToken)
    {
        var began = _scope.Time.GetTimestamp();
        _counts.Progress.StartStage("checking", null, ProgressUnit.Items);
        await new CleanupDeletion(_scope, _counts).FinishAsync(cancellationToken);
        await new CleanupManifests(_scope.Catalog).CheckAsync(_scope.Store, cancellationToken);

        // Without a grace period, what the first pass found goes at once, but by a second look at what versions need. One
        // that could not keep all lenders back is followed by another for as long as that deletes something.
        for (var pass = 1; ; pass++)
        {
            var deleted = _counts.Deleted;
            var isFull = await PassAsync(cancellationToken);
            var isFirstOfTwo = pass == 1 && _grace == TimeSpan.Zero && _counts.Moved > 0;
            if (!isFirstOfTwo && !(isFull && _counts.Deleted > deleted))
            {
                break;
            }
        }

        return new CleanupResult(
            _counts.Deleted,
            _counts.DeletedBytes,
            _counts.Waiting,
            _counts.Orphans,
            _scope.Time.GetElapsedTime(began))
        {
            IsHeldBack = _counts.IsHeldBack,
        };
    }

    // Answers whether there were more lenders than it could keep back.
    private async Task<bool> PassAsync(CancellationToken cancellationToken)
    {
        (_counts.Waiting, _counts.Moved) = (0, 0);
        _counts.Progress.StartStage("marking", null, ProgressUnit.Items);
        var roots = await _scope.Catalog.ReadAsync(
            transaction => CleanupRoots.Read(transaction, _scope.Store.Name, _scope.Time, _grace), cancellationToken);
        var isFull = await SweepAsync(roots, cancellationToken);
        _counts.Progress.StartStage("listing", null, ProgressUnit.Items);
        var orphans = new CleanupOrphans(_scope, roots, _counts);
        await orphans.RunAsync(cancellationToken);
        await new CleanupDoubt(_scope, roots).SettleAsync(orphans.IsComplete, cancellationToken);
        return isFull;
    }

    private async Task<bool> SweepAsync(CleanupRoots roots, CancellationToken cancellationToken)
    {
        var marker = new MapMarker([.. roots.MapsOf(_scope.Store.Name, _pages)], Sets);
        var (pageTable, blockTable) = (new CleanupPages(), new CleanupBlocks());
        var lenders = new CleanupLenders(_scope, blockTable);
        var pageClaims = new CleanupClaims(_scope, pageTable, _counts);
        var blockClaims = new CleanupClaims(_scope, blockTable, _counts);
        var order = new CleanupOrder(_scope, lenders, blockClaims, _counts) { RowsMax = LendersMax };
        var pages = new CleanupSweep(_scope, roots, pageTable, pageClaims, _ => false, _counts);
        var blocks = new CleanupSweep(_scope, roots, blockTable, blockClaims, order.TryDefer, _counts);
        var isWhole = false;
        await marker.MarkAsync(
            (range, reached) => pages.RunAsync(range, id => reached.Contains(new(id)), cancellationToken),
            async (range, reached) =>
            {
                await lenders.AddAsync(range, reached, cancellationToken);
                if (range == IdPartition.All)
                {
                    isWhole = true;
                    await SweepBlocksAsync(range, reached);
                }
            },
            cancellationToken);
        await pageClaims.FlushAsync(cancellationToken);
        if (!isWhole)
        {
            // A lender may lie in another range than its borrower: all are known only now.
            await marker.MarkAsync(null, SweepBlocksAsync, cancellationToken);
        }

        await blockClaims.FlushAsync(cancellationToken);
        await order.RunAsync(cancellationToken);
        return order.IsFull;

        Task SweepBlocksAsync(IdPartition range, FingerprintSet reached) =>
            blocks.RunAsync(range, id => reached.Contains(id) || lenders.Contains(new(id)), cancellationToken);
    }
}
