using System.Buffers;
using System.Buffers.Binary;

namespace Benji.Nbd.Protocol;

/// <summary>One request of the transmission; the data of a WRITE follows it. proto.md, "Request message".</summary>
/// <param name="Flags">Its flags, unknown ones too.</param>
/// <param name="Command">What it asks; perhaps unknown.</param>
/// <param name="Cookie">Chosen by the client, repeated in the reply.</param>
/// <param name="Offset">The first byte.</param>
/// <param name="Length">Bytes.</param>
internal readonly record struct RequestHeader(
    CommandFlags Flags, Command Command, ulong Cookie, ulong Offset, uint Length)
{
    /// <summary>Bytes of the header.</summary>
    public const int Size = 28;

    /// <summary>What every request begins with.</summary>
    public const uint Magic = 0x25609513;

    /// <summary>Takes a request off the front of what has arrived; nothing when it is not whole.</summary>
    /// <exception cref="NbdProtocolException">The magic is wrong.</exception>
    public static bool TryRead(ref ReadOnlySequence<byte> buffer, out RequestHeader request)
    {
        if (buffer.Length < Size)
        {
            request = default;
            return false;
        }

        if (buffer.FirstSpan.Length >= Size)
        {
            request = Parse(buffer.FirstSpan[..Size]);
        }
        else
        {
            Span<byte> bytes = stackalloc byte[Size];
            buffer.Slice(0, Size).CopyTo(bytes);
            request = Parse(bytes);
        }

        buffer = buffer.Slice(Size);
        return true;
    }

    /// <summary>Reads a request of exactly <see cref="Size"/> bytes.</summary>
    /// <exception cref="NbdProtocolException">The magic is wrong.</exception>
    public static RequestHeader Parse(ReadOnlySpan<byte> bytes)
    {
        var magic = BinaryPrimitives.ReadUInt32BigEndian(bytes);
        return magic == Magic
            ? new RequestHeader(
                (CommandFlags)BinaryPrimitives.ReadUInt16BigEndian(bytes[4..]),
                (Command)BinaryPrimitives.ReadUInt16BigEndian(bytes[6..]),
                BinaryPrimitives.ReadUInt64BigEndian(bytes[8..]),
                BinaryPrimitives.ReadUInt64BigEndian(bytes[16..]),
                BinaryPrimitives.ReadUInt32BigEndian(bytes[24..]))
            : throw new NbdProtocolException($"A request begins with {magic:x8}, not with {Magic:x8}.");
    }

    /// <summary>Writes the request.</summary>
    public int Write(Span<byte> destination)
    {
        var writer = new FieldWriter(destination);
        writer.Put(Magic);
        writer.Put((ushort)Flags);
        writer.Put((ushort)Command);
        writer.Put(Cookie);
        writer.Put(Offset);
        writer.Put(Length);
        return writer.Length;
    }
}
