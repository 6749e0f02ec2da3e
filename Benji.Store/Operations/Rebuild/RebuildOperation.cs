using Benji.Store.Blocks;
using Benji.Store.Blocks.Maps;
using Benji.Store.Catalogs;
using Benji.Store.Images.Overlays.Files;
using Benji.Store.Model;
using Benji.Store.Operations.Running;
using Benji.Store.Storages;
using Microsoft.Extensions.Logging;

namespace Benji.Store.Operations.Rebuild;

/// <summary>Fills an empty catalog from what the storages hold: manifests, map pages, the headers of blocks.</summary>
/// <remarks><para>What is needed is recorded; what lies there unneeded gets no row, and the next cleanup finds it. A
/// fault is a line of the result and makes the versions that it concerns invalid; it does not end the rebuild. A
/// storage that fails does.</para>
/// <para>Not in the storages, and so taken from the old catalog when that can be read: which blocks are known to be
/// damaged. Without it, the blocks of versions that their manifests call invalid are verified. Overlays come from the old
/// catalog and from their own files.</para>
/// <para>Each storage is taken over: no other catalog may work there from here on. For one run only.</para></remarks>
/// <param name="target">The empty catalog.</param>
/// <param name="old">What the catalog that it replaces knew, or null when there is none or it cannot be read.</param>
/// <param name="stores">The stores.</param>
/// <param name="overlayFiles">The directory of overlay files.</param>
/// <param name="time">The clock.</param>
/// <param name="progress">Where it says how far it is.</param>
/// <param name="claims">What takes each of the stores over, when that is prepared already.</param>
internal sealed class RebuildOperation(
    ICatalog target,
    CatalogRemains? old,
    IReadOnlyList<OpenedStore> stores,
    OverlayDirectory overlayFiles,
    TimeProvider time,
    IOperationProgress progress,
    IReadOnlyList<StorageClaim>? claims = null)
{
    private const int VersionsMax = 200;

    private readonly RebuildProblems _problems = new();
    private readonly List<StorageClaim> _claims = [.. claims ?? stores.Select(store => new StorageClaim(store))];

    /// <summary>Fills the catalog.</summary>
    /// <returns>What it did; null when another process worked in a storage meanwhile, so that the catalog is of no use.</returns>
    /// <exception cref="StorageException">A storage failed.</exception>
    public async Task<RebuildResult?> RunAsync(CancellationToken cancellationToken)
    {
        var began = time.GetTimestamp();
        foreach (var claim in _claims)
        {
            await claim.BeginAsync(cancellationToken);
        }

        var known = new HashSet<VersionName>();
        var adopted = new Dictionary<Guid, VersionRecord>();
        var blocks = 0L;
        foreach (var store in stores)
        {
            progress.StartStage("manifests", null, ProgressUnit.Items);
            var found = await ReadManifestsAsync(store, cancellationToken);
            var versions = found.Where(version => IsNew(version, known, adopted)).ToList();
            blocks += await AdoptAsync(store, versions, adopted, cancellationToken);
        }

        var overlays = await new RebuildOverlays(target, old, stores, overlayFiles, _problems)
            .AdoptAsync(adopted, cancellationToken);
        return await TrySettleAsync(cancellationToken)
            ? new RebuildResult(adopted.Count, blocks, overlays, _problems.List(), time.GetElapsedTime(began))
            : null;
    }

    /// <summary>Deletes age marks: this rebuild's own, when it comes to nothing, or those of the catalogs before, when the new
    /// catalog is in its place.</summary>
    /// <remarks>Where that fails, the log says so: the next cleanup deletes them.</remarks>
    public async Task DeleteMarksAsync(bool areOwn, ILogger logger)
    {
        foreach (var claim in _claims)
        {
            try
            {
                await claim.DeleteAsync(areOwn, CancellationToken.None);
            }
            catch (StorageException failure)
            {
                Log.AgeMarksStay(logger, claim.Store.Name, failure);
            }
        }
    }

    private async Task<bool> TrySettleAsync(CancellationToken cancellationToken)
    {
        foreach (var claim in _claims)
        {
            if (!await claim.TrySettleAsync(cancellationToken))
            {
                return false;
            }

            if (claim.Failure is { } failure)
            {
                _problems.Add(
                    $"Storage {claim.Store.Name} cannot be written and was not taken over; no other catalog may be used with it: {failure}");
            }
        }

        return await WriteAsync(
            transaction => _claims.ForEach(claim => claim.Record(transaction, time.GetUtcNow())), cancellationToken);
    }

    private async Task<List<VersionRecord>> ReadManifestsAsync(
        OpenedStore store, CancellationToken cancellationToken)
    {
        var manifests = new ManifestStore(store);
        var found = new List<VersionRecord>();
        await foreach (var (item, name) in manifests.ListObjectsAsync(cancellationToken))
        {
            if (name is null)
            {
                AddStranger(store, item);
                continue;
            }

            try
            {
                if (await manifests.FindAsync(name, cancellationToken) is { } version)
                {
                    found.Add(version);
                }
            }
            catch (Exception fault) when (fault is CorruptDataException or ConfigurationException)
            {
                _problems.Add(
                    $"The manifest of version {name} in storage {store.Name} cannot be read: {fault.Message}");
            }

            progress.Advance(1);
        }

        await foreach (var stranger in manifests.ListStrangersAsync(cancellationToken))
        {
            AddStranger(store, stranger);
        }

        return [.. found.OrderBy(version => version.Date).ThenBy(version => version.Id)];
    }

    private void AddStranger(OpenedStore store, ObjectName name) => _problems.Add(
        $"{name} in storage {store.Name} is not a manifest and was passed over; what it holds is not in the catalog.");

    private bool IsNew(VersionRecord version, HashSet<VersionName> known, Dictionary<Guid, VersionRecord> adopted)
    {
        if (!adopted.ContainsKey(version.Id) && known.Add(version.Name))
        {
            return true;
        }

        _problems.Add(
            $"Version {version.Name} in storage {version.Storage} is left out: " +
            "another storage holds one of its name or id.");
        return false;
    }

    private async Task<long> AdoptAsync(
        OpenedStore store,
        List<VersionRecord> versions,
        Dictionary<Guid, VersionRecord> adopted,
        CancellationToken cancellationToken)
    {
        var pages = new RebuildPages(store, target, time, _problems);
        using var blocks = new RebuildBlocks(store, target, time, _problems, progress);
        progress.StartStage("blocks", null, ProgressUnit.Items);
        var hasFaults = await AdoptBlocksAsync(versions, pages, blocks, cancellationToken);
        hasFaults |= await MarkDamageAsync(store, versions, pages, cancellationToken);
        hasFaults |= blocks.HasLoans
            && await new RebuildBorrowers(store, target, _problems).MarkAsync(cancellationToken) > 0;
        progress.StartStage("versions", versions.Count, ProgressUnit.Items);
        var faults = hasFaults ? new RebuildFaults(store, pages, target, time, _problems) : null;
        foreach (var batch in versions.Chunk(VersionsMax))
        {
            for (var i = 0; i < batch.Length; i++)
            {
                if (faults is not null && await faults.ConcernAsync(batch[i], cancellationToken))
                {
                    batch[i] = batch[i] with { Status = VersionStatus.Invalid };
                }

                adopted.Add(batch[i].Id, batch[i]);
            }

            await WriteAsync(transaction => Array.ForEach(batch, transaction.Versions.Add), cancellationToken);
            progress.Advance(batch.Length);
        }

        return blocks.Recorded;
    }

    // True when something is missing or damaged.
    private static async Task<bool> AdoptBlocksAsync(
        List<VersionRecord> versions, RebuildPages pages, RebuildBlocks blocks, CancellationToken cancellationToken)
    {
        var isComplete = true;
        var marker = new MapMarker(
            [.. versions.Select(version => new MarkRoot(pages, version.Root, version.Geometry.Levels - 1))],
            new MarkSets());
        await marker.MarkAsync(
            null,
            async (range, needed) => isComplete &=
                await blocks.AdoptAsync(range, needed, cancellationToken) == needed.Count,
            cancellationToken);
        await blocks.AdoptLendersAsync(cancellationToken);
        return !isComplete || blocks.HasFaults || pages.HasFaults;
    }

    // True when a block is damaged in a way that its header does not show.
    private async Task<bool> MarkDamageAsync(
        OpenedStore store, List<VersionRecord> versions, RebuildPages pages, CancellationToken cancellationToken)
    {
        if (old is null)
        {
            progress.StartStage("verifying", null, ProgressUnit.Bytes);
            var invalid = versions.Where(version => version.Status == VersionStatus.Invalid).ToList();
            return await new RebuildDamage(store, pages, target, progress).MarkAsync(invalid, cancellationToken) > 0;
        }

        await WriteAsync(
            transaction => transaction.BlockReferences.SetInvalid(old.InvalidBlocks, isInvalid: true),
            cancellationToken);
        return old.InvalidBlocks.Count > 0;
    }

    private Task<bool> WriteAsync(Action<ICatalogTransaction> work, CancellationToken cancellationToken) =>
        target.WriteAsync(
            transaction =>
            {
                work(transaction);
                return true;
            },
            cancellationToken);
}
