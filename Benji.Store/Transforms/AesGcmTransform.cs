using System.Buffers.Binary;
using System.Security.Cryptography;
using Benji.Store.Model;

namespace Benji.Store.Transforms;

/// <summary>Encrypts each frame with AES-256-GCM under its object's key and keeps the tag.</summary>
/// <remarks>
/// Stored: the ciphertext, as long as the plaintext, then the 16-byte tag. The nonce is the frame's index as a
/// little-endian 32-bit number, then eight zero bytes: unique, because every object has a key of its own and is sealed
/// once. Encoding and decoding work in place when both spans start at the same byte. Safe for concurrent calls.
/// Format: docs/format.md, "Sealed object".
/// </remarks>
internal sealed class AesGcmTransform : ITransform
{
    /// <inheritdoc/>
    public TransformKind Kind => TransformKind.AesGcm;

    /// <inheritdoc/>
    public int EncodedLengthMax(int length) => length + ObjectKey.TagSize;

    /// <inheritdoc/>
    public int Encode(in FrameContext context, ReadOnlySpan<byte> source, Span<byte> destination)
    {
        Invariant.Holds(context.Key is not null);
        Invariant.Holds(destination.Length >= EncodedLengthMax(source.Length));
        Span<byte> nonce = stackalloc byte[ObjectKey.NonceSize];
        WriteNonce(context.FrameIndex, nonce);
        context.Key.Encrypt(
            nonce,
            source,
            destination[..source.Length],
            destination.Slice(source.Length, ObjectKey.TagSize),
            context.AdditionalData);
        return EncodedLengthMax(source.Length);
    }

    /// <inheritdoc/>
    public int Decode(in FrameContext context, ReadOnlySpan<byte> source, Span<byte> destination)
    {
        Invariant.Holds(context.Key is not null);
        if (source.Length != EncodedLengthMax(destination.Length))
        {
            throw new CorruptDataException(
                $"Frame {context.FrameIndex} is {source.Length} encrypted bytes, "
                + $"expected {EncodedLengthMax(destination.Length)}.");
        }

        Span<byte> nonce = stackalloc byte[ObjectKey.NonceSize];
        WriteNonce(context.FrameIndex, nonce);
        try
        {
            context.Key.Decrypt(
                nonce,
                source[..destination.Length],
                source[destination.Length..],
                destination,
                context.AdditionalData);
        }
        catch (AuthenticationTagMismatchException exception)
        {
            throw new CorruptDataException(
                $"Frame {context.FrameIndex} of {source.Length} encrypted bytes does not authenticate.", exception);
        }

        return destination.Length;
    }

    private static void WriteNonce(uint frameIndex, Span<byte> nonce)
    {
        nonce.Clear();
        BinaryPrimitives.WriteUInt32LittleEndian(nonce, frameIndex);
    }
}
