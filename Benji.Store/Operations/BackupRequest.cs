using Benji.Store.Model;

namespace Benji.Store.Operations;

/// <summary>What a backup is asked to do.</summary>
public sealed record BackupRequest
{
    /// <summary>The source's address, <c>file:PATH</c> or a bare path.</summary>
    public required string Source { get; init; }

    /// <summary>The volume to make a version of.</summary>
    public required string Volume { get; init; }

    /// <summary>The version's name; null for its date.</summary>
    public string? Version { get; init; }

    /// <summary>The name of the source's snapshot; only recorded.</summary>
    public string Snapshot { get; init; } = "";

    /// <summary>The version that hints are relative to and blocks are compared with, as the user named it; null for the
    /// volume's newest.</summary>
    public string? BaseVersion { get; init; }

    /// <summary>The file with the changed extents, or null.</summary>
    public string? HintsFile { get; init; }

    /// <summary>Bytes per block; null for the base version's, else the configured one.</summary>
    public int? BlockSize { get; init; }

    /// <summary>Labels to set.</summary>
    public IReadOnlyDictionary<string, string> Labels { get; init; } = new Dictionary<string, string>();

    /// <summary>The configured name of the storage; null for the base version's, else the default.</summary>
    public string? Storage { get; init; }
}

/// <summary>What a backup did.</summary>
/// <param name="Version">The published version.</param>
/// <param name="BaseVersion">The version it was compared with, or null.</param>
/// <param name="BlocksUnchanged">Blocks equal to the base version's at the same index, read or known by hints.</param>
/// <param name="BlocksNew">Blocks stored.</param>
/// <param name="BlocksDelta">Those of them stored as deltas.</param>
/// <param name="BlocksDeduplicated">Blocks found in the store.</param>
/// <param name="BlocksHole">Blocks of zeros.</param>
/// <param name="BytesUnchanged">Plaintext bytes of the unchanged blocks.</param>
/// <param name="MemoryBound">Bytes of buffers that the run allowed itself.</param>
public sealed record BackupResult(
    VersionRecord Version,
    VersionName? BaseVersion,
    long BlocksUnchanged,
    long BlocksNew,
    long BlocksDelta,
    long BlocksDeduplicated,
    long BlocksHole,
    long BytesUnchanged,
    long MemoryBound)
{
    /// <summary>True when the version is invalid because blocks that it uses were found damaged while it was made.</summary>
    public bool UsesNewDamage { get; init; }
}
