using Benji.Store.Blocks;
using Benji.Store.Catalogs;
using Benji.Store.Images;
using Benji.Store.Images.Overlays;
using Benji.Store.Images.Overlays.Files;
using Benji.Store.Model;
using Benji.Store.Operations.Backup;
using Benji.Store.Operations.Reading;
using Benji.Store.Operations.Running;

namespace Benji.Store.Operations.Overlays;

/// <summary>Makes an overlay a new version of its volume: dirty frames are stored, all else is the base's; then it goes.</summary>
/// <remarks>Straight path: docs/house.md, section 7. Takes time for what is dirty, not for the size of the
/// version.</remarks>
internal sealed class PromoteOperation(
    StoreContext context,
    OverlayDirectory files,
    OverlayClaims claims,
    OpenOverlayImage openOverlay,
    IOperationProgress progress)
{
    /// <summary>The label of a promoted version that says where it came from: <c>version@overlay</c>, in its volume.</summary>
    public const string OriginLabel = "promoted-from";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    /// <summary>Promotes.</summary>
    /// <param name="overlay">The overlay.</param>
    /// <param name="name">The new version's name; null for its date.</param>
    /// <param name="labels">Labels to set besides <see cref="OriginLabel"/>.</param>
    /// <param name="cancellationToken">Stops it; the overlay is then as it was.</param>
    /// <exception cref="UsageException">The name or a label is not valid.</exception>
    /// <exception cref="NotFoundException">The overlay is gone.</exception>
    /// <exception cref="AlreadyExistsException">The name is taken.</exception>
    /// <exception cref="InUseException">It stayed open for 5 s, or the volume is being backed up.</exception>
    /// <exception cref="AgeMismatchException">Catalog and storage are not of the same age; the overlay is as it was.</exception>
    /// <exception cref="DamagedImageException">A block that the overlay replaces in part is damaged in the base.</exception>
    /// <exception cref="StorageException">The storage or the overlay's file failed; nothing is visible.</exception>
    public async Task<BackupResult> RunAsync(
        ImageEntry overlay,
        string? name,
        IReadOnlyDictionary<string, string> labels,
        CancellationToken cancellationToken)
    {
        CheckNames(name, labels);
        var purpose = $"promotion of {overlay.Name}";
        await using var claim = await claims.AcquireAsync(overlay, purpose, Patience, cancellationToken);
        await using var volume = await HeldLease.AcquireAsync(
            context.Catalog,
            context.Time,
            LeaseResource.Volume(overlay.Version.Name.Volume),
            LeaseMode.Exclusive,
            purpose,
            cancellationToken);
        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(
            cancellationToken, volume.Lost, claim.Lost);
        try
        {
            var result = await PublishAsync(
                overlay, name, labels, volume.Lease, new PromotedOverlay(overlay.Id, claim.Lease), stopping.Token);
            Log.OverlayPromoted(context.Logger, overlay.Name, result.Version.Name);
            DeleteFile(overlay);
            return result;
        }
        catch (OperationCanceledException cause)
            when (volume.Lost.IsCancellationRequested || claim.Lost.IsCancellationRequested)
        {
            throw new LeaseLostException(
                $"The promotion of {overlay.Name} lost its claim; nothing was published.", cause);
        }
    }

    private static void CheckNames(string? name, IReadOnlyDictionary<string, string> labels)
    {
        if (name is not null)
        {
            Names.CheckVersion(name);
        }

        foreach (var (label, value) in labels)
        {
            Names.CheckLabel(label, value);
        }

        if (labels.ContainsKey(OriginLabel))
        {
            throw new UsageException($"Label {OriginLabel} is set by the promotion itself; choose another name.");
        }
    }

    private static Dictionary<string, string> WithOrigin(IReadOnlyDictionary<string, string> labels, ImageEntry overlay) =>
        new(labels, StringComparer.Ordinal) { [OriginLabel] = $"{overlay.Version.Name.Version}@{overlay.Overlay!.Name}" };

    private async Task<BackupResult> PublishAsync(
        ImageEntry overlay,
        string? name,
        IReadOnlyDictionary<string, string> labels,
        Lease volume,
        PromotedOverlay promoted,
        CancellationToken cancellationToken)
    {
        var (version, invalid) = await context.Catalog.ReadAsync(
            transaction => (
                transaction.Versions.Find(overlay.Version.Id)
                    ?? throw new NotFoundException($"Version {overlay.Version.Name}, the base of {overlay.Name}, is gone."),
                transaction.BlockReferences.ListInvalid().ToHashSet()),
            cancellationToken);
        var age = await context.Stores.OpenForChangeAsync(version.Storage, cancellationToken);
        await using var image = await openOverlay(overlay, version, cancellationToken);
        await using var publication = new BackupPublication(context, volume, promoted);
        await publication.BeginAsync(version.Name.Volume, name, version.Storage, cancellationToken);
        var lost = await new DoubtScrub(context, age.Store, publication.Run).RunAsync(version, invalid, cancellationToken);
        var described = WithOrigin(labels, overlay);
        var result = await BuildAsync(image, version, lost, described, age.Store, publication, cancellationToken);

        // A mark for whoever comes next: without its row the file is a version now, and to be deleted.
        files.BeginDiscard(overlay.Id);
        try
        {
            return await new WatchedPublication(context, age, publication).RunAsync(result, invalid);
        }
        catch (AgeMismatchException)
        {
            await KeepAsync(promoted);
            throw;
        }
    }

    // Only while nobody may take the overlay for a version: then whoever finishes the intent decides about the file.
    private async Task KeepAsync(PromotedOverlay overlay)
    {
        var isKept = await context.Catalog.ReadAsync(
            transaction => transaction.Leases.IsHeld(overlay.Lease)
                && transaction.Intents.List().All(intent => intent.OverlayId != overlay.Id),
            CancellationToken.None);
        if (isKept)
        {
            files.UndoDiscard(overlay.Id);
        }
    }

    private async Task<BackupResult> BuildAsync(
        OverlayImage image,
        VersionRecord version,
        IReadOnlySet<BlockId> invalid,
        IReadOnlyDictionary<string, string> labels,
        OpenedStore store,
        BackupPublication publication,
        CancellationToken cancellationToken)
    {
        var plan = new OverlayPlan(version, image.ListDirty());
        await using var source = new OverlaySource(image);
        var build = new BackupBuild(context, store, source, plan, invalid, publication.Run, progress);
        var result = await build.RunAsync("", labels, publication, cancellationToken);
        cancellationToken.ThrowIfCancellationRequested();
        return result with { Version = result.Version with { IsProtected = true } };
    }

    // The version is there, whatever becomes of the file: the next run deletes it.
    private void DeleteFile(ImageEntry overlay)
    {
        try
        {
            files.Delete(overlay.Id);
        }
        catch (BenjiException failure) when (failure is StorageException or ReadOnlyException)
        {
            Log.OverlayFileStays(context.Logger, overlay.Name, failure);
        }
    }
}
