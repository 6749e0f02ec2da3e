using Benji.Store.Catalogs;
using Benji.Store.Images;
using Benji.Store.Model;
using Benji.Store.Operations.Running;

namespace Benji.Store.Operations.Overlays;

/// <summary>Claims overlays: at any time one process has one open, promotes it or discards it.</summary>
/// <remarks>Safe for concurrent calls. A promotion that died half way is finished or undone before its overlay is
/// claimed again, so that nothing is written to an overlay that is a version already.</remarks>
internal sealed class OverlayClaims(StoreContext context)
{
    private static readonly TimeSpan WaitStep = TimeSpan.FromMilliseconds(50);

    /// <summary>Claims an overlay.</summary>
    /// <param name="overlay">The overlay.</param>
    /// <param name="purpose">What the holder does, for messages: "use of overlay vm/disk/v1@fix".</param>
    /// <param name="patience">How long to wait for the end of another claim.</param>
    /// <param name="cancellationToken">Stops the wait.</param>
    /// <exception cref="NotFoundException">It is gone.</exception>
    /// <exception cref="InUseException">Another claim stands; the message names its holder.</exception>
    /// <exception cref="AgeMismatchException">A promotion that died cannot be finished or undone, as catalog and storage are not
    /// of the same age.</exception>
    /// <exception cref="StorageException">Nor can it while the storage fails.</exception>
    public async Task<HeldLease> AcquireAsync(
        ImageEntry overlay, string purpose, TimeSpan patience, CancellationToken cancellationToken)
    {
        var notice = new WaitNotice(context);
        for (var began = context.Time.GetTimestamp(); ;)
        {
            var attempt = await context.Catalog.WriteAsync(
                transaction => Try(transaction, overlay, purpose), cancellationToken);
            if (attempt.Lease is not null)
            {
                return HeldLease.Hold(context.Catalog, attempt.Lease, context.Time);
            }

            var isFinished = attempt.IsBeingPromoted
                && await new IntentRecovery(context).FinishPromotionAsync(overlay.Id, cancellationToken);
            if (!isFinished && context.Time.GetElapsedTime(began) >= patience)
            {
                throw HeldLease.InUse(purpose, attempt.Holder);
            }

            if (!isFinished)
            {
                notice.Look(HeldLease.InUse(purpose, attempt.Holder));
                await Task.Delay(WaitStep, context.Time, cancellationToken);
            }
        }
    }

    private static Attempt Try(ICatalogTransaction transaction, ImageEntry overlay, string purpose)
    {
        if (transaction.Overlays.List(overlay.Version.Id).All(row => row.Id != overlay.Id))
        {
            throw new NotFoundException($"There is no overlay {overlay.Name}; 'benji overlay ls' lists what there is.");
        }

        if (transaction.Intents.List().Any(intent => intent.OverlayId == overlay.Id))
        {
            var holders = transaction.Leases.List(LeaseResource.Overlay(overlay.Id));
            return new Attempt(null, holders.Count == 0 ? null : holders[0], IsBeingPromoted: true);
        }

        return transaction.Leases.TryAcquire(
            LeaseResource.Overlay(overlay.Id), LeaseMode.Exclusive, purpose, out var lease, out var holder)
            ? new Attempt(lease, null, IsBeingPromoted: false)
            : new Attempt(null, holder, IsBeingPromoted: false);
    }

    private readonly record struct Attempt(Lease? Lease, Lease? Holder, bool IsBeingPromoted);
}
