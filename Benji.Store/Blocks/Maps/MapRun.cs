using Benji.Store.Model;

namespace Benji.Store.Blocks.Maps;

/// <summary>Consecutive blocks of a map: either a stretch of holes of any length, or at most one leaf page's
/// ids.</summary>
/// <param name="FirstBlock">The index of the first block.</param>
/// <param name="Count">Blocks in the run, at least 1.</param>
/// <param name="Ids">The ids, single holes among them; empty for a stretch of holes.</param>
internal readonly record struct MapRun(long FirstBlock, long Count, ReadOnlyMemory<BlockId> Ids)
{
    /// <summary>True when every block of the run is a hole and no ids are given.</summary>
    public bool IsHole => Ids.IsEmpty;

    /// <summary>The index behind the last block.</summary>
    public long End => FirstBlock + Count;
}
