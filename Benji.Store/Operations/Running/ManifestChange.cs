using Benji.Store.Blocks;
using Benji.Store.Catalogs;
using Benji.Store.Model;

namespace Benji.Store.Operations.Running;

/// <summary>Rewrites what a manifest says of a version (labels, protection, status), in the storage, then in the catalog.</summary>
/// <remarks>One writer of a version's manifest at a time, by lease; others wait for it, as a rewrite takes milliseconds.
/// Format: docs/format.md, "Order of writes".</remarks>
internal sealed class ManifestChange(StoreContext context)
{
    private static readonly TimeSpan WaitMax = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan WaitStep = TimeSpan.FromMilliseconds(50);

    /// <summary>Applies a change to the newest revision of a version.</summary>
    /// <param name="id">The version.</param>
    /// <param name="change">Returns the changed record, or the same one to leave everything as it is; pure.</param>
    /// <param name="cancellationToken">Stops before the manifest is written.</param>
    /// <returns>The version as it now is.</returns>
    /// <exception cref="NotFoundException">The version is gone.</exception>
    /// <exception cref="InUseException">It is being removed, or its manifest is being rewritten for too long.</exception>
    /// <exception cref="AgeMismatchException">Catalog and storage are not of the same age.</exception>
    public async Task<VersionRecord> ApplyAsync(
        Guid id, Func<VersionRecord, VersionRecord> change, CancellationToken cancellationToken)
    {
        var purpose = $"a change of version {id:N}";
        await using var reading = await HeldLease.AcquireAsync(
            context.Catalog, context.Time, LeaseResource.Version(id), LeaseMode.Shared, purpose, cancellationToken);
        await using var writing = await AcquirePatientlyAsync(id, purpose, cancellationToken);
        var before = await context.Catalog.ReadAsync(transaction => transaction.Versions.Find(id), cancellationToken)
            ?? throw new NotFoundException($"Version {id:N} was removed meanwhile.");
        var after = change(before);
        if (ReferenceEquals(after, before))
        {
            return before;
        }

        after = after with { Revision = before.Revision + 1 };
        var age = await context.Stores.OpenForChangeAsync(after.Storage, cancellationToken);
        return await age.ChangeAsync(
            _ => { },
            () => PutAsync(after, age.Store),
            transaction =>
            {
                transaction.Versions.Replace(after);
                return after;
            },
            cancellationToken);
    }

    private static async Task PutAsync(VersionRecord version, OpenedStore store)
    {
        if (!await new ManifestStore(store).TryReplaceAsync(version, CancellationToken.None))
        {
            throw ForeignManifest.Refusal(store, version.Name, "Its manifest was not changed.");
        }
    }

    private async Task<HeldLease> AcquirePatientlyAsync(Guid id, string purpose, CancellationToken cancellationToken)
    {
        var notice = new WaitNotice(context);
        for (var began = context.Time.GetTimestamp(); ;)
        {
            try
            {
                return await HeldLease.AcquireAsync(
                    context.Catalog,
                    context.Time,
                    LeaseResource.Manifest(id),
                    LeaseMode.Exclusive,
                    purpose,
                    cancellationToken);
            }
            catch (InUseException holder) when (context.Time.GetElapsedTime(began) < WaitMax)
            {
                notice.Look(holder);
                await Task.Delay(WaitStep, context.Time, cancellationToken);
            }
        }
    }
}
