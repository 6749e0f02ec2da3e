using System.Buffers.Binary;
using Benji.Store.Model;

namespace Benji.Store.Blocks.Sealing;

/// <summary>The additional data that ties an encrypted frame to its store, object and index.</summary>
/// <remarks>Format: docs/format.md, "Sealed object".</remarks>
internal static class FrameBinding
{
    /// <summary>Bytes of additional data: store id, kind, name, frame index.</summary>
    public const int Length = 16 + 1 + Hash256.Size + sizeof(uint);

    /// <summary>Writes the additional data of one frame; <paramref name="destination"/> is exactly as long.</summary>
    public static void Write(Span<byte> destination, Guid storeId, ObjectKind kind, Hash256 name, int frame)
    {
        Invariant.Holds(destination.Length == Length);
        Invariant.Holds(storeId.TryWriteBytes(destination, bigEndian: true, out var written));
        destination[written] = (byte)kind;
        name.CopyTo(destination[(written + 1)..]);
        BinaryPrimitives.WriteUInt32LittleEndian(destination[(written + 1 + Hash256.Size)..], (uint)frame);
    }
}
