namespace Benji.Store.Operations;

/// <summary>How a catalog is to be rebuilt from its storages.</summary>
public sealed record RebuildRequest
{
    /// <summary>Replaces an existing catalog.</summary>
    public bool Force { get; init; }

    /// <summary>Storages that the catalog knows, that are not there, and whose versions are given up.</summary>
    public IReadOnlyCollection<string> Forget { get; init; } = [];
}

/// <summary>What a rebuild found.</summary>
/// <param name="Versions">Versions adopted.</param>
/// <param name="Blocks">Blocks recorded.</param>
/// <param name="Overlays">Overlays adopted.</param>
/// <param name="Problems">Manifests, pages or blocks that could not be read or are missing, one line each; their versions
/// are adopted as invalid where they can be.</param>
/// <param name="Duration">Wall-clock time.</param>
public sealed record RebuildResult(
    long Versions, long Blocks, long Overlays, IReadOnlyList<string> Problems, TimeSpan Duration);
