namespace Benji.Store.Model;

/// <summary>What is known of a version's bytes.</summary>
public enum VersionStatus
{
    /// <summary>No fault is known.</summary>
    Valid,

    /// <summary>A scrub or restore found a block of it damaged or missing.</summary>
    Invalid,
}

/// <summary>What a backup did, in plaintext bytes and seconds, as the original counts them.</summary>
/// <param name="BytesRead">Bytes read from the source.</param>
/// <param name="BytesWritten">Plaintext bytes of blocks that were stored, as whole blocks or deltas.</param>
/// <param name="BytesDeduplicated">Plaintext bytes of blocks that were stored already.</param>
/// <param name="BytesSparse">Bytes found or known to be holes.</param>
/// <param name="BytesStored">Bytes of the objects written: blocks, pages and the manifest.</param>
/// <param name="Duration">Wall-clock seconds.</param>
public sealed record VersionStatistics(
    long BytesRead,
    long BytesWritten,
    long BytesDeduplicated,
    long BytesSparse,
    long BytesStored,
    double Duration);

/// <summary>Everything <c>ls</c> shows of one version, and what is needed to read it: the content of its manifest.</summary>
/// <remarks>Immutable; a change of labels, status or protection is a new record with the next revision. Format:
/// docs/format.md, "Manifest".</remarks>
public sealed record VersionRecord
{
    /// <summary>The random 128-bit id: names can be reused after removal, ids cannot.</summary>
    public required Guid Id { get; init; }

    /// <summary>The volume and the version's name in it.</summary>
    public required VersionName Name { get; init; }

    /// <summary>When the version was made, UTC, whole microseconds.</summary>
    public required DateTimeOffset Date { get; init; }

    /// <summary>The name of the source's snapshot it was read from; empty where there is none.</summary>
    public string Snapshot { get; init; } = "";

    /// <summary>Bytes in the version.</summary>
    public required long Size { get; init; }

    /// <summary>Bytes per block.</summary>
    public required int BlockSize { get; init; }

    /// <summary>The configured name of the storage that holds it. Not in the manifest: a storage does not know its name.</summary>
    public required string Storage { get; init; }

    /// <summary>What is known of its bytes.</summary>
    public VersionStatus Status { get; init; }

    /// <summary>True when retention and removal leave it alone.</summary>
    public bool IsProtected { get; init; }

    /// <summary>Labels by name, in ordinal order; a value may be empty.</summary>
    public SortedList<string, string> Labels { get; init; } = new(StringComparer.Ordinal);

    /// <summary>What the run that made it counted; null for an adopted version without counts.</summary>
    public VersionStatistics? Statistics { get; init; }

    /// <summary>The root of its block map.</summary>
    public required PageId Root { get; init; }

    /// <summary>Plaintext bytes that are not holes, exact to the frame.</summary>
    public required long AllocatedBytes { get; init; }

    /// <summary>Counts the rewrites of the manifest, from 1.</summary>
    public long Revision { get; init; } = 1;

    /// <summary>The arithmetic of this version.</summary>
    public BlockGeometry Geometry => new(Size, BlockSize);
}
