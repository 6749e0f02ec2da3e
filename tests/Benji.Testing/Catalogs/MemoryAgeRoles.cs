using Benji.Store.Catalogs;
using Benji.Store.Model;

namespace Benji.Testing.Catalogs;

/// <summary>The deletions under way of a <see cref="MemoryCatalog"/>.</summary>
internal sealed class MemoryDeletionClaims(MemorySession session) : IDeletionClaims
{
    /// <inheritdoc/>
    public DeletionClaim? Find(string storage) => session.State.Claims.GetValueOrDefault(storage);

    /// <inheritdoc/>
    public void Put(DeletionClaim claim) =>
        session.State = session.State with { Claims = session.State.Claims.SetItem(claim.Storage, claim) };

    /// <inheritdoc/>
    public void Remove(string storage) =>
        session.State = session.State with { Claims = session.State.Claims.Remove(storage) };
}

/// <summary>The reservations of deltas of a <see cref="MemoryCatalog"/>.</summary>
internal sealed class MemoryDeltaReservations(MemorySession session) : IDeltaReservations
{
    /// <inheritdoc/>
    public IReadOnlyList<DeltaReservation> List() => [.. session.State.Reservations.Values];

    /// <inheritdoc/>
    public void Put(DeltaReservation reservation) => session.State = session.State with
    {
        Reservations = session.State.Reservations.SetItem(reservation.Id, reservation),
    };

    /// <inheritdoc/>
    public bool Remove(Guid id)
    {
        var found = session.State.Reservations.ContainsKey(id);
        session.State = session.State with { Reservations = session.State.Reservations.Remove(id) };
        return found;
    }
}

/// <summary>The age marks of a <see cref="MemoryCatalog"/>.</summary>
internal sealed class MemoryAgeMarks(MemorySession session) : IAgeMarks
{
    /// <inheritdoc/>
    public IReadOnlyList<KnownMark> List(string storage) =>
    [
        .. session.State.AgeMarks.Values
            .Where(known => known.Storage == storage)
            .OrderBy(known => known.Mark.Number)
            .ThenBy(known => known.Mark.Token),
    ];

    /// <inheritdoc/>
    public void Put(KnownMark mark) =>
        session.State = session.State with { AgeMarks = session.State.AgeMarks.SetItem(mark.Mark, mark) };

    /// <inheritdoc/>
    public void Remove(IReadOnlyList<AgeMark> marks) =>
        session.State = session.State with { AgeMarks = session.State.AgeMarks.RemoveRange(marks) };
}
