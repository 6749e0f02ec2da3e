namespace Benji.Store.Transforms;

/// <summary>The transforms by the numbers that stand in stored headers; no number gets a second meaning.</summary>
/// <remarks>Format: docs/format.md, "Sealed object". 0 is no transform.</remarks>
internal enum TransformKind : byte
{
    /// <summary>zstd, one zstd frame for each frame.</summary>
    Zstd = 1,

    /// <summary>AES-256-GCM, the 16-byte tag after the ciphertext.</summary>
    AesGcm = 2,
}
