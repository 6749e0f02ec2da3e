using System.Globalization;
using Benji.Store.Blocks;
using Benji.Store.Catalogs;
using Benji.Store.Model;
using Benji.Store.Operations.Running;

namespace Benji.Store.Operations.Backup;

/// <summary>The life of a version before it is one: the intent with its name and date, then the manifest, then the catalog.</summary>
/// <remarks>Format: docs/format.md, "Order of writes".</remarks>
/// <param name="context">The store.</param>
/// <param name="volumeLease">The claim on the volume; without it nothing is published.</param>
/// <param name="overlay">The overlay that becomes the version, and ends in the same transaction; null for none.</param>
internal sealed class BackupPublication(StoreContext context, Lease volumeLease, PromotedOverlay? overlay = null)
{
    private const string NameFormat = "yyyyMMdd'T'HHmmss'Z'";

    private readonly DateTimeOffset _began = context.Time.GetUtcNow();
    private Intent? _intent;
    private DateTimeOffset _date;

    /// <summary>The new version's random id.</summary>
    public Guid Id { get; } = Guid.NewGuid();

    /// <summary>The run that makes it.</summary>
    public StoringRun Run => new(volumeLease.Fencing, _began);

    /// <summary>The new version's name.</summary>
    public VersionName Name => _intent?.Name ?? throw new InvalidOperationException("No intent was recorded yet.");

    /// <summary>The new version's date.</summary>
    public DateTimeOffset Date => _date;

    /// <summary>Chooses name and date and records the intent.</summary>
    /// <exception cref="AlreadyExistsException">The name is taken.</exception>
    public async Task BeginAsync(string volume, string? version, string storage, CancellationToken cancellationToken)
    {
        var name = await context.Catalog.WriteAsync(
            transaction =>
            {
                _date = ChooseDate(transaction, volume);
                var chosen = version is null
                    ? ChooseName(transaction, volume)
                    : CheckFree(transaction, new VersionName(volume, version));
                transaction.Intents.Put(Describe(chosen, storage));
                return chosen;
            },
            cancellationToken);
        _intent = Describe(name, storage);
    }

    /// <summary>Makes the version visible; from the manifest on it is finished by whoever comes next.</summary>
    /// <param name="version">The version.</param>
    /// <param name="store">Its store.</param>
    /// <param name="isOutdated">Asked in the transaction that publishes: true when the version's status must be decided
    /// again.</param>
    /// <returns>False when it must: then nothing is visible, and the manifest is there.</returns>
    /// <exception cref="LeaseLostException">The volume's lease was superseded; the manifest is taken back.</exception>
    public async Task<bool> PublishAsync(
        VersionRecord version, OpenedStore store, Func<ICatalogTransaction, bool> isOutdated)
    {
        var manifests = new ManifestStore(store);
        await manifests.PutAsync(version, CancellationToken.None);
        var isPublished = await context.Catalog.WriteAsync<bool?>(
            transaction =>
            {
                if (!transaction.Leases.IsHeld(volumeLease)
                    || (overlay is not null && !transaction.Leases.IsHeld(overlay.Lease)))
                {
                    return false;
                }

                if (isOutdated(transaction))
                {
                    return null;
                }

                if (overlay is not null)
                {
                    Invariant.Holds(transaction.Overlays.Remove(overlay.Id));
                }

                transaction.Versions.Add(version);
                transaction.Intents.Remove(version.Id);
                return true;
            },
            CancellationToken.None);
        if (isPublished == false)
        {
            await manifests.DeleteAsync(version.Name, CancellationToken.None);
            throw new LeaseLostException(
                $"Version {version.Name} was not published: this run was taken for dead and lost its claim on the " +
                (overlay is null ? "volume." : "volume or the overlay."));
        }

        return isPublished is not null;
    }

    /// <summary>Forgets the intent of a run that failed before it wrote the manifest.</summary>
    public async Task AbandonAsync() =>
        await context.Catalog.WriteAsync(
            transaction =>
            {
                transaction.Intents.Remove(Id);
                return true;
            },
            CancellationToken.None);

    private Intent Describe(VersionName name, string storage) => new(
        IntentKind.Publish, Id, name, storage, volumeLease.Fencing, _began, overlay?.Id);

    // A clock that steps back neither collides nor reorders: the new date is behind the newest by a second at least.
    private DateTimeOffset ChooseDate(ICatalogTransaction transaction, string volume)
    {
        var now = context.Time.GetUtcNow();
        now = now.AddTicks(-(now.Ticks % TimeSpan.TicksPerMicrosecond));
        var newest = transaction.Versions.FindLatest(volume, status: null)?.Date;
        return newest is { } date && now < date.AddSeconds(1) ? date.AddSeconds(1) : now;
    }

    private VersionName ChooseName(ICatalogTransaction transaction, string volume)
    {
        while (true)
        {
            var name = new VersionName(volume, _date.UtcDateTime.ToString(NameFormat, CultureInfo.InvariantCulture));
            if (IsFree(transaction, name))
            {
                return name;
            }

            _date = _date.AddSeconds(1);
        }
    }

    private static VersionName CheckFree(ICatalogTransaction transaction, VersionName name) =>
        IsFree(transaction, name)
            ? name
            : throw new AlreadyExistsException($"Version {name} exists already; choose another name.");

    private static bool IsFree(ICatalogTransaction transaction, VersionName name) =>
        transaction.Versions.Find(name) is null && transaction.Intents.List().All(intent => intent.Name != name);
}

/// <summary>The overlay that a publication turns into a version.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Lease">The claim on it; without it nothing is published.</param>
internal sealed record PromotedOverlay(Guid Id, Lease Lease);
