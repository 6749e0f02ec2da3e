using Benji.Store.Model;

namespace Benji.Store.Catalogs;

/// <summary>The blocks that runs are about to store as deltas: no two runs store one block as deltas of different bases.</summary>
/// <remarks>Few: each lane of a running backup has at most one. Format: docs/format.md, "Delta block".</remarks>
internal interface IDeltaReservations
{
    /// <summary>Lists all of them, those of dead runs too.</summary>
    IReadOnlyList<DeltaReservation> List();

    /// <summary>Records a reservation, or replaces the one of the same id.</summary>
    void Put(DeltaReservation reservation);

    /// <summary>Forgets a reservation; a missing one is no error.</summary>
    /// <returns>True when it was there.</returns>
    bool Remove(Guid id);
}

/// <summary>Blocks whose deltas one lane is about to put.</summary>
/// <param name="Id">Its random id.</param>
/// <param name="Storage">The configured name of the storage.</param>
/// <param name="Fencing">The lease under which the run works.</param>
/// <param name="Blocks">The blocks.</param>
internal sealed record DeltaReservation(Guid Id, string Storage, long Fencing, IReadOnlyList<BlockId> Blocks);
