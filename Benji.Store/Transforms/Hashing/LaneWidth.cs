namespace Benji.Store.Transforms.Hashing;

/// <summary>How many frames <see cref="FrameHasher"/> hashes side by side; every width gives the same hashes.</summary>
internal enum LaneWidth
{
    /// <summary>The widest that this processor has.</summary>
    Auto = 0,

    /// <summary>One frame at a time, by libsodium: the fallback and the reference.</summary>
    Single = 1,

    /// <summary>Four frames at a time; needs AVX2.</summary>
    Four = 4,

    /// <summary>Eight frames at a time; needs AVX-512F.</summary>
    Eight = 8,
}
