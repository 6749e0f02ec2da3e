using Benji.Store.Model;

namespace Benji.Store.Operations;

/// <summary>Which versions to remove.</summary>
public sealed record RemoveRequest
{
    /// <summary>The versions as the user named them.</summary>
    public required IReadOnlyList<string> Versions { get; init; }

    /// <summary>Removes versions that are too young; never protected ones.</summary>
    public bool Force { get; init; }
}

/// <summary>What was removed.</summary>
/// <param name="Versions">The removed versions.</param>
public sealed record RemoveResult(IReadOnlyList<VersionRecord> Versions);
