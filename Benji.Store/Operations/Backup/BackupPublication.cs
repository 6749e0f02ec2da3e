using Benji.Store.Blocks;
using Benji.Store.Blocks.Age;
using Benji.Store.Catalogs;
using Benji.Store.Model;
using Benji.Store.Operations.Running;

namespace Benji.Store.Operations.Backup;

/// <summary>The life of a version before it is one: the intent with its name and date, then the manifest and its age mark, then
/// the catalog.</summary>
/// <remarks>Disposing it forgets the intent of a run that ended before the manifest. Format: docs/format.md, "Order of writes",
/// "Age".</remarks>
/// <param name="context">The store.</param>
/// <param name="volumeLease">The claim on the volume; without it nothing is published.</param>
/// <param name="overlay">The overlay that becomes the version, and ends in the same transaction; null for none.</param>
internal sealed class BackupPublication(StoreContext context, Lease volumeLease, PromotedOverlay? overlay = null)
    : IAsyncDisposable
{
    // A storage that takes longer than a look stays recent is published to all the same.
    private const int LooksMax = 3;

    private static readonly TimeSpan BentMin = TimeSpan.FromMinutes(1);

    private readonly DateTimeOffset _began = context.Time.GetUtcNow();
    private Intent? _intent;
    private DateTimeOffset _date;

    // From the manifest on the version is finished, or taken back, by whoever holds the intent.
    private bool _isDecided;

    private enum Outcome
    {
        Published,
        LeaseLost,
        LookTooOld,
        StatusOutdated,
    }

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
        var now = context.Time.GetUtcNow();
        _intent = await context.Catalog.WriteAsync(
            transaction =>
            {
                (var name, _date) = NewVersion.Choose(transaction, volume, version, now);
                var intent = new Intent(
                    IntentKind.Publish, Id, name, storage, volumeLease.Fencing, _began, overlay?.Id);
                transaction.Intents.Put(intent);
                return intent;
            },
            cancellationToken);
        if (_date - now > BentMin)
        {
            Log.DateBent(context.Logger, Name, _date, now);
        }
    }

    /// <summary>Makes the version visible; from the manifest on it is finished by whoever comes next.</summary>
    /// <param name="version">The version.</param>
    /// <param name="age">Its storage.</param>
    /// <param name="isOutdated">Asked in the transaction that publishes: true when the version's status must be decided
    /// again.</param>
    /// <returns>False when it must: then nothing is visible, and this is to be called again.</returns>
    /// <exception cref="AgeMismatchException">Catalog and storage are not of the same age; the manifest is taken
    /// back.</exception>
    /// <exception cref="LeaseLostException">The volume's lease was superseded; the manifest is taken back.</exception>
    /// <exception cref="StorageException">The storage failed; the next command finishes it or takes it back.</exception>
    public async Task<bool> PublishAsync(
        VersionRecord version, AgeWatch age, Func<ICatalogTransaction, bool> isOutdated)
    {
        if (!_isDecided)
        {
            _intent = await context.Catalog.WriteAsync(ClaimMark, CancellationToken.None);
            _isDecided = true;
        }

        var intent = _intent!;
        if (!await new ManifestStore(age.Store).TryAddAsync(version, CancellationToken.None))
        {
            await TakeBackAsync(intent, age);
            throw ForeignManifest.Refusal(age.Store, version.Name, "Nothing was published.");
        }

        await age.PutAsync(intent.Mark!.Value, CancellationToken.None);
        var outcome = Outcome.LookTooOld;
        for (var looks = 1; outcome == Outcome.LookTooOld; looks++)
        {
            if (await age.FindMismatchAsync(CancellationToken.None) is { } mismatch)
            {
                await TakeBackAsync(intent, age);
                throw new AgeMismatchException(
                    mismatch.Describe(age.Store, $"Version {version.Name} was not published."));
            }

            var isLast = looks == LooksMax;
            outcome = await context.Catalog.WriteAsync(
                transaction => Publish(transaction, version, intent, isLast || age.IsRecent, isOutdated),
                CancellationToken.None);
        }

        if (outcome == Outcome.LeaseLost)
        {
            await TakeBackAsync(intent, age);
            throw LeaseLost(version.Name);
        }

        if (outcome == Outcome.StatusOutdated)
        {
            return false;
        }

        await DeleteOldMarksAsync(age);
        return true;
    }

    /// <summary>Forgets the intent of a run that ended before it wrote the manifest.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_intent is not { } intent || _isDecided)
        {
            return;
        }

        try
        {
            await context.Catalog.WriteAsync(transaction => Forget(transaction, intent), CancellationToken.None);
        }
        catch (CatalogException failure)
        {
            // What failed before is worth more than that the intent stays: the next command forgets it.
            Log.IntentStays(context.Logger, intent.Name, failure);
        }
    }

    private Intent ClaimMark(ICatalogTransaction transaction)
    {
        // While the leases are held nobody takes this run for dead, so the intent is there.
        if (!AreLeasesHeld(transaction))
        {
            throw LeaseLost(Name);
        }

        var (mark, over) = AgeLedger.Begin(transaction, _intent!.Storage, context.Time.GetUtcNow());
        var intent = _intent with { Mark = mark, Over = over };
        transaction.Intents.Put(intent);
        return intent;
    }

    private Outcome Publish(
        ICatalogTransaction transaction,
        VersionRecord version,
        Intent intent,
        bool isLookRecent,
        Func<ICatalogTransaction, bool> isOutdated)
    {
        if (!AreLeasesHeld(transaction))
        {
            return Outcome.LeaseLost;
        }

        if (!isLookRecent)
        {
            return Outcome.LookTooOld;
        }

        if (isOutdated(transaction))
        {
            return Outcome.StatusOutdated;
        }

        IntentLedger.Publish(transaction, intent, version, context.Time.GetUtcNow());
        return Outcome.Published;
    }

    private bool AreLeasesHeld(ICatalogTransaction transaction) =>
        transaction.Leases.IsHeld(volumeLease) && (overlay is null || transaction.Leases.IsHeld(overlay.Lease));

    private LeaseLostException LeaseLost(VersionName name) => new(
        $"Version {name} was not published: this run was taken for dead and lost its claim on the " +
        (overlay is null ? "volume." : "volume or the overlay."));

    // Under the version's lease, as whoever took this run for dead may be finishing its intent: then it is theirs.
    private async Task TakeBackAsync(Intent intent, AgeWatch age)
    {
        try
        {
            var lease = await context.Catalog.WriteAsync(
                transaction => TryReclaim(transaction, intent), CancellationToken.None);
            if (lease is null)
            {
                return;
            }

            await using var held = HeldLease.Hold(context.Catalog, lease, context.Time);
            await new ManifestStore(age.Store).DeleteAsync(intent.Name, intent.VersionId, CancellationToken.None);
            await age.DeleteAsync([intent.Mark!.Value], CancellationToken.None);
            await context.Catalog.WriteAsync(transaction => Forget(transaction, intent), CancellationToken.None);
        }
        catch (Exception failure) when (failure is StorageException or CatalogException)
        {
            // Why it is taken back is worth more: the next command that can goes on with it.
            Log.IntentStays(context.Logger, intent.Name, failure);
        }
    }

    // Somebody may have forgotten the intent before the manifest was there; while its name is free it is taken again.
    private static Lease? TryReclaim(ICatalogTransaction transaction, Intent intent)
    {
        var isThere = transaction.Intents.List().Any(intent.IsSame);
        if ((!isThere && !NewVersion.IsFree(transaction, intent.Name))
            || !transaction.Leases.TryAcquire(
                LeaseResource.Version(intent.VersionId),
                LeaseMode.Exclusive,
                $"withdrawal of {intent.Name}",
                out var lease,
                out _))
        {
            return null;
        }

        transaction.Intents.Put(intent);
        return lease;
    }

    private bool Forget(ICatalogTransaction transaction, Intent intent)
    {
        IntentLedger.Forget(transaction, intent, context.Time.GetUtcNow());
        return true;
    }

    // The version is there, whatever becomes of them.
    private async Task DeleteOldMarksAsync(AgeWatch age)
    {
        try
        {
            if (await context.Catalog.ReadAsync(
                transaction => AgeLedger.HasManyOld(transaction, age.Store.Name), CancellationToken.None))
            {
                await age.DeleteOldAsync(CancellationToken.None);
            }
        }
        catch (Exception failure) when (failure is StorageException or CatalogException)
        {
            Log.AgeMarksStay(context.Logger, age.Store.Name, failure);
        }
    }
}

/// <summary>The overlay that a publication turns into a version.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Lease">The claim on it; without it nothing is published.</param>
internal sealed record PromotedOverlay(Guid Id, Lease Lease);
