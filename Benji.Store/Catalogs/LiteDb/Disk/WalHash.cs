using System.Security.Cryptography;

namespace Benji.Store.Catalogs.LiteDb.Disk;

/// <summary>Computes the hash that ends a group of the log; tests put a blind one in its place.</summary>
internal interface IWalHash : IDisposable
{
    /// <summary>Takes in the next bytes.</summary>
    void Append(ReadOnlySpan<byte> bytes);

    /// <summary>Writes the hash of what was taken in to <see cref="WalGroup.HashSize"/> bytes and starts anew.</summary>
    void Finish(Span<byte> destination);
}

/// <summary>SHA-256, which the processors of this century compute faster than a disk writes.</summary>
internal sealed class Sha256WalHash : IWalHash
{
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

    /// <inheritdoc/>
    public void Append(ReadOnlySpan<byte> bytes) => _hash.AppendData(bytes);

    /// <inheritdoc/>
    public void Finish(Span<byte> destination) => _hash.GetHashAndReset(destination);

    /// <inheritdoc/>
    public void Dispose() => _hash.Dispose();
}
