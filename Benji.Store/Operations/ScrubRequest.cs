using Benji.Store.Model;

namespace Benji.Store.Operations;

/// <summary>What a scrub or deep scrub is asked to check.</summary>
public sealed record ScrubRequest
{
    /// <summary>The version as the user named it.</summary>
    public required string Version { get; init; }

    /// <summary>True to read, open and verify every block; false to check that its object is there with the right size.</summary>
    public bool IsDeep { get; init; }

    /// <summary>How many of the blocks to check, 1 to 100.</summary>
    public int BlockPercentage { get; init; } = 100;

    /// <summary>For a deep scrub: a source that must equal the version byte for byte, or null.</summary>
    public string? Source { get; init; }
}

/// <summary>What a scrub found.</summary>
/// <param name="Version">The version with its status after the scrub.</param>
/// <param name="BlocksChecked">Distinct blocks looked at.</param>
/// <param name="BytesChecked">Their stored bytes.</param>
/// <param name="Damage">What is damaged or missing, in order; empty when all is right.</param>
/// <param name="SourceDifferences">Ranges in which the source differs; they do not make the version invalid.</param>
/// <param name="VersionsInvalidated">Other versions that use a damaged block and were marked too.</param>
/// <param name="Duration">Wall-clock time.</param>
public sealed record ScrubResult(
    VersionRecord Version,
    long BlocksChecked,
    long BytesChecked,
    IReadOnlyList<Damage> Damage,
    IReadOnlyList<Extent> SourceDifferences,
    IReadOnlyList<VersionName> VersionsInvalidated,
    TimeSpan Duration);
