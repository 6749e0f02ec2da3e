namespace Benji.Store.Blocks.Opening;

/// <summary>Where the master key of an encrypted store comes from: exactly one of the two.</summary>
/// <remarks>Never printed: <see cref="ToString"/> hides it.</remarks>
internal sealed record KeyMaterial
{
    /// <summary>32 bytes, or null.</summary>
    public byte[]? MasterKey { get; init; }

    /// <summary>A password of at least 8 bytes, or null.</summary>
    public string? Password { get; init; }

    /// <summary>The salt of the password; null to take the one in <c>store.json</c>, or a new random one at creation.</summary>
    public byte[]? Salt { get; init; }

    /// <summary>The iterations of the password; null as for the salt.</summary>
    public int? Iterations { get; init; }

    /// <summary>Returns the type's name only.</summary>
    public override string ToString() => nameof(KeyMaterial);
}
