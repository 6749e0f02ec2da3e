using Benji.Store.Images;
using Benji.Store.Images.Overlays.Files;
using Benji.Store.Model;
using Benji.Store.Operations.Running;

namespace Benji.Store.Operations.Overlays;

/// <summary>Discards an overlay: its row, and with it the pin of its base, then its file.</summary>
/// <remarks>Format: docs/format.md, "Overlay file".</remarks>
internal sealed class OverlayDiscard(StoreContext context, OverlayDirectory files, OverlayClaims claims)
{
    /// <summary>Discards it.</summary>
    /// <param name="overlay">The overlay.</param>
    /// <param name="mayLoseData">False to refuse one that anything was written to.</param>
    /// <param name="cancellationToken">Stops before anything is gone.</param>
    /// <exception cref="NotFoundException">It is gone.</exception>
    /// <exception cref="InUseException">It is open; the message names its holder.</exception>
    /// <exception cref="NotAllowedException">It holds data, or its file is damaged, and neither may be lost.</exception>
    /// <exception cref="StorageException">Its file could not be renamed or deleted.</exception>
    public async Task RunAsync(ImageEntry overlay, bool mayLoseData, CancellationToken cancellationToken)
    {
        await using var claim = await claims.AcquireAsync(
            overlay, $"removal of overlay {overlay.Name}", TimeSpan.Zero, cancellationToken);
        if (!mayLoseData)
        {
            CheckEmpty(overlay);
        }

        files.BeginDiscard(overlay.Id);
        await context.Catalog.WriteAsync(
            transaction => transaction.Leases.IsHeld(claim.Lease)
                ? transaction.Overlays.Remove(overlay.Id)
                : throw new LeaseLostException(
                    $"Overlay {overlay.Name} was not removed: this run was taken for dead and lost its claim on it."),
            CancellationToken.None);
        files.Delete(overlay.Id);
        Log.OverlayDiscarded(context.Logger, overlay.Name);
    }

    private void CheckEmpty(ImageEntry overlay)
    {
        try
        {
            using var file = files.Open(overlay.Id, mayWrite: false);
            var bytes = file.Count().Dirty * OverlayLayout.UnitSize;
            if (bytes > 0)
            {
                throw new NotAllowedException(
                    $"Overlay {overlay.Name} holds {bytes} bytes that were written to it; 'benji promote {overlay.Name}' " +
                    "keeps them, --force removes them for good.");
            }
        }
        catch (NotFoundException)
        {
            // There is nothing that could be lost.
        }
        catch (CorruptDataException fault)
        {
            throw new NotAllowedException(
                $"Overlay {overlay.Name} may hold data: {fault.Message} --force removes it all the same.", fault);
        }
    }
}
