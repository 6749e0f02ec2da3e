using System.Buffers.Binary;
using System.Text;

namespace Benji.Nbd.Protocol;

/// <summary>Takes big-endian fields off the front of a message, checking before each that they are there.</summary>
internal ref struct FieldReader(ReadOnlySpan<byte> bytes, string message)
{
    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private ReadOnlySpan<byte> _rest = bytes;

    /// <summary>Bytes not taken yet.</summary>
    public readonly int Remaining => _rest.Length;

    /// <summary>Takes 2 bytes.</summary>
    public ushort TakeUInt16() => BinaryPrimitives.ReadUInt16BigEndian(Take(sizeof(ushort)));

    /// <summary>Takes 4 bytes.</summary>
    public uint TakeUInt32() => BinaryPrimitives.ReadUInt32BigEndian(Take(sizeof(uint)));

    /// <summary>Takes 8 bytes.</summary>
    public ulong TakeUInt64() => BinaryPrimitives.ReadUInt64BigEndian(Take(sizeof(ulong)));

    /// <summary>Takes text with its 32-bit length before it.</summary>
    public string TakeString()
    {
        var length = TakeUInt32();
        return Text(length <= (uint)_rest.Length ? Take((int)length) : throw Short(length));
    }

    /// <summary>Takes all that is left as text.</summary>
    public string TakeRest() => Text(Take(_rest.Length));

    /// <summary>Takes a number of bytes.</summary>
    public ReadOnlySpan<byte> Take(int length)
    {
        if (length > _rest.Length)
        {
            throw Short((uint)length);
        }

        var taken = _rest[..length];
        _rest = _rest[length..];
        return taken;
    }

    /// <summary>Refuses a message that has bytes left.</summary>
    public readonly void End()
    {
        if (_rest.Length > 0)
        {
            throw new NbdProtocolException($"{message} has {_rest.Length} bytes too many.");
        }
    }

    private readonly NbdProtocolException Short(uint wanted) =>
        new($"{message} is too short: {_rest.Length} bytes are left where {wanted} are said to follow.");

    private readonly string Text(ReadOnlySpan<byte> text)
    {
        if (text.Length > NbdLimits.StringMax)
        {
            throw new NbdProtocolException(
                $"{message} has a text of {text.Length} bytes; at most {NbdLimits.StringMax} are allowed.");
        }

        try
        {
            return StrictUtf8.GetString(text);
        }
        catch (DecoderFallbackException cause)
        {
            throw new NbdProtocolException($"{message} has a text that is not UTF-8.", cause);
        }
    }
}

/// <summary>Puts big-endian fields behind each other into a buffer that is known to be big enough.</summary>
internal ref struct FieldWriter(Span<byte> destination)
{
    private readonly Span<byte> _destination = destination;

    /// <summary>Bytes put so far.</summary>
    public int Length { get; set; }

    /// <summary>Puts 2 bytes.</summary>
    public void Put(ushort value)
    {
        BinaryPrimitives.WriteUInt16BigEndian(_destination[Length..], value);
        Length += sizeof(ushort);
    }

    /// <summary>Puts 4 bytes.</summary>
    public void Put(uint value)
    {
        BinaryPrimitives.WriteUInt32BigEndian(_destination[Length..], value);
        Length += sizeof(uint);
    }

    /// <summary>Puts 8 bytes.</summary>
    public void Put(ulong value)
    {
        BinaryPrimitives.WriteUInt64BigEndian(_destination[Length..], value);
        Length += sizeof(ulong);
    }

    /// <summary>Puts text as UTF-8 without its length.</summary>
    public void PutText(string text) => Length += Encoding.UTF8.GetBytes(text, _destination[Length..]);

    /// <summary>Puts text as UTF-8 behind its 32-bit length.</summary>
    public void PutString(string text)
    {
        Put((uint)Encoding.UTF8.GetByteCount(text));
        PutText(text);
    }

    /// <summary>Puts zeros.</summary>
    public void PutZeros(int count)
    {
        _destination.Slice(Length, count).Clear();
        Length += count;
    }
}
