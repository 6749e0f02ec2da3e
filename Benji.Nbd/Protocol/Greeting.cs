using System.Buffers.Binary;

namespace Benji.Nbd.Protocol;

/// <summary>The first bytes of each side: proto.md, "Newstyle negotiation".</summary>
internal static class Greeting
{
    /// <summary>Bytes a server begins with.</summary>
    public const int Size = 18;

    /// <summary>Bytes a client answers with.</summary>
    public const int ClientSize = 4;

    /// <summary>"NBDMAGIC".</summary>
    public const ulong Magic = 0x4e42444d41474943;

    /// <summary>"IHAVEOPT", also in front of every option.</summary>
    public const ulong OptionMagic = 0x49484156454f5054;

    /// <summary>Writes a server's greeting.</summary>
    public static int Write(Span<byte> destination, HandshakeFlags flags)
    {
        var writer = new FieldWriter(destination);
        writer.Put(Magic);
        writer.Put(OptionMagic);
        writer.Put((ushort)flags);
        return writer.Length;
    }

    /// <summary>Reads a server's greeting.</summary>
    /// <exception cref="NbdProtocolException">It is none of a newstyle server.</exception>
    public static HandshakeFlags Parse(ReadOnlySpan<byte> bytes)
    {
        var reader = new FieldReader(bytes, "The server's greeting");
        if (reader.TakeUInt64() is var magic && magic != Magic)
        {
            throw new NbdProtocolException($"The server's greeting begins with {magic:x16}, not with NBDMAGIC: no NBD server.");
        }

        if (reader.TakeUInt64() is var second && second != OptionMagic)
        {
            throw new NbdProtocolException($"The server's greeting has {second:x16} where IHAVEOPT belongs: too old a server.");
        }

        return (HandshakeFlags)reader.TakeUInt16();
    }

    /// <summary>Writes a client's answer.</summary>
    public static int WriteClient(Span<byte> destination, ClientFlags flags)
    {
        BinaryPrimitives.WriteUInt32BigEndian(destination, (uint)flags);
        return ClientSize;
    }

    /// <summary>Reads a client's answer; any number is returned, also with unknown flags.</summary>
    public static ClientFlags ParseClient(ReadOnlySpan<byte> bytes) =>
        (ClientFlags)BinaryPrimitives.ReadUInt32BigEndian(bytes);
}
