namespace Benji.Store.Transforms.Hashing;

/// <summary>The constants of BLAKE2b that every lane width shares.</summary>
/// <remarks>Source: RFC 7693, sections 2.5 to 2.7.</remarks>
internal static class Blake2bTables
{
    /// <summary>Bytes in one input block of the compression function.</summary>
    public const int BlockBytes = 128;

    /// <summary>64-bit words in one input block, and in the working vector.</summary>
    public const int BlockWords = 16;

    /// <summary>64-bit words in the chained state.</summary>
    public const int StateWords = 8;

    /// <summary>Rounds of the compression function.</summary>
    public const int Rounds = 12;

    /// <summary>The parameter block's first word: digest of 32 bytes, key of 32 bytes, fanout 1, depth 1.</summary>
    public const ulong Parameters = 0x0101_2020;

    /// <summary>The first word of the initialization vector.</summary>
    public const ulong Initial0 = 0x6a09e667f3bcc908;

    /// <summary>The second word of the initialization vector.</summary>
    public const ulong Initial1 = 0xbb67ae8584caa73b;

    /// <summary>The third word of the initialization vector.</summary>
    public const ulong Initial2 = 0x3c6ef372fe94f82b;

    /// <summary>The fourth word of the initialization vector.</summary>
    public const ulong Initial3 = 0xa54ff53a5f1d36f1;

    /// <summary>The fifth word of the initialization vector.</summary>
    public const ulong Initial4 = 0x510e527fade682d1;

    /// <summary>The sixth word of the initialization vector.</summary>
    public const ulong Initial5 = 0x9b05688c2b3e6c1f;

    /// <summary>The seventh word of the initialization vector.</summary>
    public const ulong Initial6 = 0x1f83d9abfb41bd6b;

    /// <summary>The eighth word of the initialization vector.</summary>
    public const ulong Initial7 = 0x5be0cd19137e2179;

    /// <summary>The message schedule: which word of the input block each step takes, sixteen steps a round.</summary>
    /// <remarks>Rounds ten and eleven repeat rounds zero and one.</remarks>
    public static ReadOnlySpan<byte> Schedule =>
    [
        0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15,
        14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3,
        11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4,
        7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8,
        9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13,
        2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9,
        12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11,
        13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10,
        6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5,
        10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0,
        0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15,
        14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3,
    ];
}
