using Benji.Store.Blocks;
using Benji.Store.Catalogs;
using Benji.Store.Model;
using Benji.Store.Operations.Running;

namespace Benji.Store.Operations.Reading;

/// <summary>Checks that everything a version needs is in the storage; a deep scrub also reads, opens and verifies it.</summary>
/// <remarks>Each distinct block once. Damaged blocks are marked, with every version that uses them; a clean deep scrub of
/// all blocks makes the version valid again. Straight path: docs/house.md, section 7.</remarks>
internal sealed class ScrubOperation(StoreContext context, ScrubRequest request, IOperationProgress progress)
{
    /// <summary>Checks the version.</summary>
    /// <exception cref="NotFoundException">There is no such version.</exception>
    /// <exception cref="UsageException">An option is out of its range or does not fit.</exception>
    public async Task<ScrubResult> RunAsync(CancellationToken cancellationToken)
    {
        var began = context.Time.GetTimestamp();
        CheckRequest();
        IReadOnlyDictionary<BlockId, int> marks = new Dictionary<BlockId, int>();
        await using var reading = await ReadingHold.TakeAsync(
            context, Find, version => LeaseResource.Version(version.Id), "scrub", cancellationToken);
        return await reading.RunAsync(token => RunAsync(reading, marks, began, token), cancellationToken);

        VersionRecord Find(ICatalogTransaction transaction)
        {
            var invalid = transaction.BlockReferences.Find(transaction.BlockReferences.ListInvalid());
            marks = invalid.OfType<BlockRow>().ToDictionary(row => row.Id, row => row.Marks);
            return VersionResolver.Resolve(transaction, request.Version);
        }
    }

    private async Task<ScrubResult> RunAsync(
        ReadingHold reading, IReadOnlyDictionary<BlockId, int> marks, long began, CancellationToken cancellationToken)
    {
        var version = reading.Version;
        var store = await context.Stores.OpenForReadingAsync(version.Storage, cancellationToken);
        await new PageScrub(context, store, version).RunAsync(request.IsDeep, progress, cancellationToken);
        var ledger = new DamageLedger(version.Geometry);
        var blocks = new BlockScrub(context, store, version, ledger, request, progress);
        await blocks.RunAsync(cancellationToken);
        var differences = request.Source is null
            ? []
            : await new SourceComparison(context, store, version, progress).RunAsync(request.Source, cancellationToken);
        if (ledger.Blocks.Count > 0)
        {
            await reading.RequireAsync(cancellationToken);
        }

        var damage = ledger.Blocks.Count == 0
            ? []
            : await DamageReport.MakeAsync(StorePages.OpenMap(context, store, version), ledger, cancellationToken);
        var invalidated = await MarkAsync(store, version, ledger, cancellationToken);
        version = await RevalidateAsync(store, version, blocks, ledger, marks, cancellationToken);
        return new ScrubResult(
            version,
            blocks.BlocksChecked,
            blocks.BytesChecked,
            damage,
            differences,
            [.. invalidated.Where(other => other.Id != version.Id).Select(other => other.Name)],
            context.Time.GetElapsedTime(began));
    }

    private void CheckRequest()
    {
        if (request.BlockPercentage is < 1 or > 100)
        {
            throw new UsageException($"Block percentage {request.BlockPercentage} is not between 1 and 100.");
        }

        if (request.Source is not null && !request.IsDeep)
        {
            throw new UsageException("A source can be compared in a deep scrub only.");
        }
    }

    private async Task<IReadOnlyList<VersionRecord>> MarkAsync(
        OpenedStore store, VersionRecord version, DamageLedger ledger, CancellationToken cancellationToken)
    {
        foreach (var id in ledger.Blocks)
        {
            Log.BlockDamaged(context.Logger, id, version.Name, ledger.ReasonOf(id));
        }

        return ledger.Blocks.Count == 0
            ? []
            : await new DamageMarking(context, store).TryMarkAsync(version, ledger, cancellationToken);
    }

    // Blocks that were marked and now verified are sound again; the version is when all of its blocks were verified.
    private async Task<VersionRecord> RevalidateAsync(
        OpenedStore store,
        VersionRecord version,
        BlockScrub blocks,
        DamageLedger ledger,
        IReadOnlyDictionary<BlockId, int> marks,
        CancellationToken cancellationToken)
    {
        var now = await context.Catalog.ReadAsync(
            transaction => transaction.Versions.Find(version.Id), cancellationToken) ?? version;
        if (!request.IsDeep || request.BlockPercentage < 100)
        {
            return now;
        }

        var verified = await blocks.FindVerifiedAsync([.. marks.Keys], cancellationToken);
        var status = ledger.Blocks.Count == 0 ? VersionStatus.Valid : VersionStatus.Invalid;

        // When damage that was found is not recorded, that was said before.
        var isDamageUnrecorded = ledger.Blocks.Count > 0 && now.Status == VersionStatus.Valid;
        return isDamageUnrecorded || (verified.Count == 0 && now.Status == status)
            ? now
            : await new Recording(context).TryAsync(
                $"The state of {version.Name}", now, () => RecordAsync(store, now, ledger, verified, marks, cancellationToken));
    }

    private async Task<VersionRecord> RecordAsync(
        OpenedStore store,
        VersionRecord version,
        DamageLedger ledger,
        IReadOnlyList<BlockId> verified,
        IReadOnlyDictionary<BlockId, int> marks,
        CancellationToken cancellationToken)
    {
        if (!await context.Stores.MayMendAsync(store.Name, cancellationToken))
        {
            return version;
        }

        if (verified.Count > 0)
        {
            await new Revalidation(context, store, ledger).RunAsync(verified, marks, cancellationToken);
        }

        var status = ledger.Blocks.Count == 0 ? VersionStatus.Valid : VersionStatus.Invalid;
        var after = await new DamageMarking(context, store).SetStatusAsync(version.Id, status, cancellationToken);
        if (version.Status == VersionStatus.Invalid && after.Status == VersionStatus.Valid)
        {
            Log.VersionValidated(context.Logger, version.Name);
        }

        return after;
    }
}
