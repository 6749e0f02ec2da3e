using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Benji.Store.Model;
using Benji.Store.Transforms.Hashing;

namespace Benji.Store.Transforms;

/// <summary>Every key of one store, derived from its one input key and its store id.</summary>
/// <remarks>
/// HKDF-SHA256 (RFC 5869): the input key material is the input key, the salt is the store id's 16 bytes in big-endian
/// order, the info is "benji/1/" and a label, 32 bytes come out. Safe for concurrent calls. Disposing clears the keys.
/// Format: docs/format.md, "Keys".
/// </remarks>
internal sealed class StoreKeys : IDisposable
{
    /// <summary>Bytes in an input key: a master key, or the public hash key of a store without encryption.</summary>
    public const int InputKeySize = 32;

    private const string InfoPrefix = "benji/1/";
    private const int DerivedSize = 32;
    private const int StoreIdSize = 16;

    private readonly KeyWrap? _wrap;

    private StoreKeys(ReadOnlySpan<byte> inputKey, Guid storeId, bool isEncrypted)
    {
        if (inputKey.Length != InputKeySize)
        {
            throw new ConfigurationException($"The key has {inputKey.Length} bytes, expected {InputKeySize}.");
        }

        Span<byte> salt = stackalloc byte[StoreIdSize];
        Invariant.Holds(storeId.TryWriteBytes(salt, bigEndian: true, out _));
        Span<byte> derived = stackalloc byte[DerivedSize];
        try
        {
            Frames = new FrameHasher(Derive(inputKey, salt, "frame", derived));
            Block = new Blake2bKey(Derive(inputKey, salt, "block", derived));
            Page = new Blake2bKey(Derive(inputKey, salt, "page", derived));
            Manifest = new Blake2bKey(Derive(inputKey, salt, "manifest", derived));
            Header = new Blake2bKey(Derive(inputKey, salt, "header", derived));
            Store = new Blake2bKey(Derive(inputKey, salt, "store", derived));
            if (isEncrypted)
            {
                _wrap = new KeyWrap(Derive(inputKey, salt, "key-wrap", derived));
                KeyId = BinaryPrimitives.ReadUInt64LittleEndian(Derive(inputKey, salt, "key-id", derived));
            }
        }
        finally
        {
            CryptographicOperations.ZeroMemory(derived);
        }
    }

    /// <summary>True when objects of this store are encrypted.</summary>
    public bool IsEncrypted => _wrap is not null;

    /// <summary>Tells input keys apart without showing them; 0 in a store without encryption.</summary>
    public ulong KeyId { get; }

    /// <summary>Hashes frames.</summary>
    public FrameHasher Frames { get; }

    /// <summary>Hashes a block's length and frame hashes to its id.</summary>
    public Blake2bKey Block { get; }

    /// <summary>Hashes a map page to its id.</summary>
    public Blake2bKey Page { get; }

    /// <summary>Authenticates manifests.</summary>
    public Blake2bKey Manifest { get; }

    /// <summary>Authenticates the headers of sealed objects.</summary>
    public Blake2bKey Header { get; }

    /// <summary>Authenticates store.json.</summary>
    public Blake2bKey Store { get; }

    /// <summary>Wraps object keys; only an encrypted store has it.</summary>
    /// <exception cref="InvariantException">The store is not encrypted.</exception>
    public KeyWrap Wrap
    {
        get
        {
            Invariant.Holds(_wrap is not null);
            return _wrap;
        }
    }

    /// <summary>Derives the keys of an encrypted store.</summary>
    /// <param name="masterKey">32 secret bytes; the caller keeps and clears them.</param>
    /// <param name="storeId">The store's id.</param>
    /// <exception cref="ConfigurationException">The key is not 32 bytes long.</exception>
    public static StoreKeys Encrypted(ReadOnlySpan<byte> masterKey, Guid storeId) =>
        new(masterKey, storeId, isEncrypted: true);

    /// <summary>Derives the keys of a store without encryption.</summary>
    /// <param name="hashKey">The 32 random and public bytes of store.json.</param>
    /// <param name="storeId">The store's id.</param>
    /// <exception cref="ConfigurationException">The key is not 32 bytes long.</exception>
    public static StoreKeys Plain(ReadOnlySpan<byte> hashKey, Guid storeId) =>
        new(hashKey, storeId, isEncrypted: false);

    /// <summary>Clears and frees every key.</summary>
    public void Dispose()
    {
        Frames.Dispose();
        Block.Dispose();
        Page.Dispose();
        Manifest.Dispose();
        Header.Dispose();
        Store.Dispose();
        _wrap?.Dispose();
    }

    /// <summary>Derives the key of one label into <paramref name="derived"/> and returns it.</summary>
    private static ReadOnlySpan<byte> Derive(
        ReadOnlySpan<byte> inputKey, ReadOnlySpan<byte> salt, string label, Span<byte> derived)
    {
        var info = Encoding.ASCII.GetBytes(InfoPrefix + label);
        HKDF.DeriveKey(HashAlgorithmName.SHA256, inputKey, derived, salt, info);
        return derived;
    }
}
