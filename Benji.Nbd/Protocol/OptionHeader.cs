namespace Benji.Nbd.Protocol;

/// <summary>What stands in front of an option's data: proto.md, "Option haggling".</summary>
/// <param name="Code">The option; perhaps one that we do not know.</param>
/// <param name="Length">Bytes of data that follow.</param>
internal readonly record struct OptionHeader(OptionCode Code, uint Length)
{
    /// <summary>Bytes of the header.</summary>
    public const int Size = 16;

    /// <summary>Reads a client's header.</summary>
    /// <exception cref="NbdProtocolException">The magic is wrong.</exception>
    public static OptionHeader Parse(ReadOnlySpan<byte> bytes)
    {
        var reader = new FieldReader(bytes, "An option");
        return reader.TakeUInt64() is var magic && magic == Greeting.OptionMagic
            ? new OptionHeader((OptionCode)reader.TakeUInt32(), reader.TakeUInt32())
            : throw new NbdProtocolException($"An option begins with {magic:x16}, not with IHAVEOPT.");
    }

    /// <summary>Writes the header.</summary>
    public int Write(Span<byte> destination)
    {
        var writer = new FieldWriter(destination);
        writer.Put(Greeting.OptionMagic);
        writer.Put((uint)Code);
        writer.Put(Length);
        return writer.Length;
    }
}

/// <summary>What stands in front of the data of an option's reply: proto.md, "Option haggling".</summary>
/// <param name="Code">The option that is answered.</param>
/// <param name="Reply">How.</param>
/// <param name="Length">Bytes of data that follow.</param>
internal readonly record struct OptionReplyHeader(OptionCode Code, OptionReply Reply, uint Length)
{
    /// <summary>Bytes of the header.</summary>
    public const int Size = 20;

    /// <summary>What every reply begins with.</summary>
    public const ulong Magic = 0x0003e889045565a9;

    /// <summary>True when the option was refused; the data is then a text.</summary>
    public bool IsError => (Reply & OptionReply.ErrorBit) != 0;

    /// <summary>Reads a server's header.</summary>
    /// <exception cref="NbdProtocolException">The magic is wrong.</exception>
    public static OptionReplyHeader Parse(ReadOnlySpan<byte> bytes)
    {
        var reader = new FieldReader(bytes, "A reply to an option");
        return reader.TakeUInt64() is var magic && magic == Magic
            ? new OptionReplyHeader(
                (OptionCode)reader.TakeUInt32(), (OptionReply)reader.TakeUInt32(), reader.TakeUInt32())
            : throw new NbdProtocolException($"A reply to an option begins with {magic:x16}, not with {Magic:x16}.");
    }

    /// <summary>Writes the header.</summary>
    public int Write(Span<byte> destination)
    {
        var writer = new FieldWriter(destination);
        writer.Put(Magic);
        writer.Put((uint)Code);
        writer.Put((uint)Reply);
        writer.Put(Length);
        return writer.Length;
    }
}
