namespace Benji.Nbd.Protocol;

/// <summary>What a server says of itself in its greeting: proto.md, "Handshake flags".</summary>
[Flags]
internal enum HandshakeFlags : ushort
{
    /// <summary>No flag.</summary>
    None = 0,

    /// <summary>The server answers options that it does not know, and goes on.</summary>
    FixedNewstyle = 1 << 0,

    /// <summary>The server can leave out the 124 zeros behind the answer to EXPORT_NAME.</summary>
    NoZeroes = 1 << 1,
}

/// <summary>What a client answers to the greeting: proto.md, "Client flags".</summary>
[Flags]
internal enum ClientFlags : uint
{
    /// <summary>No flag.</summary>
    None = 0,

    /// <summary>The client knows fixed newstyle.</summary>
    FixedNewstyle = 1 << 0,

    /// <summary>The client does not want the 124 zeros.</summary>
    NoZeroes = 1 << 1,
}

/// <summary>What an export can do: proto.md, "Transmission flags".</summary>
[Flags]
internal enum TransmissionFlags : ushort
{
    /// <summary>No flag.</summary>
    None = 0,

    /// <summary>The other flags mean something; always set.</summary>
    HasFlags = 1 << 0,

    /// <summary>Writes are refused.</summary>
    ReadOnly = 1 << 1,

    /// <summary>FLUSH is known.</summary>
    SendFlush = 1 << 2,

    /// <summary>The flag FUA is known.</summary>
    SendFua = 1 << 3,

    /// <summary>The export behaves like a rotating disk.</summary>
    Rotational = 1 << 4,

    /// <summary>TRIM is known.</summary>
    SendTrim = 1 << 5,

    /// <summary>WRITE_ZEROES is known.</summary>
    SendWriteZeroes = 1 << 6,

    /// <summary>The flag DF is known.</summary>
    SendDontFragment = 1 << 7,

    /// <summary>A flush on one connection covers what was completed on all of them.</summary>
    CanMultiConn = 1 << 8,

    /// <summary>RESIZE, an experiment that was never finished.</summary>
    SendResize = 1 << 9,

    /// <summary>CACHE is known.</summary>
    SendCache = 1 << 10,

    /// <summary>The flag FAST_ZERO is known.</summary>
    SendFastZero = 1 << 11,

    /// <summary>A BLOCK_STATUS request may carry a payload; only with extended headers.</summary>
    BlockStatusPayload = 1 << 12,
}

/// <summary>Flags of one request: proto.md, "Command flags".</summary>
[Flags]
internal enum CommandFlags : ushort
{
    /// <summary>No flag.</summary>
    None = 0,

    /// <summary>Force unit access: what is written is on the disk when the reply comes.</summary>
    Fua = 1 << 0,

    /// <summary>The range of a WRITE_ZEROES stays allocated.</summary>
    NoHole = 1 << 1,

    /// <summary>One chunk of data answers a READ, or an error.</summary>
    DontFragment = 1 << 2,

    /// <summary>One extent for each context answers a BLOCK_STATUS.</summary>
    RequestOne = 1 << 3,

    /// <summary>A WRITE_ZEROES that would be as slow as a WRITE fails with ENOTSUP.</summary>
    FastZero = 1 << 4,

    /// <summary>The request has a payload; only with extended headers.</summary>
    PayloadLength = 1 << 5,
}

/// <summary>Flags of one chunk of a structured reply: proto.md, "Structured reply flags".</summary>
[Flags]
internal enum ChunkFlags : ushort
{
    /// <summary>More chunks follow.</summary>
    None = 0,

    /// <summary>The last chunk of its reply.</summary>
    Done = 1 << 0,
}

/// <summary>State flags of the context <c>base:allocation</c>: proto.md, "base:allocation metadata context".</summary>
[Flags]
internal enum AllocationFlags : uint
{
    /// <summary>Allocated, and perhaps not zero.</summary>
    None = 0,

    /// <summary>Not allocated.</summary>
    Hole = 1 << 0,

    /// <summary>Reads as zeros.</summary>
    Zero = 1 << 1,
}
