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
        var (version, lease, marks) = await context.Catalog.WriteAsync(Claim, cancellationToken);
        await using var reading = HeldLease.Hold(context.Catalog, lease, context.Time);
        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, reading.Lost);
        var store = await context.Stores.OpenForReadingAsync(version.Storage, stopping.Token);

        await new PageScrub(context, store, version).RunAsync(request.IsDeep, progress, stopping.Token);
        var ledger = new DamageLedger(version.Geometry);
        var blocks = new BlockScrub(context, store, version, ledger, request, progress);
        await blocks.RunAsync(stopping.Token);
        var differences = request.Source is null
            ? []
            : await new SourceComparison(context, store, version, progress).RunAsync(request.Source, stopping.Token);

        var damage = ledger.Blocks.Count == 0
            ? []
            : await DamageReport.MakeAsync(StorePages.OpenMap(context, store, version), ledger, stopping.Token);
        var invalidated = await Findings.RecordAsync(
            context, version.Name, [], () => MarkAsync(store, version, ledger, stopping.Token));
        version = await Findings.RecordAsync(
            context, version.Name, version, () => RevalidateAsync(store, version, blocks, ledger, marks, stopping.Token));
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

    private (VersionRecord Version, Lease Lease, IReadOnlyDictionary<BlockId, int> Marks) Claim(
        ICatalogTransaction transaction)
    {
        var version = VersionResolver.Resolve(transaction, request.Version);
        var lease = HeldLease.AcquireIn(
            transaction, LeaseResource.Version(version.Id), LeaseMode.Shared, $"scrub of {version.Name}");
        var invalid = transaction.BlockReferences.Find(transaction.BlockReferences.ListInvalid());
        return (version, lease, invalid.OfType<BlockRow>().ToDictionary(row => row.Id, row => row.Marks));
    }

    private async Task<IReadOnlyList<VersionRecord>> MarkAsync(
        OpenedStore store, VersionRecord version, DamageLedger ledger, CancellationToken cancellationToken)
    {
        foreach (var id in ledger.Blocks)
        {
            Log.BlockDamaged(context.Logger, id, version.Name, ledger.ReasonOf(id));
        }

        return ledger.Blocks.Count == 0 || !await context.Stores.MayMendAsync(store.Name, cancellationToken)
            ? []
            : await new DamageMarking(context, store).MarkAsync(ledger, cancellationToken);
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
        if (!request.IsDeep || request.BlockPercentage < 100
            || !await context.Stores.MayMendAsync(store.Name, cancellationToken))
        {
            return await context.Catalog.ReadAsync(
                transaction => transaction.Versions.Find(version.Id), cancellationToken) ?? version;
        }

        var verified = await blocks.FindVerifiedAsync([.. marks.Keys], cancellationToken);
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
