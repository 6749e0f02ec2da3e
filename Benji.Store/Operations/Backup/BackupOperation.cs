using Benji.Store.Catalogs;
using Benji.Store.Model;
using Benji.Store.Operations.Backup.Planning;
using Benji.Store.Operations.Reading;
using Benji.Store.Operations.Running;
using Benji.Store.Sources;

namespace Benji.Store.Operations.Backup;

/// <summary>Backs a source up into a new version of a volume: what is known is referenced, what is new is stored.</summary>
/// <remarks>Straight path: docs/house.md, section 7.</remarks>
internal sealed class BackupOperation(StoreContext context, BackupRequest request, IOperationProgress progress)
{
    /// <summary>Refuses what can be refused without a catalog; nothing is made.</summary>
    public static async Task CheckFirstAsync(ISourceOpener sources, BackupRequest request)
    {
        CheckRequest(request);
        await using var source = sources.OpenSource(request.Source);
        if (request.BaseVersion is { } version)
        {
            throw new NotFoundException($"There is no version {Names.Show(version)}: the store is a new one.");
        }

        ReadHints(source, request);
    }

    /// <summary>Makes the version.</summary>
    /// <exception cref="InUseException">Another run backs this volume up.</exception>
    /// <exception cref="InputDataException">The hints do not fit the source.</exception>
    /// <exception cref="AgeMismatchException">Catalog and storage are not of the same age; nothing is visible.</exception>
    /// <exception cref="StorageException">The source or the storage failed; nothing is visible.</exception>
    public async Task<BackupResult> RunAsync(CancellationToken cancellationToken)
    {
        CheckRequest(request);
        await using var source = context.Sources.OpenSource(request.Source);
        var hints = ReadHints(source, request);
        await using var volume = await HeldLease.AcquireAsync(
            context.Catalog,
            context.Time,
            LeaseResource.Volume(request.Volume),
            LeaseMode.Exclusive,
            $"backup of {request.Volume}",
            cancellationToken);
        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, volume.Lost);
        try
        {
            return await RunAsync(source, hints, volume.Lease, stopping.Token);
        }
        catch (OperationCanceledException cause) when (volume.Lost.IsCancellationRequested)
        {
            throw new LeaseLostException(
                $"The backup of {request.Volume} lost its claim on the volume; nothing was published.", cause);
        }
    }

    private static HintMap? ReadHints(ISource source, BackupRequest request)
    {
        if (source.Hints is null)
        {
            return request.HintsFile is null ? null : HintReader.ReadFile(request.HintsFile, source.Size);
        }

        // What such a source does not list is as it was: without a version to take it from, it would be lost.
        return request.HintsFile is null && request.BaseVersion is not null
            ? source.Hints
            : throw new UsageException(
                $"{source.Description} tells what has changed since a version: name that one as base version, and no hints.");
    }

    private static void CheckRequest(BackupRequest request)
    {
        Names.CheckVolume(request.Volume);
        Names.CheckText("Snapshot", request.Snapshot);
        if (request.Version is not null)
        {
            Names.CheckVersion(request.Version);
        }

        foreach (var (name, value) in request.Labels)
        {
            Names.CheckLabel(name, value);
        }
    }

    private async Task<BackupResult> RunAsync(
        ISource source, HintMap? hints, Lease volume, CancellationToken cancellationToken)
    {
        var (origin, lease, invalid) = await context.Catalog.WriteAsync(
            transaction => ChooseBase(transaction, hints is not null), cancellationToken);
        await using var reading = lease is null ? null : HeldLease.Hold(context.Catalog, lease, context.Time);
        if (origin.Compare is { Status: VersionStatus.Invalid } damaged)
        {
            Log.BaseVersionInvalid(context.Logger, damaged.Name);
        }

        var age = await context.Stores.OpenForChangeAsync(origin.Storage, cancellationToken);
        await using var publication = new BackupPublication(context, volume);
        await publication.BeginAsync(request.Volume, request.Version, origin.Storage, cancellationToken);
        if (hints is not null && origin.Content is { } content)
        {
            invalid = await new DoubtScrub(context, age.Store, publication.Run).RunAsync(content, invalid, cancellationToken);
        }

        var plan = new BackupPlan(context, age.Store, source, hints, origin, progress);
        var build = new BackupBuild(context, age.Store, source, plan, invalid, publication.Run, progress);
        var version = await build.RunAsync(request.Snapshot, request.Labels, publication, cancellationToken);
        version = await new WatchedPublication(context, age, publication).RunAsync(version, invalid);
        Log.VersionPublished(
            context.Logger,
            version.Version.Name,
            version.Version.Statistics!.BytesRead,
            version.Version.Statistics.BytesStored);
        return version;
    }

    // The base is chosen and claimed in one transaction, so that it cannot be removed in between.
    private (BackupBase Base, Lease? Lease, IReadOnlySet<BlockId> Invalid) ChooseBase(
        ICatalogTransaction transaction, bool hasHints)
    {
        var origin = BackupBase.Choose(
            transaction, request, hasHints, context.Settings.BlockSize, context.Stores.Names[0]);
        var lease = origin.Compare is null
            ? null
            : HeldLease.AcquireIn(
                transaction,
                LeaseResource.Version(origin.Compare.Id),
                LeaseMode.Shared,
                $"backup of {request.Volume} on {origin.Compare.Name}");
        return (origin, lease, transaction.BlockReferences.ListInvalid().ToHashSet());
    }
}
