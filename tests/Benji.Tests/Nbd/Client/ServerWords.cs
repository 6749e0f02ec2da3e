using Benji.Nbd.Client;
using Benji.Nbd.Protocol;

namespace Benji.Tests.Nbd.Client;

/// <summary>What a server of one export of 8 KiB says, byte for byte.</summary>
internal static class ServerWords
{
    /// <summary>Bytes of the export where nothing else is said.</summary>
    public const int Size = 8192;

    private delegate int Writing(Span<byte> destination);

    /// <summary>A handshake that agrees on chunks and on <c>base:allocation</c> with the number 5.</summary>
    public static byte[] Handshake(long size = Size) =>
    [
        .. Written(buffer => Greeting.Write(buffer, HandshakeFlags.FixedNewstyle | HandshakeFlags.NoZeroes)),
        .. Option(OptionCode.StructuredReply, OptionReply.Ack, []),
        .. Option(OptionCode.SetMetaContext, OptionReply.MetaContext, Written(new ContextReply(5, DataMap.Context).Write)),
        .. Option(OptionCode.SetMetaContext, OptionReply.Ack, []),
        .. Option(OptionCode.Go, OptionReply.Info, Written(
            new ExportInfo(size, TransmissionFlags.HasFlags | TransmissionFlags.SendWriteZeroes).WriteInfo)),
        .. Option(OptionCode.Go, OptionReply.Info, Written(new BlockSizeInfo(1, 4096, 65536).Write)),
        .. Option(OptionCode.Go, OptionReply.Ack, []),
    ];

    /// <summary>A chunk of data.</summary>
    public static byte[] Data(ulong cookie, long offset, byte[] data, ChunkFlags flags) =>
        [.. Written(buffer => ReadChunks.WriteData(buffer, cookie, offset, data.Length, flags)), .. data];

    /// <summary>A chunk of zeros.</summary>
    public static byte[] Hole(ulong cookie, long offset, int length, ChunkFlags flags) =>
        Written(buffer => ReadChunks.WriteHole(buffer, cookie, offset, length, flags));

    /// <summary>A chunk that brings nothing and ends a reply.</summary>
    public static byte[] End(ulong cookie) =>
        Written(new ChunkHeader(ChunkFlags.Done, ChunkType.None, cookie, 0).Write);

    /// <summary>A chunk with an error.</summary>
    public static byte[] Error(ulong cookie, ErrorChunk error, ChunkFlags flags = ChunkFlags.Done) =>
    [
        .. Written(new ChunkHeader(flags, error.Type, cookie, (uint)error.Size).Write), .. Written(error.Write),
    ];

    /// <summary>A whole reply to a BLOCK_STATUS: one extent.</summary>
    public static byte[] Status(ulong cookie, uint length = Size, uint state = 3) =>
    [
        .. Written(new ChunkHeader(ChunkFlags.Done, ChunkType.BlockStatus, cookie, 12).Write), 0, 0, 0, 5,
        .. Written(new StatusExtent(length, state).Write),
    ];

    private static byte[] Option(OptionCode code, OptionReply reply, byte[] data) =>
        [.. Written(new OptionReplyHeader(code, reply, (uint)data.Length).Write), .. data];

    private static byte[] Written(Writing write)
    {
        var buffer = new byte[256];
        return buffer[..write(buffer)];
    }
}
