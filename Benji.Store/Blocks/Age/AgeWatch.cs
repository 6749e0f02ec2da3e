using System.Text;
using Benji.Store.Blocks.Sealing;
using Benji.Store.Catalogs;
using Benji.Store.Model;

namespace Benji.Store.Blocks.Age;

/// <summary>Puts age marks into one storage, and tells whether catalog and storage are of the same age.</summary>
/// <remarks>Safe for concurrent calls. Format: docs/format.md, "Age".</remarks>
internal sealed class AgeWatch(OpenedStore store, ICatalog catalog, TimeProvider time)
{
    private static readonly TimeSpan RecentMax = TimeSpan.FromSeconds(5);
    private static readonly byte[] Content = Encoding.ASCII.GetBytes("benji age mark\n");

    // When the last look that found nothing began; 0 before the first.
    private long _lastLook;

    /// <summary>Puts a mark that the catalog knows; durable when it returns.</summary>
    /// <exception cref="StorageException">It could not be written.</exception>
    public Task PutAsync(AgeMark mark, CancellationToken cancellationToken) =>
        store.Storage.PutAsync(ObjectNames.AgeMark(mark), Content, cancellationToken);

    /// <summary>Deletes marks that are neither required nor pending; missing ones count as deleted.</summary>
    /// <exception cref="StorageException">Some could not be deleted.</exception>
    public Task DeleteAsync(IReadOnlyCollection<AgeMark> marks, CancellationToken cancellationToken) =>
        store.Storage.DeleteAsync([.. marks.Select(ObjectNames.AgeMark)], cancellationToken);

    /// <summary>Looks, and refuses when catalog and storage are not of the same age.</summary>
    /// <exception cref="AgeMismatchException">They are not.</exception>
    /// <exception cref="StorageException">The marks could not be listed.</exception>
    public async Task LookAsync(CancellationToken cancellationToken)
    {
        if (await FindMismatchAsync(cancellationToken) is { } mismatch)
        {
            throw new AgeMismatchException(mismatch.Describe(store.Name, store.Storage.Traits.Description));
        }
    }

    /// <summary>The same, unless a look of less than 5 s ago found nothing.</summary>
    /// <exception cref="AgeMismatchException">They are not of the same age.</exception>
    /// <exception cref="StorageException">The marks could not be listed.</exception>
    public Task LookUnlessRecentAsync(CancellationToken cancellationToken) =>
        Interlocked.Read(ref _lastLook) is var last and not 0 && time.GetElapsedTime(last) <= RecentMax
            ? Task.CompletedTask
            : LookAsync(cancellationToken);

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
        var listed = new HashSet<AgeMark>();
        await foreach (var info in store.Storage.ListAsync(ObjectNames.AgeMarkPrefix, cancellationToken))
        {
            if (ObjectNames.TryParseAgeMark(info.Name, out var mark))
            {
                listed.Add(mark);
            }
        }

        var known = await catalog.ReadAsync(transaction => transaction.AgeMarks.List(store.Name), cancellationToken);
        var missing = new List<AgeMark>();
        foreach (var required in known.Where(other => other.State == AgeMarkState.Required))
        {
            // Some storages list late what they answer for at once.
            if (!listed.Contains(required.Mark)
                && await store.Storage.FindAsync(ObjectNames.AgeMark(required.Mark), cancellationToken) is null)
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

    /// <summary>Says what differs and what to do, for a person.</summary>
    public string Describe(string storage, string place)
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
        return $"Storage {storage} ({place}) {what} Nothing was changed. 'benji rebuild --force' makes a new catalog from the "
            + "storage; restores of what is there work as they are.";
    }
}
