namespace Benji.Store.Operations;

/// <summary>What a promotion is asked to do.</summary>
public sealed record PromoteRequest
{
    /// <summary>The overlay as the user named it: <c>volume/version@overlay</c>, where the version may be shortened, or the
    /// path of its file in a mount.</summary>
    public required string Overlay { get; init; }

    /// <summary>The new version's name; null for its date.</summary>
    public string? Version { get; init; }

    /// <summary>Labels to set.</summary>
    public IReadOnlyDictionary<string, string> Labels { get; init; } = new Dictionary<string, string>();
}
