namespace Benji.Nbd.Protocol;

/// <summary>How long the parts of messages may be: limits of the specification, and ours where it sets none.</summary>
internal static class NbdLimits
{
    /// <summary>Bytes in a name, description or error text: proto.md, "Values", "NBD strings".</summary>
    public const int StringMax = 4096;

    /// <summary>Bytes in the data of one option; the longest legal ones we answer to are far below.</summary>
    public const int OptionMax = 64 * 1024;

    /// <summary>Bytes that a READ or WRITE may ask for without having asked for the block size: 32 MiB.</summary>
    public const int PayloadMax = 32 * 1024 * 1024;

    /// <summary>Extents in one chunk of block status.</summary>
    public const int ExtentsMax = 131_072;

    /// <summary>Queries in one option about metadata contexts.</summary>
    public const int QueriesMax = 1024;

    /// <summary>The TCP port registered for NBD.</summary>
    public const int Port = 10809;
}
