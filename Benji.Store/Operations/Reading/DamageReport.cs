using Benji.Store.Blocks.Maps;

namespace Benji.Store.Operations.Reading;

/// <summary>Lists every range of a version that a ledger calls damaged: a damaged block may stand at many indexes.</summary>
internal static class DamageReport
{
    /// <summary>Walks the block map once.</summary>
    public static async Task<IReadOnlyList<Damage>> MakeAsync(
        MapReader map, DamageLedger ledger, CancellationToken cancellationToken)
    {
        var damage = new List<Damage>();
        await foreach (var run in map.ReadAsync(0, map.Geometry.BlockCount, cancellationToken))
        {
            for (var i = 0; i < run.Ids.Length; i++)
            {
                damage.AddRange(ledger.At(run.FirstBlock + i, run.Ids.Span[i]));
            }
        }

        return damage;
    }
}
