using System.Buffers.Binary;

namespace Benji.Nbd.Protocol;

/// <summary>A simple reply; the data of a READ that succeeded follows it. proto.md, "Simple reply message".</summary>
/// <param name="Error">Why the request failed, or that it did not.</param>
/// <param name="Cookie">That of the request.</param>
internal readonly record struct SimpleReply(NbdError Error, ulong Cookie)
{
    /// <summary>Bytes of the reply.</summary>
    public const int Size = 16;

    /// <summary>What every simple reply begins with.</summary>
    public const uint Magic = 0x67446698;

    /// <summary>Reads a reply.</summary>
    /// <exception cref="NbdProtocolException">The magic is wrong.</exception>
    public static SimpleReply Parse(ReadOnlySpan<byte> bytes)
    {
        var reader = new FieldReader(bytes, "A simple reply");
        return reader.TakeUInt32() is var magic && magic == Magic
            ? new SimpleReply((NbdError)reader.TakeUInt32(), reader.TakeUInt64())
            : throw new NbdProtocolException($"A reply begins with {magic:x8}, not with {Magic:x8}.");
    }

    /// <summary>Writes the reply.</summary>
    public int Write(Span<byte> destination)
    {
        var writer = new FieldWriter(destination);
        writer.Put(Magic);
        writer.Put((uint)Error);
        writer.Put(Cookie);
        return writer.Length;
    }
}

/// <summary>What stands in front of each chunk of a structured reply: proto.md, "Structured reply chunk message".</summary>
/// <param name="Flags">Whether it is the last of its reply.</param>
/// <param name="Type">What it holds; perhaps unknown.</param>
/// <param name="Cookie">That of the request.</param>
/// <param name="Length">Bytes that follow.</param>
internal readonly record struct ChunkHeader(ChunkFlags Flags, ChunkType Type, ulong Cookie, uint Length)
{
    /// <summary>Bytes of the header.</summary>
    public const int Size = 20;

    /// <summary>What every chunk begins with.</summary>
    public const uint Magic = 0x668e33ef;

    /// <summary>True when the chunk says that the request failed.</summary>
    public bool IsError => (Type & ChunkType.ErrorBit) != 0;

    /// <summary>True when no further chunk follows.</summary>
    public bool IsDone => (Flags & ChunkFlags.Done) != 0;

    /// <summary>Reads a header.</summary>
    /// <exception cref="NbdProtocolException">The magic is wrong.</exception>
    public static ChunkHeader Parse(ReadOnlySpan<byte> bytes)
    {
        var reader = new FieldReader(bytes, "A chunk");
        return reader.TakeUInt32() is var magic && magic == Magic
            ? new ChunkHeader(
                (ChunkFlags)reader.TakeUInt16(), (ChunkType)reader.TakeUInt16(), reader.TakeUInt64(), reader.TakeUInt32())
            : throw new NbdProtocolException($"A chunk begins with {magic:x8}, not with {Magic:x8}.");
    }

    /// <summary>Reads which kind of reply begins here: the first 4 bytes tell.</summary>
    /// <returns>True for a chunk, false for a simple reply.</returns>
    /// <exception cref="NbdProtocolException">It is neither.</exception>
    public static bool IsChunk(ReadOnlySpan<byte> bytes) => BinaryPrimitives.ReadUInt32BigEndian(bytes) switch
    {
        Magic => true,
        SimpleReply.Magic => false,
        var magic => throw new NbdProtocolException($"A reply begins with {magic:x8}, which is no reply's magic."),
    };

    /// <summary>Writes the header.</summary>
    public int Write(Span<byte> destination)
    {
        var writer = new FieldWriter(destination);
        writer.Put(Magic);
        writer.Put((ushort)Flags);
        writer.Put((ushort)Type);
        writer.Put(Cookie);
        writer.Put(Length);
        return writer.Length;
    }
}
