using System.Runtime.ExceptionServices;
using Benji.Store.Blocks.Maps;
using Benji.Store.Catalogs;
using Benji.Store.Model;
using Benji.Store.Operations.Running;

namespace Benji.Store.Operations.Cleanup;

/// <summary>Deletes what no version has needed for the grace period, and what killed runs left.</summary>
/// <remarks>Straight path: docs/house.md, section 7. How it goes beside running backups: <see
/// cref="CleanupRun"/>.</remarks>
internal sealed class CleanupOperation(StoreContext context, CleanupRequest request, IOperationProgress progress)
{
    /// <summary>What it marks in; tests make it small.</summary>
    public MarkSets Sets { get; init; } = new();

    /// <summary>How many lenders a pass keeps back; tests make it small.</summary>
    public int LendersMax { get; init; } = CleanupOrder.RowsMaxDefault;

    /// <summary>Cleans up every storage that this catalog was used with. One that cannot be cleaned up stops no other; its
    /// failure is thrown at the end.</summary>
    /// <exception cref="UsageException">The grace period is negative.</exception>
    /// <exception cref="InUseException">Another cleanup is under way.</exception>
    /// <exception cref="ConfigurationException">A storage is another store, or holds versions that the catalog does not
    /// know.</exception>
    /// <exception cref="AgeMismatchException">Catalog and storage are not of the same age.</exception>
    /// <exception cref="CorruptDataException">A map page is missing or damaged: what hangs below it is not
    /// known.</exception>
    /// <exception cref="LeaseLostException">The lease was superseded; nothing more is deleted.</exception>
    /// <exception cref="StorageException">A storage failed; what was begun goes on next time.</exception>
    public async Task<CleanupResult> RunAsync(CancellationToken cancellationToken)
    {
        var grace = request.OlderThan ?? context.Settings.CleanupGracePeriod;
        if (grace < TimeSpan.Zero)
        {
            throw new UsageException($"The grace period of a cleanup cannot be negative: {grace}.");
        }

        await using var lease = await HeldLease.AcquireAsync(
            context.Catalog, context.Time, LeaseResource.Cleanup, LeaseMode.Exclusive, "cleanup", cancellationToken);
        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, lease.Lost);
        try
        {
            return await RunAsync(grace, lease.Lease, stopping.Token);
        }
        catch (OperationCanceledException cause) when (lease.Lost.IsCancellationRequested)
        {
            throw new LeaseLostException("The cleanup lost its lease to another run; it deletes nothing more.", cause);
        }
    }

    private async Task<CleanupResult> RunAsync(TimeSpan grace, Lease lease, CancellationToken cancellationToken)
    {
        await new IntentRecovery(context).RunAsync(cancellationToken);

        // A storage that was never used has nothing to clean, and opening it would make a store of it.
        var used = await context.Catalog.ReadAsync(
            transaction => context.Stores.Names
                .Where(name => transaction.StorageBindings.Find(name) is not null)
                .ToList(),
            cancellationToken);
        var result = new CleanupResult(0, 0, 0, 0, TimeSpan.Zero);
        var failures = new List<(string Storage, BenjiException Failure)>();
        foreach (var name in used)
        {
            try
            {
                result = Sum(result, await CleanAsync(name, grace, lease, cancellationToken));
            }
            catch (BenjiException failure) when (IsOfStorage(failure))
            {
                failures.Add((name, failure));
            }
        }

        Log.CleanupDone(
            context.Logger, result.ObjectsDeleted, result.BytesDeleted, result.ObjectsWaiting, result.OrphansFound);
        ThrowWorst(failures);
        return result;
    }

    private async Task<CleanupResult> CleanAsync(
        string name, TimeSpan grace, Lease lease, CancellationToken cancellationToken)
    {
        var age = await context.Stores.OpenForChangeAsync(name, cancellationToken);
        var scope = new CleanupScope(context.Catalog, age.Store, lease, context.Time);
        var run = new CleanupRun(scope, grace, progress) { Sets = Sets, LendersMax = LendersMax };
        var result = await run.RunAsync(cancellationToken);
        if (result.IsHeldBack)
        {
            Log.ReaderHoldsBack(context.Logger, name);
        }

        await age.LookUnlessRecentAsync(cancellationToken);
        await age.DeleteOldAsync(cancellationToken);
        return result;
    }

    private static bool IsOfStorage(BenjiException failure) =>
        failure is StorageException or ConfigurationException or AgeMismatchException or CorruptDataException;

    // The command ends with one of them: a refusal, as nothing goes on without an answer to that, else the first.
    private void ThrowWorst(List<(string Storage, BenjiException Failure)> failures)
    {
        if (failures.Count == 0)
        {
            return;
        }

        var worst = failures.Find(failed => failed.Failure is AgeMismatchException).Failure ?? failures[0].Failure;
        foreach (var (storage, failure) in failures.Where(failed => failed.Failure != worst))
        {
            Log.StorageNotCleaned(context.Logger, storage, failure.Message);
        }

        ExceptionDispatchInfo.Throw(worst);
    }

    private static CleanupResult Sum(CleanupResult left, CleanupResult right) => new(
        left.ObjectsDeleted + right.ObjectsDeleted,
        left.BytesDeleted + right.BytesDeleted,
        left.ObjectsWaiting + right.ObjectsWaiting,
        left.OrphansFound + right.OrphansFound,
        left.Duration + right.Duration)
    {
        IsHeldBack = left.IsHeldBack || right.IsHeldBack,
    };
}
