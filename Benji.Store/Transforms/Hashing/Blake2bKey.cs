using Benji.Store.Model;
using NSec.Cryptography;

namespace Benji.Store.Transforms.Hashing;

/// <summary>One 256-bit key of the keyed BLAKE2b-256 hash, one stream at a time.</summary>
/// <remarks>
/// The key stands in libsodium's guarded memory until <see cref="Dispose"/>. Safe for concurrent calls; nothing is
/// allocated by a hash. Source: RFC 7693 with a 32-byte key and a 32-byte digest.
/// </remarks>
internal sealed class Blake2bKey : IDisposable
{
    /// <summary>Bytes in a key.</summary>
    public const int Size = 32;

    private static readonly Blake2bMac Algorithm = new(Size, Hash256.Size);

    private readonly Key _key;

    /// <summary>Copies the key from <paramref name="key"/>, which the caller keeps and clears.</summary>
    /// <exception cref="ArgumentException"><paramref name="key"/> is not 32 bytes long.</exception>
    public Blake2bKey(ReadOnlySpan<byte> key)
    {
        if (key.Length != Size)
        {
            throw new ArgumentException($"A BLAKE2b key of {key.Length} bytes, expected {Size}.", nameof(key));
        }

        _key = Key.Import(Algorithm, key, KeyBlobFormat.RawSymmetricKey);
    }

    /// <summary>Returns the keyed hash of <paramref name="data"/>, which may be empty.</summary>
    public Hash256 Hash(ReadOnlySpan<byte> data)
    {
        Span<byte> hash = stackalloc byte[Hash256.Size];
        Algorithm.Mac(_key, data, hash);
        return new Hash256(hash);
    }

    /// <summary>Returns the keyed hash of <paramref name="first"/> followed by <paramref name="second"/>.</summary>
    public Hash256 Hash(ReadOnlySpan<byte> first, ReadOnlySpan<byte> second)
    {
        IncrementalMac.Initialize(_key, out var state);
        IncrementalMac.Update(ref state, first);
        IncrementalMac.Update(ref state, second);
        Span<byte> hash = stackalloc byte[Hash256.Size];
        IncrementalMac.Finalize(ref state, hash);
        return new Hash256(hash);
    }

    /// <summary>Writes the keyed hash of <paramref name="data"/> to the 32 bytes of <paramref name="hash"/>.</summary>
    /// <remarks>Named apart from the hash of two parts, whose second part could be taken for the destination.</remarks>
    public void WriteHash(ReadOnlySpan<byte> data, Span<byte> hash) => Algorithm.Mac(_key, data, hash);

    /// <summary>Clears and frees the key.</summary>
    public void Dispose() => _key.Dispose();
}
