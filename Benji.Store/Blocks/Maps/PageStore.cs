using System.Collections.Concurrent;
using Benji.Store.Blocks.Sealing;
using Benji.Store.Catalogs;
using Benji.Store.Model;

namespace Benji.Store.Blocks.Maps;

/// <summary>The map pages of one store: the catalog's rows for reading, the storage's objects for the day it is
/// lost.</summary>
/// <remarks><para>A page is read from its row, and from its object when the row is missing or damaged; the row is then
/// put back. Whoever reads holds a lease on a version that needs the page, so that no cleanup deletes it
/// meanwhile.</para>
/// <para>A page is put under the lease of a backup or promote: its object is durable before its row says that it is
/// there, and a row of which that is not known for certain is not taken at its word. Safe for concurrent calls. Decision:
/// docs/decisions/0007. Format: docs/format.md, "Age".</para></remarks>
/// <param name="store">The store.</param>
/// <param name="catalog">The catalog.</param>
/// <param name="deletions">What cleanups are deleting.</param>
/// <param name="time">The clock.</param>
/// <param name="run">The run that puts pages; the default for one that only reads.</param>
internal sealed class PageStore(
    OpenedStore store, ICatalog catalog, PendingDeletions deletions, TimeProvider time, StoringRun run = default)
    : IPageStore
{
    // Rows of one transaction: 2 MiB of content, far below what one transaction of the catalog may hold.
    private const int RowsMax = 256;

    // 4 MiB: the pages above the leaves, and the leaves that a backup reads for comparison and again for its new map.
    private const int CachedPagesMax = 512;

    private readonly PageCache _cache = new(CachedPagesMax);
    private long _storedBytes;

    /// <summary>Bytes of the objects that were put through this.</summary>
    public long StoredBytes => Interlocked.Read(ref _storedBytes);

    /// <inheritdoc/>
    public PageId ComputeId(int level, ReadOnlySpan<byte> content) => store.Pages.ComputeId(level, content);

    /// <inheritdoc/>
    public async ValueTask<byte[]?[]> ReadAsync(
        IReadOnlyList<PageId> ids, int level, CancellationToken cancellationToken)
    {
        var contents = new Dictionary<PageId, byte[]>();
        var wanted = new List<PageId>();
        foreach (var id in ids.Where(id => !id.IsHole).Distinct())
        {
            if (_cache.Find(id) is { } content)
            {
                contents.Add(id, content);
            }
            else
            {
                wanted.Add(id);
            }
        }

        foreach (var batch in wanted.Chunk(RowsMax))
        {
            var rows = await catalog.ReadAsync(transaction => transaction.BlockMaps.Find(batch), cancellationToken);
            foreach (var row in rows)
            {
                // A damaged row counts as missing: the catalog can be made again from the objects.
                if (row is not null && row.Level == level && ComputeId(level, row.Content) == row.Id)
                {
                    Keep(row.Id, row.Content, contents);
                }
            }

            PageId[] missing = [.. batch.Where(id => !contents.ContainsKey(id))];
            if (missing.Length > 0)
            {
                await ReadObjectsAsync(missing, level, contents, cancellationToken);
            }
        }

        return [.. ids.Select(id => id.IsHole ? null : contents[id])];
    }

    /// <inheritdoc/>
    /// <exception cref="StorageException">A page could not be stored.</exception>
    public async Task PutAsync(IReadOnlyDictionary<PageId, MapPage> pages, CancellationToken cancellationToken)
    {
        foreach (var batch in pages.Chunk(RowsMax))
        {
            await PutBatchAsync(batch, cancellationToken);
        }
    }

    private async Task ReadObjectsAsync(
        PageId[] ids, int level, Dictionary<PageId, byte[]> contents, CancellationToken cancellationToken)
    {
        var read = new byte[ids.Length][];
        var options = new ParallelOptions
        {
            CancellationToken = cancellationToken,
            MaxDegreeOfParallelism = store.Storage.Traits.ReadsMax,
        };
        await Parallel.ForAsync(0, ids.Length, options, async (i, token) =>
            read[i] = await ReadObjectAsync(ids[i], level, token));
        if (!catalog.IsReadOnly)
        {
            await catalog.WriteAsync(transaction => PutBack(transaction.BlockMaps, ids, level, read), cancellationToken);
        }

        for (var i = 0; i < ids.Length; i++)
        {
            Keep(ids[i], read[i], contents);
        }
    }

    private bool PutBack(IBlockMaps pages, PageId[] ids, int level, byte[][] contents)
    {
        var rows = pages.Find(ids);
        pages.Put([.. rows.Select((row, i) => row is null
            ? NewRow(ids[i], new MapPage(level, contents[i]))
            : row with { Level = level, Content = contents[i] })]);
        return true;
    }

    private void Keep(PageId id, byte[] content, Dictionary<PageId, byte[]> contents)
    {
        contents.Add(id, content);
        _cache.Add(id, content);
    }

    private async ValueTask<byte[]> ReadObjectAsync(PageId id, int level, CancellationToken cancellationToken)
    {
        using var bytes = await ObjectReader.FindAsync(
            store.Storage, ObjectNames.Page(id), SealedPages.ObjectLengthMax, store.Pool, cancellationToken);
        return bytes is null
            ? throw new CorruptDataException(
                $"Map page {id} of level {level} is neither in the catalog nor in storage {store.Name}.")
            : store.Pages.Open(id, level, bytes.Span);
    }

    private async Task PutBatchAsync(KeyValuePair<PageId, MapPage>[] batch, CancellationToken cancellationToken)
    {
        PageId[] ids = [.. batch.Select(page => page.Key)];
        var seen = await catalog.WriteAsync(transaction => Adopt(transaction, ids), cancellationToken);
        while (seen.Deleting.Count > 0)
        {
            await deletions.WaitAsync(seen.Deleting, cancellationToken);
            seen = await catalog.WriteAsync(transaction => Adopt(transaction, ids), cancellationToken);
        }

        var absent = seen.Absent.ToHashSet();
        absent.UnionWith(await FindMissingAsync(seen.Doubtful, cancellationToken));
        if (absent.Count == 0)
        {
            return;
        }

        KeyValuePair<PageId, MapPage>[] missing = [.. batch.Where(page => absent.Contains(page.Key))];
        await StoreAsync(missing, cancellationToken);
        await catalog.WriteAsync(
            transaction =>
            {
                transaction.BlockMaps.Put([.. missing.Select(page => NewRow(page.Key, page.Value))]);
                return true;
            },
            cancellationToken);
    }

    // What is found as a candidate is live again when this transaction ends, so that no cleanup takes it, and only then is it
    // looked for. An orphan is put anew: nobody knows what its object is worth, and no cleanup takes it while a backup runs.
    private Sight Adopt(ICatalogTransaction transaction, IReadOnlyList<PageId> ids)
    {
        var rows = transaction.BlockMaps.Find(ids);
        IReadOnlyList<PageId> Where(Func<MapPageRow?, bool> fits) => [.. ids.Where((_, i) => fits(rows[i]))];
        var candidates = Where(row => row?.State == ReferenceState.Candidate);
        if (candidates.Count > 0)
        {
            transaction.BlockMaps.SetState(candidates, ReferenceState.Live, run.Stamp(time));
        }

        var doubtFrom = transaction.StorageBindings.Find(store.Name)?.DoubtFrom;
        return new Sight(
            Where(row => row?.State == ReferenceState.Deleting),
            Where(row => row is null or { State: ReferenceState.Orphan }),
            [.. candidates, .. Where(row => row?.State == ReferenceState.Live && row.Since >= doubtFrom)]);
    }

    private async Task<IReadOnlyCollection<PageId>> FindMissingAsync(
        IReadOnlyList<PageId> doubtful, CancellationToken cancellationToken)
    {
        var missing = new ConcurrentBag<PageId>();
        var options = new ParallelOptions
        {
            CancellationToken = cancellationToken,
            MaxDegreeOfParallelism = store.Storage.Traits.ReadsMax,
        };
        await Parallel.ForEachAsync(doubtful, options, async (id, token) =>
        {
            if (await store.Storage.FindAsync(ObjectNames.Page(id), token) is null)
            {
                missing.Add(id);
            }
        });
        return missing;
    }

    private async Task StoreAsync(KeyValuePair<PageId, MapPage>[] pages, CancellationToken cancellationToken)
    {
        await using var batch = store.Storage.StartBatch();
        foreach (var (id, page) in pages)
        {
            using var bytes = store.Pages.Seal(id, page.Level, page.Content);
            await batch.AddAsync(ObjectNames.Page(id), bytes.Memory, cancellationToken);
            Interlocked.Add(ref _storedBytes, bytes.Length);
            if (batch.Count >= store.Storage.Traits.BatchObjects || batch.Bytes >= store.Storage.Traits.BatchBytes)
            {
                await batch.CommitAsync(cancellationToken);
            }
        }

        if (batch.Count > 0)
        {
            await batch.CommitAsync(cancellationToken);
        }
    }

    private MapPageRow NewRow(PageId id, MapPage page) =>
        new(id, store.Name, page.Level, page.Content, ReferenceState.Live, run.Stamp(time));

    private sealed record Sight(
        IReadOnlyList<PageId> Deleting, IReadOnlyList<PageId> Absent, IReadOnlyList<PageId> Doubtful);
}
