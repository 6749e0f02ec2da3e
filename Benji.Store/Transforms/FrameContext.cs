namespace Benji.Store.Transforms;

/// <summary>What a transform is told about the frame it encodes or decodes, beside the bytes.</summary>
/// <remarks>Lent for the call.</remarks>
internal readonly ref struct FrameContext
{
    /// <summary>The sealed object's own key; null in a store without encryption.</summary>
    public ObjectKey? Key { get; init; }

    /// <summary>What the encryption binds the frame to, built by the caller.</summary>
    public ReadOnlySpan<byte> AdditionalData { get; init; }

    /// <summary>The frame's index in its object; one key never encrypts two different frames of one index.</summary>
    public uint FrameIndex { get; init; }
}
