using Benji.Store.Model;

namespace Benji.Store.Catalogs;

/// <summary>What only a catalog knows, saved from one that is to be replaced.</summary>
/// <param name="InvalidBlocks">The blocks that are known to be damaged.</param>
/// <param name="Overlays">The overlays.</param>
internal sealed record CatalogRemains(IReadOnlyList<BlockId> InvalidBlocks, IReadOnlyList<OverlayRecord> Overlays);
