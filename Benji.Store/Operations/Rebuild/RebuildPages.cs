using System.Collections.Concurrent;
using Benji.Store.Blocks;
using Benji.Store.Blocks.Maps;
using Benji.Store.Blocks.Sealing;
using Benji.Store.Catalogs;
using Benji.Store.Model;

namespace Benji.Store.Operations.Rebuild;

/// <summary>Reads map pages from a storage's objects and records them in the catalog that is being made.</summary>
/// <remarks>A page that is missing or damaged reads as one of holes and is remembered, so that one fault does not hide
/// the rest. Safe for concurrent calls.</remarks>
internal sealed class RebuildPages(
    OpenedStore store, ICatalog target, TimeProvider time, RebuildProblems problems) : IPageSource
{
    private readonly ConcurrentDictionary<PageId, bool> _faults = new();

    /// <summary>True when any page was missing or damaged.</summary>
    public bool HasFaults => !_faults.IsEmpty;

    /// <summary>True when this page was missing or damaged.</summary>
    public bool IsFault(PageId id) => _faults.ContainsKey(id);

    /// <inheritdoc/>
    public async ValueTask<byte[]?[]> ReadAsync(
        IReadOnlyList<PageId> ids, int level, CancellationToken cancellationToken)
    {
        PageId[] wanted = [.. ids.Where(id => !id.IsHole && !IsFault(id)).Distinct()];
        var rows = await target.ReadAsync(transaction => transaction.BlockMaps.Find(wanted), cancellationToken);
        var found = new ConcurrentDictionary<PageId, byte[]>(
            rows.OfType<MapPageRow>().Select(row => KeyValuePair.Create(row.Id, row.Content)));
        PageId[] missing = [.. wanted.Where(id => !found.ContainsKey(id))];
        if (missing.Length > 0)
        {
            var options = new ParallelOptions
            {
                CancellationToken = cancellationToken,
                MaxDegreeOfParallelism = store.Storage.Traits.ReadsMax,
            };
            await Parallel.ForEachAsync(missing, options, async (id, token) =>
            {
                if (await ReadAsync(id, level, token) is { } content)
                {
                    found.TryAdd(id, content);
                }
            });
            await RecordAsync(missing.Where(found.ContainsKey), level, found, cancellationToken);
        }

        return [.. ids.Select(id => found.GetValueOrDefault(id))];
    }

    private async Task<byte[]?> ReadAsync(PageId id, int level, CancellationToken cancellationToken)
    {
        try
        {
            using var bytes = await ObjectReader.FindAsync(
                store.Storage, ObjectNames.Page(id), SealedPages.ObjectLengthMax, store.Pool, cancellationToken);
            if (bytes is not null)
            {
                return store.Pages.Open(id, level, bytes.Span);
            }

            problems.Add($"Map page {id} of level {level} is missing in storage {store.Name}.");
        }
        catch (CorruptDataException fault)
        {
            problems.Add($"Map page {id} of level {level} in storage {store.Name} is damaged: {fault.Message}");
        }

        _faults.TryAdd(id, true);
        return null;
    }

    private Task<bool> RecordAsync(
        IEnumerable<PageId> ids,
        int level,
        ConcurrentDictionary<PageId, byte[]> contents,
        CancellationToken cancellationToken)
    {
        MapPageRow[] rows =
        [
            .. ids.Select(id => new MapPageRow(
                id, store.Name, level, contents[id], ReferenceState.Live, time.GetUtcNow())),
        ];
        return target.WriteAsync(
            transaction =>
            {
                transaction.BlockMaps.Put(rows);
                return true;
            },
            cancellationToken);
    }
}
