using Benji.Store.Blocks;
using Benji.Store.Catalogs;
using Benji.Store.Model;

namespace Benji.Store.Operations.Running;

/// <summary>Says which blocks a damaged object concerns, and marks them.</summary>
internal static class DamagedObjects
{
    /// <summary>Chooses the blocks whose own objects failed: those that are recorded, not what lies beside them.</summary>
    public static IReadOnlyList<BlockId> Recorded(
        IBlockReferences references, IReadOnlyCollection<FaultyObject> faults)
    {
        FaultyObject[] failed = [.. faults];
        var rows = references.Find([.. failed.Select(fault => fault.Block)]);
        return
        [
            .. failed.Where((fault, i) => fault.Form is null || rows[i] is null || rows[i]!.Form == fault.Form)
                .Select(fault => fault.Block)
                .Distinct(),
        ];
    }

    /// <summary>Marks blocks of which something is lost, and those whose own objects failed.</summary>
    /// <returns>All of them.</returns>
    public static IReadOnlyCollection<BlockId> Mark(
        IBlockReferences references, IEnumerable<BlockId> damaged, IReadOnlyCollection<FaultyObject> faults)
    {
        var marked = damaged.Union(Recorded(references, faults)).ToHashSet();
        references.SetInvalid([.. marked], isInvalid: true);
        return marked;
    }
}
