using System.Text;

namespace Benji.Nbd.Protocol;

/// <summary>The payloads of chunks that answer a READ: proto.md, "NBD_REPLY_TYPE_OFFSET_DATA" and "..._HOLE".</summary>
internal static class ReadChunks
{
    /// <summary>Bytes in front of the data of OFFSET_DATA: its offset.</summary>
    public const int OffsetSize = 8;

    /// <summary>Bytes of OFFSET_HOLE: its offset and length.</summary>
    public const int HoleSize = 12;

    /// <summary>Reads the offset at the front of OFFSET_DATA.</summary>
    /// <exception cref="NbdProtocolException">It is too short.</exception>
    public static ulong ParseOffset(ReadOnlySpan<byte> bytes)
    {
        var reader = new FieldReader(bytes, "A chunk of data");
        return reader.TakeUInt64();
    }

    /// <summary>Reads OFFSET_HOLE.</summary>
    /// <exception cref="NbdProtocolException">It is not valid.</exception>
    public static (ulong Offset, uint Length) ParseHole(ReadOnlySpan<byte> bytes)
    {
        var reader = new FieldReader(bytes, "A chunk of zeros");
        var hole = (reader.TakeUInt64(), reader.TakeUInt32());
        reader.End();
        return hole;
    }

    /// <summary>Writes the header and offset of a chunk of data.</summary>
    public static int WriteData(Span<byte> destination, ulong cookie, long offset, int length, ChunkFlags flags)
    {
        var writer = new FieldWriter(destination);
        writer.Length += new ChunkHeader(flags, ChunkType.OffsetData, cookie, (uint)(OffsetSize + length)).Write(destination);
        writer.Put((ulong)offset);
        return writer.Length;
    }

    /// <summary>Writes a whole chunk of zeros.</summary>
    public static int WriteHole(Span<byte> destination, ulong cookie, long offset, int length, ChunkFlags flags)
    {
        var writer = new FieldWriter(destination);
        writer.Length += new ChunkHeader(flags, ChunkType.OffsetHole, cookie, HoleSize).Write(destination);
        writer.Put((ulong)offset);
        writer.Put((uint)length);
        return writer.Length;
    }
}

/// <summary>The payload of an error chunk: proto.md, "NBD_REPLY_TYPE_ERROR" and "NBD_REPLY_TYPE_ERROR_OFFSET".</summary>
/// <param name="Error">Why the request failed.</param>
/// <param name="Text">A text for a person; empty for none.</param>
/// <param name="Offset">Where, if that is known.</param>
internal readonly record struct ErrorChunk(NbdError Error, string Text, ulong? Offset)
{
    private const int FixedSize = sizeof(uint) + sizeof(ushort);

    /// <summary>The type of its chunk.</summary>
    public ChunkType Type => Offset is null ? ChunkType.Error : ChunkType.ErrorOffset;

    /// <summary>Bytes that <see cref="Write"/> puts.</summary>
    public int Size => FixedSize + Encoding.UTF8.GetByteCount(Text) + (Offset is null ? 0 : sizeof(ulong));

    /// <summary>Reads the payload; what an unknown type of error has behind its text is left out.</summary>
    /// <exception cref="NbdProtocolException">It is not valid.</exception>
    public static ErrorChunk Parse(ReadOnlySpan<byte> bytes, ChunkType type)
    {
        var reader = new FieldReader(bytes, "A chunk with an error");
        var error = (NbdError)reader.TakeUInt32();
        var text = new FieldReader(reader.Take(reader.TakeUInt16()), "A chunk with an error").TakeRest();
        return new ErrorChunk(error, text, type == ChunkType.ErrorOffset ? reader.TakeUInt64() : null);
    }

    /// <summary>Writes the payload; the text has at most <see cref="NbdLimits.StringMax"/> bytes.</summary>
    public int Write(Span<byte> destination)
    {
        var writer = new FieldWriter(destination);
        writer.Put((uint)Error);
        writer.Put((ushort)Encoding.UTF8.GetByteCount(Text));
        writer.PutText(Text);
        if (Offset is { } offset)
        {
            writer.Put(offset);
        }

        return writer.Length;
    }
}

/// <summary>One extent of one context: proto.md, "NBD_REPLY_TYPE_BLOCK_STATUS".</summary>
/// <param name="Length">Bytes, at least 1.</param>
/// <param name="Flags">What the context says of them.</param>
internal readonly record struct StatusExtent(uint Length, uint Flags)
{
    /// <summary>Bytes of one extent.</summary>
    public const int Size = 8;

    /// <summary>Bytes in front of the extents: the number of the context.</summary>
    public const int ContextSize = 4;

    /// <summary>Adds the extents of a chunk to a list.</summary>
    /// <param name="bytes">The payload of the chunk.</param>
    /// <param name="extents">Receives them.</param>
    /// <returns>The number of the context.</returns>
    /// <exception cref="NbdProtocolException">It is not valid; the list may have some of it.</exception>
    public static uint Parse(ReadOnlySpan<byte> bytes, ICollection<StatusExtent> extents)
    {
        var reader = new FieldReader(bytes, "A chunk with extents");
        var context = reader.TakeUInt32();
        if (reader.Remaining == 0 || reader.Remaining % Size != 0)
        {
            throw new NbdProtocolException($"A chunk with extents has {reader.Remaining} bytes for extents of {Size} bytes.");
        }

        while (reader.Remaining > 0)
        {
            var extent = new StatusExtent(reader.TakeUInt32(), reader.TakeUInt32());
            extents.Add(extent.Length > 0 ? extent : throw new NbdProtocolException("An extent has no bytes."));
        }

        return context;
    }

    /// <summary>Writes one extent.</summary>
    public int Write(Span<byte> destination)
    {
        var writer = new FieldWriter(destination);
        writer.Put(Length);
        writer.Put(Flags);
        return writer.Length;
    }
}
