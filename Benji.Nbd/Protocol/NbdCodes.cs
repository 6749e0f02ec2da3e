namespace Benji.Nbd.Protocol;

/// <summary>What a client may ask before the transmission: proto.md, "Option types".</summary>
internal enum OptionCode : uint
{
    /// <summary>Choose an export and begin; without a reply when it fails.</summary>
    ExportName = 1,

    /// <summary>End the negotiation.</summary>
    Abort = 2,

    /// <summary>Name the exports.</summary>
    List = 3,

    /// <summary>Withdrawn.</summary>
    PeekExport = 4,

    /// <summary>Continue under TLS.</summary>
    StartTls = 5,

    /// <summary>Describe an export.</summary>
    Info = 6,

    /// <summary>Describe an export and begin.</summary>
    Go = 7,

    /// <summary>Reply in chunks from now on.</summary>
    StructuredReply = 8,

    /// <summary>Name the metadata contexts of an export.</summary>
    ListMetaContext = 9,

    /// <summary>Choose metadata contexts of an export.</summary>
    SetMetaContext = 10,

    /// <summary>64-bit requests and replies; an experiment.</summary>
    ExtendedHeaders = 11,
}

/// <summary>How an option is answered: proto.md, "Option reply types".</summary>
internal enum OptionReply : uint
{
    /// <summary>Done.</summary>
    Ack = 1,

    /// <summary>One export.</summary>
    Server = 2,

    /// <summary>One fact of an export.</summary>
    Info = 3,

    /// <summary>One metadata context.</summary>
    MetaContext = 4,

    /// <summary>The option is not known.</summary>
    ErrUnsupported = ErrorBit + 1,

    /// <summary>The option is forbidden.</summary>
    ErrPolicy = ErrorBit + 2,

    /// <summary>The option's data is not valid.</summary>
    ErrInvalid = ErrorBit + 3,

    /// <summary>The option is not possible on this platform.</summary>
    ErrPlatform = ErrorBit + 4,

    /// <summary>TLS must come first.</summary>
    ErrTlsRequired = ErrorBit + 5,

    /// <summary>There is no such export.</summary>
    ErrUnknown = ErrorBit + 6,

    /// <summary>The server is ending.</summary>
    ErrShutdown = ErrorBit + 7,

    /// <summary>The client must ask for the block size first.</summary>
    ErrBlockSizeRequired = ErrorBit + 8,

    /// <summary>The answer would be too big.</summary>
    ErrTooBig = ErrorBit + 9,

    /// <summary>Set in every reply that is an error.</summary>
    ErrorBit = 1u << 31,
}

/// <summary>Facts of an export: proto.md, "NBD_REP_INFO".</summary>
internal enum InfoType : ushort
{
    /// <summary>Its size and transmission flags.</summary>
    Export = 0,

    /// <summary>Its canonical name.</summary>
    Name = 1,

    /// <summary>A text for a person.</summary>
    Description = 2,

    /// <summary>Which lengths are allowed and which are good.</summary>
    BlockSize = 3,
}

/// <summary>What a request asks: proto.md, "Request types".</summary>
internal enum Command : ushort
{
    /// <summary>Read a range.</summary>
    Read = 0,

    /// <summary>Write a range; the data follows.</summary>
    Write = 1,

    /// <summary>Disconnect.</summary>
    Disconnect = 2,

    /// <summary>Make what was completed durable.</summary>
    Flush = 3,

    /// <summary>A range is not needed any more.</summary>
    Trim = 4,

    /// <summary>Read a range soon.</summary>
    Cache = 5,

    /// <summary>Make a range zeros.</summary>
    WriteZeroes = 6,

    /// <summary>Tell the extents of a range.</summary>
    BlockStatus = 7,

    /// <summary>Change the size; an experiment.</summary>
    Resize = 8,
}

/// <summary>What a chunk of a structured reply holds: proto.md, "Structured reply types".</summary>
internal enum ChunkType : ushort
{
    /// <summary>Nothing: the end of a reply.</summary>
    None = 0,

    /// <summary>Data at an offset.</summary>
    OffsetData = 1,

    /// <summary>Zeros at an offset.</summary>
    OffsetHole = 2,

    /// <summary>Extents of one context.</summary>
    BlockStatus = 5,

    /// <summary>An error.</summary>
    Error = ErrorBit + 1,

    /// <summary>An error at an offset.</summary>
    ErrorOffset = ErrorBit + 2,

    /// <summary>Set in every type that is an error.</summary>
    ErrorBit = 1 << 15,
}

/// <summary>Why a request failed: proto.md, "Error values".</summary>
internal enum NbdError : uint
{
    /// <summary>It did not.</summary>
    None = 0,

    /// <summary>EPERM: not permitted.</summary>
    NotPermitted = 1,

    /// <summary>EIO: input or output failed.</summary>
    InputOutput = 5,

    /// <summary>ENOMEM: no memory.</summary>
    NoMemory = 12,

    /// <summary>EINVAL: the request is not valid.</summary>
    Invalid = 22,

    /// <summary>ENOSPC: no space left.</summary>
    NoSpace = 28,

    /// <summary>EOVERFLOW: the reply would not fit in one chunk.</summary>
    Overflow = 75,

    /// <summary>ENOTSUP: not supported.</summary>
    NotSupported = 95,

    /// <summary>ESHUTDOWN: the server is ending.</summary>
    Shutdown = 108,
}
