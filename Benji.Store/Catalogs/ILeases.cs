using System.Diagnostics.CodeAnalysis;

namespace Benji.Store.Catalogs;

/// <summary>The renewable claims of processes on volumes, versions, overlays and cleanup.</summary>
/// <remarks>A dead owner on this host is known by its kernel file lock: its leases are superseded at once and never
/// answered or listed. Expiry serves owners on other hosts.</remarks>
internal interface ILeases
{
    /// <summary>Claims a resource.</summary>
    /// <param name="resource">What is claimed, as <see cref="LeaseResource"/> spells it.</param>
    /// <param name="mode">Alone, or beside other readers.</param>
    /// <param name="purpose">What the holder does, for messages: "backup of vm/disk".</param>
    /// <param name="lease">The new lease with its fencing number, greater than any before it in this catalog.</param>
    /// <param name="holder">A lease that stands in the way, when the result is false.</param>
    /// <returns>True when it was claimed.</returns>
    bool TryAcquire(
        string resource,
        LeaseMode mode,
        string purpose,
        [NotNullWhen(true)] out Lease? lease,
        [NotNullWhen(false)] out Lease? holder);

    /// <summary>Extends a lease by the time to live.</summary>
    /// <returns>False when it was superseded.</returns>
    bool Renew(Lease lease);

    /// <summary>Gives a lease up; one that was superseded is no error.</summary>
    void Release(Lease lease);

    /// <summary>True while the lease stands; asked in the transaction that publishes.</summary>
    bool IsHeld(Lease lease);

    /// <summary>Lists the leases of living owners.</summary>
    /// <param name="resourcePrefix">Only resources that start so; empty for all.</param>
    IReadOnlyList<Lease> List(string resourcePrefix);

    /// <summary>True while a process of this host reads without leases, as it cannot write the catalog: what it reads is not
    /// known. Nothing is claimed for deletion in a transaction that sees one.</summary>
    bool HasReaders();
}

/// <summary>Whether a lease shuts others out.</summary>
internal enum LeaseMode
{
    /// <summary>Stands beside other shared leases.</summary>
    Shared = 0,

    /// <summary>Stands alone.</summary>
    Exclusive = 1,
}

/// <summary>The process behind a lease.</summary>
/// <param name="Host">Its host's name.</param>
/// <param name="ProcessId">Its number there.</param>
/// <param name="Token">A random id of this run: process numbers come again, tokens do not.</param>
internal sealed record LeaseOwner(string Host, int ProcessId, Guid Token);

/// <summary>A claim on a resource.</summary>
/// <param name="Fencing">A number that grows with every claim in a catalog; it names the lease.</param>
/// <param name="Resource">What is claimed.</param>
/// <param name="Mode">Alone, or beside other readers.</param>
/// <param name="Owner">Who holds it.</param>
/// <param name="Purpose">What the holder does.</param>
/// <param name="Started">When it was claimed.</param>
/// <param name="Expires">When another host may supersede it unless renewed.</param>
internal sealed record Lease(
    long Fencing,
    string Resource,
    LeaseMode Mode,
    LeaseOwner Owner,
    string Purpose,
    DateTimeOffset Started,
    DateTimeOffset Expires);

/// <summary>How the things that can be claimed are spelled.</summary>
internal static class LeaseResource
{
    /// <summary>The resource of the one cleanup at a time.</summary>
    public const string Cleanup = "cleanup";

    /// <summary>The prefix of every volume's resource; held exclusively by a backup or promote.</summary>
    public const string VolumePrefix = "volume:";

    /// <summary>The prefix of every version's resource; shared by readers, exclusive for removal.</summary>
    public const string VersionPrefix = "version:";

    /// <summary>The prefix of every manifest's resource; exclusive while it is rewritten.</summary>
    public const string ManifestPrefix = "manifest:";

    /// <summary>The prefix of every overlay's resource; exclusive while open.</summary>
    public const string OverlayPrefix = "overlay:";

    /// <summary>The prefix of the resources of versions that are open as images; shared, and no bar to their removal: what
    /// stands behind it is all that a cleanup must know to leave their blocks alone.</summary>
    public const string ImagePrefix = "image:";

    /// <summary>The resource of a volume.</summary>
    public static string Volume(string volume) => VolumePrefix + volume;

    /// <summary>The resource of a version.</summary>
    public static string Version(Guid id) => $"{VersionPrefix}{id:N}";

    /// <summary>The resource of a version's manifest.</summary>
    public static string Manifest(Guid id) => $"{ManifestPrefix}{id:N}";

    /// <summary>The resource of an overlay.</summary>
    public static string Overlay(Guid id) => $"{OverlayPrefix}{id:N}";
}
