using Benji.Store.Blocks;
using Benji.Store.Blocks.Maps;
using Benji.Store.Blocks.Sealing;
using Benji.Store.Catalogs;
using Benji.Store.Model;
using Benji.Store.Storages;

namespace Benji.Store.Operations.Rebuild;

/// <summary>Records the blocks of one store that versions need, from the headers of their objects.</summary>
/// <remarks>Where a block stands in both forms, the whole one counts, unless its header is damaged. A block that is damaged, or
/// a lender that is missing, gets a row that says so. For one caller at a time.</remarks>
internal sealed class RebuildBlocks(
    OpenedStore store, ICatalog target, TimeProvider time, RebuildProblems problems, IOperationProgress progress)
    : IDisposable
{
    private const int BatchMax = 512;

    private readonly BlockAdoption _adoption = new(store);
    private readonly Dictionary<BlockId, int> _lenders = [];

    /// <summary>Blocks recorded.</summary>
    public long Recorded { get; private set; }

    /// <summary>True when a header was damaged or a lender missing.</summary>
    public bool HasFaults { get; private set; }

    /// <summary>True when any block borrows.</summary>
    public bool HasLoans { get; private set; }

    /// <summary>Gives its buffers back.</summary>
    public void Dispose() => _adoption.Dispose();

    /// <summary>Records the objects of one range of ids that are needed.</summary>
    /// <returns>How many blocks were recorded.</returns>
    /// <exception cref="StorageException">The storage failed: nothing can be said of what it holds.</exception>
    public async Task<long> AdoptAsync(
        IdPartition range, FingerprintSet needed, CancellationToken cancellationToken)
    {
        var before = Recorded;
        var batch = new List<ObjectInfo>(BatchMax);
        await foreach (var info in store.Storage.ListAsync(ObjectNames.BlockPrefix, cancellationToken))
        {
            if (ObjectNames.TryParseBlock(info.Name, out var id, out _)
                && range.Contains(id.Hash) && needed.Contains(id.Hash))
            {
                batch.Add(info);
            }

            if (batch.Count == BatchMax)
            {
                await RecordAsync(batch, _ => 0, cancellationToken);
                batch.Clear();
            }
        }

        await RecordAsync(batch, _ => 0, cancellationToken);
        return Recorded - before;
    }

    /// <summary>Records the blocks that others borrow from and that no version needs itself.</summary>
    /// <exception cref="StorageException">The storage failed.</exception>
    public async Task AdoptLendersAsync(CancellationToken cancellationToken)
    {
        while (_lenders.Count > 0)
        {
            var lengths = _lenders.Take(BatchMax).ToDictionary();
            BlockId[] batch = [.. lengths.Keys];
            Array.ForEach(batch, id => _lenders.Remove(id));
            var known = await target.ReadAsync(
                transaction => transaction.BlockReferences.Find(batch), cancellationToken);
            var found = new List<ObjectInfo>();
            var missing = new List<BlockRow>();
            foreach (var id in batch.Where((_, i) => known[i] is null))
            {
                var info = await store.Storage.FindAsync(ObjectNames.Block(id, BlockForm.Whole), cancellationToken)
                    ?? await store.Storage.FindAsync(ObjectNames.Block(id, BlockForm.Delta), cancellationToken);
                if (info is { } there)
                {
                    found.Add(there);
                }
                else
                {
                    problems.Add($"Block {id}, from which others borrow, is missing in storage {store.Name}.");
                    missing.Add(Damaged(id, BlockForm.Whole, lengths[id], storedLength: 0));
                }
            }

            HasFaults |= missing.Count > 0;
            await target.WriteAsync(transaction => Put(transaction, [.. missing]), cancellationToken);
            await RecordAsync(found, id => lengths[id], cancellationToken);
        }
    }

    // The length is what is known of a block whose header does not tell: 0 for nothing.
    private async Task RecordAsync(
        List<ObjectInfo> objects, Func<BlockId, int> lengthOf, CancellationToken cancellationToken)
    {
        var chosen = new Dictionary<BlockId, ObjectInfo>();
        foreach (var info in objects)
        {
            Invariant.Holds(ObjectNames.TryParseBlock(info.Name, out var id, out var form));
            if (form == BlockForm.Whole || !chosen.ContainsKey(id))
            {
                chosen[id] = info;
            }
        }

        var rows = new BlockRow[chosen.Count];
        var entries = chosen.ToArray();
        var options = new ParallelOptions
        {
            CancellationToken = cancellationToken,
            MaxDegreeOfParallelism = store.Storage.Traits.ReadsMax,
        };
        await Parallel.ForAsync(0, rows.Length, options, async (i, token) =>
            rows[i] = await ReadAsync(entries[i].Key, entries[i].Value, lengthOf(entries[i].Key), token));
        Recorded += await target.WriteAsync(transaction => Put(transaction, rows), cancellationToken);
        progress.Advance(objects.Count);
        foreach (var row in rows)
        {
            HasFaults |= row.IsInvalid;
            HasLoans |= row.Loans.Count > 0;
            foreach (var lender in row.Lenders)
            {
                _lenders.TryAdd(lender, row.Length);
            }
        }
    }

    // Answers how many are new. The same block's other form may have come in an earlier batch.
    private static int Put(ICatalogTransaction transaction, BlockRow[] rows)
    {
        var known = transaction.BlockReferences.Find([.. rows.Select(row => row.Id)]);
        transaction.BlockReferences.Put(
        [
            .. rows.Where((row, i) => known[i] is null
                || (!row.IsInvalid && known[i] is { IsInvalid: true } or { Form: BlockForm.Delta })),
        ]);
        return known.Count(row => row is null);
    }

    private async Task<BlockRow> ReadAsync(
        BlockId id, ObjectInfo info, int length, CancellationToken cancellationToken)
    {
        Invariant.Holds(ObjectNames.TryParseBlock(info.Name, out _, out var form));
        try
        {
            return await _adoption.ReadAsync(id, form, info.Size, time.GetUtcNow(), cancellationToken);
        }
        catch (CorruptDataException fault)
        {
            if (form == BlockForm.Whole && await FindDeltaAsync(id, cancellationToken) is { } delta)
            {
                problems.Add($"Block {id} in storage {store.Name} counts as a delta; its whole object is damaged: {fault.Message}");
                return delta;
            }

            problems.Add($"Block {id} in storage {store.Name} is damaged: {fault.Message}");
            return Damaged(id, form, length, info.Size);
        }
    }

    private async Task<BlockRow?> FindDeltaAsync(BlockId id, CancellationToken cancellationToken)
    {
        var found = await store.Storage.FindAsync(ObjectNames.Block(id, BlockForm.Delta), cancellationToken);
        if (found is not { } info)
        {
            return null;
        }

        try
        {
            return await _adoption.ReadAsync(id, BlockForm.Delta, info.Size, time.GetUtcNow(), cancellationToken);
        }
        catch (CorruptDataException)
        {
            // Both are damaged; the whole object's damage is told.
            return null;
        }
    }

    private BlockRow Damaged(BlockId id, BlockForm form, int length, long storedLength) => new(
        id,
        store.Name,
        form,
        length,
        Allocated: 0,
        storedLength,
        [],
        Own: null,
        IsInvalid: true,
        ReferenceState.Live,
        time.GetUtcNow());
}
