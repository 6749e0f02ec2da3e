using Benji.Nbd.Protocol;

namespace Benji.Nbd.Client;

/// <summary>What a handshake has settled.</summary>
/// <param name="Info">The export's size and abilities.</param>
/// <param name="Sizes">The lengths it takes.</param>
/// <param name="IsStructured">True when replies come in chunks.</param>
/// <param name="Contexts">The metadata contexts that were agreed on, by the numbers they have in block status.</param>
internal sealed record NegotiatedExport(
    ExportInfo Info, BlockSizeInfo Sizes, bool IsStructured, IReadOnlyDictionary<uint, string> Contexts)
{
    /// <summary>What is allowed when a server does not say: proto.md, "Block size constraints".</summary>
    public static BlockSizeInfo SizesDefault { get; } = new(Minimum: 1, Preferred: 4096, NbdLimits.PayloadMax);

    /// <summary>Returns true when the export can do all of this.</summary>
    public bool Can(TransmissionFlags flags) => (Info.Flags & flags) == flags;
}
