using Benji.Store.Blocks;
using Benji.Store.Blocks.Age;
using Benji.Store.Catalogs;
using Benji.Store.Model;
using Benji.Store.Operations.Running;

namespace Benji.Store.Operations.Removal;

/// <summary>Removes versions; their blocks go in a later cleanup.</summary>
/// <remarks>All names are resolved and all rules checked before the first version goes. Where it fails the log says which
/// removals are pending, and which did not begin. For one run only. Format: docs/format.md, "Order of writes".</remarks>
internal sealed class RemoveOperation(StoreContext context)
{
    private const int OverlaysShownMax = 5;

    // Versions that are gone or whose removal is pending, in the order of the request.
    private int _begun;

    /// <summary>Removes the versions.</summary>
    /// <exception cref="NotAllowedException">One is protected, or too young without force; nothing was removed.</exception>
    /// <exception cref="InUseException">One is being read or has overlays; versions before it in the list are gone.</exception>
    /// <exception cref="AgeMismatchException">Catalog and storage are not of the same age.</exception>
    public async Task<RemoveResult> RunAsync(RemoveRequest request, CancellationToken cancellationToken)
    {
        var versions = await context.Catalog.ReadAsync(
            transaction => request.Versions
                .Select(text => VersionResolver.Resolve(transaction, text))
                .DistinctBy(version => version.Id)
                .ToList(),
            cancellationToken);
        foreach (var version in versions)
        {
            CheckRules(version, request.Force);
        }

        try
        {
            foreach (var version in versions)
            {
                await RemoveAsync(version, request.Force, cancellationToken);
                Log.VersionRemoved(context.Logger, version.Name);
            }
        }
        catch (Exception failure)
            when (failure is StorageException or ConfigurationException or CatalogException && _begun < versions.Count)
        {
            Log.VersionsStay(context.Logger, string.Join(", ", versions.Skip(_begun).Select(version => version.Name)));
            throw;
        }

        return new RemoveResult(versions);
    }

    private void CheckRules(VersionRecord version, bool force)
    {
        if (version.IsProtected)
        {
            throw new NotAllowedException(
                $"Version {version.Name} is protected; 'benji unprotect {version.Name}' allows its removal.");
        }

        var age = context.Time.GetUtcNow() - version.Date;
        age = age > TimeSpan.Zero ? age : TimeSpan.Zero; // a clock that was ahead dated it: from now on it ages
        if (!force && age < context.Settings.DisallowRemoveWhenYounger)
        {
            throw new NotAllowedException(
                $"Version {version.Name} is {age.TotalDays:0.0} days old and removal is allowed from " +
                $"{context.Settings.DisallowRemoveWhenYounger.TotalDays:0.##} days on; --force removes it all the same.");
        }
    }

    private async Task RemoveAsync(VersionRecord version, bool force, CancellationToken cancellationToken)
    {
        var age = await context.Stores.OpenForChangeAsync(version.Storage, cancellationToken);
        var (lease, intent) = await context.Catalog.WriteAsync(
            transaction => Begin(transaction, version, force), cancellationToken);
        await using var held = HeldLease.Hold(context.Catalog, lease, context.Time);
        _begun++;

        // The intent is recorded: from here the removal is finished, by this run or the next command, and never undone.
        try
        {
            await new ManifestStore(age.Store).DeleteAsync(version.Name, version.Id, CancellationToken.None);
            await age.PutAsync(intent.Mark!.Value, CancellationToken.None);
            await context.Catalog.WriteAsync(
                transaction =>
                {
                    IntentLedger.Remove(transaction, intent, context.Time.GetUtcNow());
                    return true;
                },
                CancellationToken.None);
        }
        catch (BenjiException)
        {
            Log.RemovalPending(context.Logger, version.Name, version.Storage);
            throw;
        }
    }

    private (Lease Lease, Intent Intent) Begin(ICatalogTransaction transaction, VersionRecord version, bool force)
    {
        var current = transaction.Versions.Find(version.Id)
            ?? throw new NotFoundException($"Version {version.Name} was removed meanwhile.");
        CheckRules(current, force);
        var overlays = transaction.Overlays.List(version.Id);
        if (overlays.Count > 0)
        {
            var names = string.Join(", ", overlays.Take(OverlaysShownMax).Select(overlay => $"{version.Name}@{overlay.Name}"));
            var more = overlays.Count > OverlaysShownMax ? $" and {overlays.Count - OverlaysShownMax} more" : "";
            throw new InUseException(
                $"Version {version.Name} is the base of overlays: {names}{more}; 'benji promote' or 'benji overlay rm' ends them.");
        }

        var lease = HeldLease.AcquireIn(
            transaction, LeaseResource.Version(version.Id), LeaseMode.Exclusive, $"removal of {version.Name}");
        var now = context.Time.GetUtcNow();
        var (mark, over) = AgeLedger.Begin(transaction, version.Storage, now);
        var intent = new Intent(IntentKind.Remove, version.Id, version.Name, version.Storage, lease.Fencing, now)
        {
            Mark = mark,
            Over = over,
        };
        transaction.Intents.Put(intent);
        return (lease, intent);
    }
}
