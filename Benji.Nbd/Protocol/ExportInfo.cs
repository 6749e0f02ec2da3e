namespace Benji.Nbd.Protocol;

/// <summary>Size and abilities of an export, as EXPORT_NAME answers and as the fact EXPORT says.</summary>
/// <remarks>proto.md, "NBD_OPT_EXPORT_NAME" and "NBD_INFO_EXPORT".</remarks>
/// <param name="ExportSize">Bytes in the export, at most 2^63 - 1.</param>
/// <param name="Flags">What it can do.</param>
internal readonly record struct ExportInfo(long ExportSize, TransmissionFlags Flags)
{
    /// <summary>Bytes of the answer to EXPORT_NAME.</summary>
    public const int NameReplySize = 10;

    /// <summary>Zeros behind it for a client that did not ask to leave them out.</summary>
    public const int NameReplyZeros = 124;

    /// <summary>Bytes of the fact.</summary>
    public const int InfoSize = 12;

    /// <summary>Reads the fact EXPORT.</summary>
    /// <exception cref="NbdProtocolException">It is not valid.</exception>
    public static ExportInfo ParseInfo(ReadOnlySpan<byte> bytes)
    {
        var reader = new FieldReader(bytes, "The fact EXPORT");
        _ = reader.TakeUInt16();
        var info = new ExportInfo(TakeSize(reader.TakeUInt64()), (TransmissionFlags)reader.TakeUInt16());
        reader.End();
        return info;
    }

    /// <summary>Reads the answer to EXPORT_NAME, without its zeros.</summary>
    /// <exception cref="NbdProtocolException">It is not valid.</exception>
    public static ExportInfo ParseNameReply(ReadOnlySpan<byte> bytes)
    {
        var reader = new FieldReader(bytes, "The answer to EXPORT_NAME");
        return new ExportInfo(TakeSize(reader.TakeUInt64()), (TransmissionFlags)reader.TakeUInt16());
    }

    /// <summary>Writes the fact EXPORT.</summary>
    public int WriteInfo(Span<byte> destination)
    {
        var writer = new FieldWriter(destination);
        writer.Put((ushort)InfoType.Export);
        writer.Put((ulong)ExportSize);
        writer.Put((ushort)Flags);
        return writer.Length;
    }

    /// <summary>Writes the answer to EXPORT_NAME.</summary>
    public int WriteNameReply(Span<byte> destination, bool withZeros)
    {
        var writer = new FieldWriter(destination);
        writer.Put((ulong)ExportSize);
        writer.Put((ushort)Flags);
        writer.PutZeros(withZeros ? NameReplyZeros : 0);
        return writer.Length;
    }

    private static long TakeSize(ulong size) => size <= long.MaxValue
        ? (long)size
        : throw new NbdProtocolException($"An export has {size} bytes; at most {long.MaxValue} are possible.");
}

/// <summary>Which lengths and offsets an export takes: proto.md, "Block size constraints" and "NBD_INFO_BLOCK_SIZE".</summary>
/// <param name="Minimum">Every offset and length is a multiple; a power of two, at most 64 KiB.</param>
/// <param name="Preferred">What goes fast; a power of two.</param>
/// <param name="Maximum">The longest payload.</param>
internal readonly record struct BlockSizeInfo(uint Minimum, uint Preferred, uint Maximum)
{
    /// <summary>Bytes of the fact.</summary>
    public const int InfoSize = 14;

    /// <summary>Reads the fact.</summary>
    /// <exception cref="NbdProtocolException">It is not valid.</exception>
    public static BlockSizeInfo Parse(ReadOnlySpan<byte> bytes)
    {
        const uint minimumMax = 64 * 1024;
        var reader = new FieldReader(bytes, "The fact BLOCK_SIZE");
        _ = reader.TakeUInt16();
        var info = new BlockSizeInfo(reader.TakeUInt32(), reader.TakeUInt32(), reader.TakeUInt32());
        reader.End();
        return uint.IsPow2(info.Minimum) && info.Minimum <= minimumMax && uint.IsPow2(info.Preferred)
            && info.Preferred >= info.Minimum && info.Maximum >= info.Minimum
                ? info
                : throw new NbdProtocolException(
                    $"The block sizes {info.Minimum}, {info.Preferred} and {info.Maximum} are not valid together.");
    }

    /// <summary>Writes the fact.</summary>
    public int Write(Span<byte> destination)
    {
        var writer = new FieldWriter(destination);
        writer.Put((ushort)InfoType.BlockSize);
        writer.Put(Minimum);
        writer.Put(Preferred);
        writer.Put(Maximum);
        return writer.Length;
    }
}

/// <summary>A fact of an export that is a text: its canonical name or its description.</summary>
internal static class TextInfo
{
    /// <summary>Reads which fact stands at the front of a reply.</summary>
    /// <exception cref="NbdProtocolException">The reply is too short.</exception>
    public static InfoType ParseType(ReadOnlySpan<byte> bytes)
    {
        var reader = new FieldReader(bytes, "A fact of an export");
        return (InfoType)reader.TakeUInt16();
    }

    /// <summary>Reads the text.</summary>
    /// <exception cref="NbdProtocolException">It is not valid.</exception>
    public static string Parse(ReadOnlySpan<byte> bytes)
    {
        var reader = new FieldReader(bytes, "A fact of an export");
        _ = reader.TakeUInt16();
        return reader.TakeRest();
    }

    /// <summary>Writes the fact; its size is 2 bytes more than the text.</summary>
    public static int Write(Span<byte> destination, InfoType type, string text)
    {
        var writer = new FieldWriter(destination);
        writer.Put((ushort)type);
        writer.PutText(text);
        return writer.Length;
    }
}
