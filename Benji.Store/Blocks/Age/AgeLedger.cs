using Benji.Store.Catalogs;
using Benji.Store.Model;

namespace Benji.Store.Blocks.Age;

/// <summary>The moves of age marks and of doubt, each a part of somebody's transaction.</summary>
/// <remarks>Format: docs/format.md, "Age".</remarks>
internal static class AgeLedger
{
    // How long, and how many, marks are known whose objects are gone.
    private const int GoneMin = 64;
    private const int GoneMax = 256;
    private static readonly TimeSpan GoneAge = TimeSpan.FromDays(7);

    // No change takes so long.
    private static readonly TimeSpan ChangeAge = TimeSpan.FromDays(1);

    // From so many on, a publication deletes them: a listing of marks stays short.
    private const int RetiredMax = 256;

    /// <summary>Records a new mark as pending, before it is put.</summary>
    /// <returns>The mark, and the required ones that it will supersede.</returns>
    public static (AgeMark Mark, IReadOnlyList<AgeMark> Over) Begin(
        ICatalogTransaction transaction, string storage, DateTimeOffset now)
    {
        var known = transaction.AgeMarks.List(storage);
        var number = known.Count == 0 ? 1 : known.Max(other => other.Mark.Number) + 1;
        var mark = new AgeMark(number, Guid.NewGuid());
        transaction.AgeMarks.Put(new KnownMark(storage, mark, AgeMarkState.Pending, now));
        return (mark, [.. known.Where(other => other.State == AgeMarkState.Required).Select(other => other.Mark)]);
    }

    /// <summary>Makes a mark that is in the storage required, in the place of those before it, in the transaction that it
    /// stands for; does nothing when somebody did already.</summary>
    public static void Confirm(
        ICatalogTransaction transaction,
        string storage,
        AgeMark mark,
        IReadOnlyList<AgeMark> over,
        DateTimeOffset now)
    {
        var known = transaction.AgeMarks.List(storage).ToDictionary(other => other.Mark);
        if (!known.TryGetValue(mark, out var pending) || pending.State != AgeMarkState.Pending)
        {
            return;
        }

        transaction.AgeMarks.Put(pending with { State = AgeMarkState.Required, Since = now });
        foreach (var old in over)
        {
            if (known.TryGetValue(old, out var required) && required.State == AgeMarkState.Required)
            {
                transaction.AgeMarks.Put(required with { State = AgeMarkState.Retired, Since = now });
            }
        }
    }

    /// <summary>Gives a pending mark up: what it was to stand for does not come.</summary>
    public static void GiveUp(ICatalogTransaction transaction, string storage, AgeMark mark, DateTimeOffset now)
    {
        var known = transaction.AgeMarks.List(storage).FirstOrDefault(other => other.Mark == mark);
        if (known is { State: AgeMarkState.Pending })
        {
            transaction.AgeMarks.Put(known with { State = AgeMarkState.Retired, Since = now });
        }
    }

    /// <summary>True when there are so many superseded marks that somebody should delete them.</summary>
    public static bool HasManyOld(ICatalogTransaction transaction, string storage) =>
        transaction.AgeMarks.List(storage).Count(known => known.State == AgeMarkState.Retired) >= RetiredMax;

    /// <summary>Gives up the pending marks that nobody waits for any more: of changes that died between two steps.</summary>
    /// <returns>All marks that are known then.</returns>
    public static IReadOnlyList<KnownMark> RetireForgotten(
        ICatalogTransaction transaction, string storage, DateTimeOffset now)
    {
        foreach (var ahead in transaction.AgeMarks.List(storage).Where(known => known.Since > now))
        {
            transaction.AgeMarks.Put(ahead with { Since = now }); // the clock was ahead: from now on it ages
        }

        var awaited = transaction.Intents.List().Select(intent => intent.Mark)
            .Append(transaction.DeletionClaims.Find(storage)?.Mark).OfType<AgeMark>().ToHashSet();
        foreach (var known in transaction.AgeMarks.List(storage).Where(known =>
            known.State == AgeMarkState.Pending && !awaited.Contains(known.Mark) && now - known.Since > ChangeAge))
        {
            transaction.AgeMarks.Put(known with { State = AgeMarkState.Retired, Since = now });
        }

        return transaction.AgeMarks.List(storage);
    }

    /// <summary>Notes that marks were deleted, and forgets those that went longest ago.</summary>
    public static void Bury(
        ICatalogTransaction transaction, string storage, IReadOnlyCollection<AgeMark> deleted, DateTimeOffset now)
    {
        var buried = deleted.ToHashSet();
        foreach (var known in transaction.AgeMarks.List(storage)
            .Where(known => known.State == AgeMarkState.Retired && buried.Contains(known.Mark)))
        {
            transaction.AgeMarks.Put(known with { State = AgeMarkState.Gone, Since = now });
        }

        transaction.AgeMarks.Remove(
        [
            .. transaction.AgeMarks.List(storage)
                .Where(known => known.State == AgeMarkState.Gone)
                .OrderByDescending(known => known.Since)
                .ThenByDescending(known => known.Mark.Number)
                .Where((known, i) => i >= GoneMax || (i >= GoneMin && now - known.Since > GoneAge))
                .Select(known => known.Mark),
        ]);
    }

    /// <summary>Notes that a run ended without a version: no mark stands for the rows it recorded, and it may have put
    /// objects that have none.</summary>
    /// <param name="transaction">The transaction that forgets the run's intent.</param>
    /// <param name="storage">Where it stored.</param>
    /// <param name="began">When it began; its rows are not older.</param>
    public static void Doubt(ICatalogTransaction transaction, string storage, DateTimeOffset began)
    {
        if (transaction.StorageBindings.Find(storage) is { } binding)
        {
            var from = binding.DoubtFrom is { } doubt && doubt < began ? doubt : began;
            transaction.StorageBindings.Put(binding with
            {
                DoubtFrom = from,
                HoldsStrays = true,
                Doubts = binding.Doubts + 1,
            });
        }
    }
}
