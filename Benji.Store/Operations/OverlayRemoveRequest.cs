namespace Benji.Store.Operations;

/// <summary>Which overlays are to be removed.</summary>
public sealed record OverlayRemoveRequest
{
    /// <summary>The overlays as the user named them; none goes when one of the names fits nothing.</summary>
    public required IReadOnlyList<string> Overlays { get; init; }

    /// <summary>True to remove overlays that hold data too.</summary>
    public bool Force { get; init; }
}
