using System.Security.Cryptography;

namespace Benji.Store.Transforms;

/// <summary>The random 256-bit key of one sealed object, ready to encrypt and decrypt its frames.</summary>
/// <remarks>Safe for concurrent calls: those of one key take turns. Disposing it clears the key.</remarks>
internal sealed class ObjectKey : IDisposable
{
    /// <summary>Bytes in a key.</summary>
    public const int Size = 32;

    /// <summary>Bytes in an authentication tag.</summary>
    public const int TagSize = 16;

    /// <summary>Bytes in a nonce.</summary>
    public const int NonceSize = 12;

    // The platform's cipher context is not safe for concurrent calls.
    private readonly Lock _cipherGate = new();
    private readonly AesGcm _cipher;
    private readonly byte[] _key;
    private bool _isDisposed;

    /// <summary>Copies the key from <paramref name="key"/>, which the caller keeps and clears.</summary>
    /// <exception cref="ArgumentException"><paramref name="key"/> is not 32 bytes long.</exception>
    public ObjectKey(ReadOnlySpan<byte> key)
    {
        if (key.Length != Size)
        {
            throw new ArgumentException($"An object key of {key.Length} bytes, expected {Size}.", nameof(key));
        }

        _cipher = new AesGcm(key, TagSize);
        _key = GC.AllocateUninitializedArray<byte>(Size, pinned: true);
        key.CopyTo(_key);
    }

    /// <summary>Makes a key from the system's random numbers.</summary>
    public static ObjectKey NewRandom()
    {
        Span<byte> key = stackalloc byte[Size];
        try
        {
            RandomNumberGenerator.Fill(key);
            return new ObjectKey(key);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(key);
        }
    }

    /// <summary>Writes the 32 bytes of the key to the start of <paramref name="destination"/>, to be wrapped.</summary>
    /// <exception cref="ObjectDisposedException">The key was disposed and is cleared.</exception>
    public void CopyTo(Span<byte> destination)
    {
        lock (_cipherGate)
        {
            ObjectDisposedException.ThrowIf(_isDisposed, this);
            _key.CopyTo(destination);
        }
    }

    /// <summary>Encrypts with AES-256-GCM; source and ciphertext are the same memory or do not overlap.</summary>
    public void Encrypt(
        ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> source, Span<byte> ciphertext, Span<byte> tag,
        ReadOnlySpan<byte> additionalData)
    {
        lock (_cipherGate)
        {
            ObjectDisposedException.ThrowIf(_isDisposed, this);
            _cipher.Encrypt(nonce, source, ciphertext, tag, additionalData);
        }
    }

    /// <summary>Decrypts with AES-256-GCM; ciphertext and destination are the same memory or do not overlap.</summary>
    /// <exception cref="AuthenticationTagMismatchException">The bytes are not what was encrypted.</exception>
    public void Decrypt(
        ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> ciphertext, ReadOnlySpan<byte> tag, Span<byte> destination,
        ReadOnlySpan<byte> additionalData)
    {
        lock (_cipherGate)
        {
            ObjectDisposedException.ThrowIf(_isDisposed, this);
            _cipher.Decrypt(nonce, ciphertext, tag, destination, additionalData);
        }
    }

    /// <summary>Clears the key; calls that run are waited for.</summary>
    public void Dispose()
    {
        lock (_cipherGate)
        {
            _isDisposed = true;
            _cipher.Dispose();
            CryptographicOperations.ZeroMemory(_key);
        }
    }
}
