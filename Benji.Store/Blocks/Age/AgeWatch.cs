using Benji.Store.Catalogs;
using Benji.Store.Model;

namespace Benji.Store.Blocks.Age;

/// <summary>Puts age marks into one storage, and tells whether catalog and storage are of the same age.</summary>
/// <remarks>Safe for concurrent calls. Format: docs/format.md, "Age".</remarks>
internal sealed class AgeWatch(OpenedStore store, ICatalog catalog, TimeProvider time)
{
    private static readonly TimeSpan RecentMax = TimeSpan.FromSeconds(5);

    private readonly AgeMarkStore _marks = new(store);

    // When the last look that found nothing began; 0 before the first.
    private long _lastLook;

    /// <summary>The storage that is watched.</summary>
    public OpenedStore Store => store;

    /// <summary>True when a look of at most 5 s ago found nothing.</summary>
    public bool IsRecent =>
        Interlocked.Read(ref _lastLook) is var last and not 0 && time.GetElapsedTime(last) <= RecentMax;

    /// <summary>Puts a mark that the catalog knows; durable when it returns.</summary>
    /// <exception cref="StorageException">It could not be written.</exception>
    public Task PutAsync(AgeMark mark, CancellationToken cancellationToken) => _marks.PutAsync(mark, cancellationToken);

    /// <summary>Deletes marks that are neither required nor pending; missing ones count as deleted.</summary>
    /// <exception cref="StorageException">Some could not be deleted.</exception>
    public Task DeleteAsync(IReadOnlyCollection<AgeMark> marks, CancellationToken cancellationToken) =>
        _marks.DeleteAsync(marks, cancellationToken);

    /// <summary>Changes what the catalog says of a version or a block, with a mark, so that an older copy of it is noticed.</summary>
    /// <param name="begin">What is true from the first transaction on; the mark is recorded in the same.</param>
    /// <param name="put">What is put before the mark.</param>
    /// <param name="end">What is true when the mark is there; in the transaction that confirms it.</param>
    /// <param name="cancellationToken">Stops before anything is put.</param>
    /// <exception cref="StorageException">The storage failed; what began stands.</exception>
    public async Task<T> ChangeAsync<T>(
        Action<ICatalogTransaction> begin,
        Func<Task> put,
        Func<ICatalogTransaction, T> end,
        CancellationToken cancellationToken)
    {
        var (mark, over) = await catalog.WriteAsync(
            transaction =>
            {
                begin(transaction);
                return AgeLedger.Begin(transaction, store.Name, time.GetUtcNow());
            },
            cancellationToken);
        await put();
        await PutAsync(mark, CancellationToken.None);
        return await catalog.WriteAsync(
            transaction =>
            {
                AgeLedger.Confirm(transaction, store.Name, mark, over, time.GetUtcNow());
                return end(transaction);
            },
            CancellationToken.None);
    }

    /// <summary>Deletes the marks that were superseded or given up, and forgets the oldest of those that are gone.</summary>
    /// <remarks>For somebody who has just looked.</remarks>
    /// <exception cref="StorageException">They could not be listed, or some not be deleted.</exception>
    public async Task DeleteOldAsync(CancellationToken cancellationToken)
    {
        var known = await catalog.WriteAsync(
            transaction => AgeLedger.RetireForgotten(transaction, store.Name, time.GetUtcNow()), cancellationToken);
        var retired = known.Where(other => other.State == AgeMarkState.Retired).Select(other => other.Mark).ToList();
        if (retired.Count == 0)
        {
            return;
        }

        // By the listing and not by the rows alone: a run that was taken for dead may have put its mark late.
        var old = await _marks.ListAsync(cancellationToken);
        old.IntersectWith(known
            .Where(other => other.State is AgeMarkState.Retired or AgeMarkState.Gone)
            .Select(other => other.Mark));
        await _marks.DeleteAsync(old, cancellationToken);
        await catalog.WriteAsync(
            transaction =>
            {
                AgeLedger.Bury(transaction, store.Name, retired, time.GetUtcNow());
                return true;
            },
            cancellationToken);
    }

    /// <summary>Looks, and refuses when catalog and storage are not of the same age.</summary>
    /// <exception cref="AgeMismatchException">They are not.</exception>
    /// <exception cref="StorageException">The marks could not be listed.</exception>
    public async Task LookAsync(CancellationToken cancellationToken)
    {
        if (await FindMismatchAsync(cancellationToken) is { } mismatch)
        {
            throw new AgeMismatchException(mismatch.Describe(store, "Nothing was changed."));
        }
    }

    /// <summary>The same, unless a look of less than 5 s ago found nothing.</summary>
    /// <exception cref="AgeMismatchException">They are not of the same age.</exception>
    /// <exception cref="StorageException">The marks could not be listed.</exception>
    public Task LookUnlessRecentAsync(CancellationToken cancellationToken) =>
        IsRecent ? Task.CompletedTask : LookAsync(cancellationToken);

    /// <summary>Compares the marks that the storage holds with those that the catalog knows; writes nothing.</summary>
    /// <returns>How they differ, in two looks alike: marks are put and superseded all the time. Null when they do not.</returns>
    /// <exception cref="StorageException">The marks could not be listed.</exception>
    public async Task<AgeMismatch?> FindMismatchAsync(CancellationToken cancellationToken)
    {
        for (AgeMismatch? before = null; ;)
        {
            var began = time.GetTimestamp();
            var seen = await CompareAsync(cancellationToken);
            if (seen is null)
            {
                Interlocked.Exchange(ref _lastLook, began);
                return null;
            }

            if (before is not null && seen.Shares(before))
            {
                return seen;
            }

            before = seen;
        }
    }

    private async Task<AgeMismatch?> CompareAsync(CancellationToken cancellationToken)
    {
        // The storage first: whoever put a mark that is listed had recorded it before.
        var listed = await _marks.ListAsync(cancellationToken);
        var known = await catalog.ReadAsync(transaction => transaction.AgeMarks.List(store.Name), cancellationToken);
        var missing = new List<AgeMark>();
        foreach (var required in known.Where(other => other.State == AgeMarkState.Required))
        {
            // Some storages list late what they answer for at once.
            if (!listed.Contains(required.Mark) && !await _marks.ExistsAsync(required.Mark, cancellationToken))
            {
                missing.Add(required.Mark);
            }
        }

        listed.ExceptWith(known.Select(other => other.Mark));
        return missing.Count + listed.Count == 0 ? null : new AgeMismatch(missing, [.. listed]);
    }
}

/// <summary>How a catalog and a storage differ in age.</summary>
/// <param name="Missing">Marks that the storage should hold and does not.</param>
/// <param name="Unknown">Marks that it holds and that the catalog never recorded.</param>
internal sealed record AgeMismatch(IReadOnlyList<AgeMark> Missing, IReadOnlyList<AgeMark> Unknown)
{
    /// <summary>True when one mark is missing, or unknown, in both.</summary>
    public bool Shares(AgeMismatch other) =>
        Missing.Intersect(other.Missing).Any() || Unknown.Intersect(other.Unknown).Any();

    /// <summary>Says what differs, what that means for what was asked for, and what to do.</summary>
    /// <param name="store">The storage.</param>
    /// <param name="consequence">A sentence.</param>
    public string Describe(OpenedStore store, string consequence)
    {
        var what = (Missing.Count, Unknown.Count) switch
        {
            (_, 0) => "is older than the catalog: it lacks what the catalog put there "
                + $"(age mark {Missing.Max(mark => mark.Number)}). Was an older copy of it put back?",
            (0, _) => "holds the work of another catalog "
                + $"(age mark {Unknown.Max(mark => mark.Number)}): either another catalog is used with it, or this catalog is an older copy.",
            _ => "and this catalog do not belong together any more: the catalog is an older copy, or another catalog is "
                + $"used with the storage (it lacks age mark {Missing.Max(mark => mark.Number)} and holds "
                + $"{Unknown.Max(mark => mark.Number)}).",
        };
        return $"Storage {store.Name} ({store.Storage.Traits.Description}) {what} {consequence} "
            + "'benji rebuild --force' makes a new catalog from the storage.";
    }
}
