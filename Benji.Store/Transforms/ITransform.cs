using Benji.Store.Model;

namespace Benji.Store.Transforms;

/// <summary>A reversible step between the plaintext of one frame and its stored bytes.</summary>
/// <remarks>Synchronous, safe for concurrent calls, and free of allocation for each frame.</remarks>
internal interface ITransform
{
    /// <summary>The answer of <see cref="Encode"/> that the source is to be stored as it is.</summary>
    const int KeepRaw = -1;

    /// <summary>The number that names this transform in a stored header.</summary>
    TransformKind Kind { get; }

    /// <summary>Returns the most bytes that <see cref="Encode"/> writes for <paramref name="length"/> bytes.</summary>
    /// <param name="length">Bytes of plaintext, 0 or more.</param>
    int EncodedLengthMax(int length);

    /// <summary>Encodes one frame.</summary>
    /// <param name="context">The object's key, the additional data and the frame's index.</param>
    /// <param name="source">The bytes to encode; may be empty.</param>
    /// <param name="destination">Receives the encoded bytes; at least <see cref="EncodedLengthMax"/> of the source's
    /// length. Its contents behind the returned length are undefined.</param>
    /// <returns>The bytes written, or <see cref="KeepRaw"/> when the encoded bytes would not be fewer than the
    /// source's: then nothing in <paramref name="destination"/> counts. Only compression returns it.</returns>
    int Encode(in FrameContext context, ReadOnlySpan<byte> source, Span<byte> destination);

    /// <summary>Decodes one frame and verifies what can be verified.</summary>
    /// <param name="context">The same as it was encoded with.</param>
    /// <param name="source">Stored bytes, which may be hostile.</param>
    /// <param name="destination">Receives the decoded bytes; its length is the length they must have. Contents are
    /// undefined after an exception.</param>
    /// <returns>The bytes written, always <c>destination.Length</c>.</returns>
    /// <exception cref="CorruptDataException">The source does not decode to exactly that many bytes.</exception>
    int Decode(in FrameContext context, ReadOnlySpan<byte> source, Span<byte> destination);
}
