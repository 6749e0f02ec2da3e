using Benji.Store.Blocks.Maps;
using Benji.Store.Catalogs;
using Benji.Store.Model;

namespace Benji.Store.Operations.Cleanup;

/// <summary>What one pass of a cleanup goes by, read in one transaction: the versions, and what is old enough to
/// go.</summary>
/// <remarks>Versions under a lease of a reader and the bases of overlays are among the versions: neither can be
/// removed. A version that is open as an image can, and is a root until it is closed.</remarks>
internal sealed record CleanupRoots
{
    // Rows made in the moment in which a run began must look newer than the run, whatever the catalog's grain of time.
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(1);

    // Times that are further ahead were stored when the clock was wrong. Less is the haste of a run that began just now.
    private static readonly TimeSpan AheadMin = TimeSpan.FromMinutes(1);

    /// <summary>The clock.</summary>
    public required TimeProvider Time { get; init; }

    /// <summary>When this was read: what a time ahead of the clock counts as.</summary>
    public required DateTimeOffset Now { get; init; }

    /// <summary>The published versions.</summary>
    public required IReadOnlyList<VersionRecord> Versions { get; init; }

    /// <summary>The versions that are open as images, removed ones among them.</summary>
    public required IReadOnlyList<ImageRoot> Images { get; init; }

    /// <summary>What stands unneeded since then or before may go, as far as the grace period is concerned.</summary>
    public required DateTimeOffset GraceEnd { get; init; }

    /// <summary>When the oldest run began that was making a version, of this storage as far as is known, or had died doing
    /// so; null when there was none.</summary>
    public required DateTimeOffset? OldestRun { get; init; }

    /// <summary>True when a run died while it made a version of this storage, and nobody has decided yet whether that
    /// exists.</summary>
    public required bool HasDeadRun { get; init; }

    /// <summary>What was in doubt in the storage; null for one that the catalog is not bound to.</summary>
    public required StorageBinding? Binding { get; init; }

    /// <summary>The reservations in the storage whose runs were dead.</summary>
    public required IReadOnlyList<Guid> DeadReservations { get; init; }

    /// <summary>Reads them, for the cleanup of one storage.</summary>
    /// <exception cref="CatalogException">An overlay stands on a version that is not there, or a newer program has an image
    /// open.</exception>
    public static CleanupRoots Read(
        ICatalogTransaction transaction, string storage, TimeProvider time, TimeSpan grace)
    {
        var now = time.GetUtcNow();
        var versions = transaction.Versions.List(volume: null);
        var known = versions.Select(version => version.Id).ToHashSet();
        foreach (var overlay in transaction.Overlays.List(baseId: null))
        {
            if (!known.Contains(overlay.BaseId))
            {
                throw new CatalogException(
                    $"Overlay {overlay.BaseName}@{overlay.Name} stands on a version that the catalog does not hold; " +
                    "a cleanup could delete its blocks. 'benji rebuild --force' makes the catalog anew.");
            }
        }

        var intents = Publications(transaction).Where(intent => intent.Storage == storage).ToList();
        var runs = Runs(transaction, intents);
        var living = transaction.Leases.List("").Select(lease => lease.Fencing).ToHashSet();
        return new CleanupRoots
        {
            Time = time,
            Now = now,
            Versions = versions,
            Images = [.. transaction.Leases.List(LeaseResource.ImagePrefix).Select(lease => ImageRoot.Parse(lease.Resource))],
            GraceEnd = now - grace,
            OldestRun = runs.Count == 0 ? null : runs.Min(),
            HasDeadRun = intents.Exists(intent => !living.Contains(intent.Fencing)),
            Binding = transaction.StorageBindings.Find(storage),
            DeadReservations =
            [
                .. transaction.DeltaReservations.List()
                    .Where(reservation => reservation.Storage == storage && !living.Contains(reservation.Fencing))
                    .Select(reservation => reservation.Id),
            ],
        };
    }

    /// <summary>True when something that is unneeded since <paramref name="since"/> may go in this pass.</summary>
    public bool MayGo(DateTimeOffset since) =>
        !HasDeadRun && Counted(since) <= GraceEnd && (OldestRun is not { } oldest || since < oldest);

    /// <summary>True when an object that was put then cannot be one that a run has yet to record.</summary>
    /// <remarks>A date ahead of the clock says nothing of its age; the grace period begins with its row.</remarks>
    public bool IsSettled(DateTimeOffset modified) =>
        (IsAhead(modified) || modified <= GraceEnd) && (OldestRun is not { } oldest || modified < oldest);

    /// <summary>True for a time that was stored while the clock was ahead.</summary>
    public bool IsAhead(DateTimeOffset time) => time > Time.GetUtcNow() + AheadMin;

    /// <summary>The moment from which something that is found unneeded in this transaction counts: later than the
    /// beginning of every run that is alive, also when the clock stepped back since.</summary>
    public static DateTimeOffset Since(ICatalogTransaction transaction, TimeProvider time) =>
        Runs(transaction, Publications(transaction)).Select(began => began + Tick).Append(time.GetUtcNow()).Max();

    /// <summary>True while a backup or promote is alive.</summary>
    public static bool IsAnyRunAlive(ICatalogTransaction transaction) =>
        transaction.Leases.List(LeaseResource.VolumePrefix).Count > 0;

    /// <summary>The maps to mark, of one storage.</summary>
    public IEnumerable<MarkRoot> MapsOf(string storage, IPageSource pages) =>
        Versions
            .Where(version => version.Storage == storage)
            .Select(version => new MarkRoot(pages, version.Root, version.Geometry.Levels - 1))
            .Concat(Images
                .Where(image => image.Storage == storage)
                .Select(image => new MarkRoot(pages, image.Root, image.Levels - 1)));

    private DateTimeOffset Counted(DateTimeOffset time) => IsAhead(time) ? Now : time;

    private static List<DateTimeOffset> Runs(ICatalogTransaction transaction, IEnumerable<Intent> intents) =>
    [
        .. transaction.Leases.List(LeaseResource.VolumePrefix).Select(lease => lease.Started),
        .. intents.Select(intent => intent.Began),
    ];

    private static IEnumerable<Intent> Publications(ICatalogTransaction transaction) =>
        transaction.Intents.List().Where(intent => intent.Kind == IntentKind.Publish);
}
