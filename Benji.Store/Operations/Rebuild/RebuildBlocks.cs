using Benji.Store.Blocks;
using Benji.Store.Blocks.Maps;
using Benji.Store.Blocks.Sealing;
using Benji.Store.Catalogs;
using Benji.Store.Model;
using Benji.Store.Storages;

namespace Benji.Store.Operations.Rebuild;

/// <summary>Records the blocks of one store that versions need, from the headers of their objects.</summary>
/// <remarks>Where a block stands in both forms, the whole one counts. An object whose header is damaged gives a row
/// that says so. For one caller at a time.</remarks>
internal sealed class RebuildBlocks(
    OpenedStore store, ICatalog target, TimeProvider time, RebuildProblems problems, IOperationProgress progress)
    : IDisposable
{
    private const int BatchMax = 512;

    private readonly BlockAdoption _adoption = new(store);
    private readonly HashSet<BlockId> _lenders = [];

    /// <summary>Blocks recorded.</summary>
    public long Recorded { get; private set; }

    /// <summary>True when a header was damaged or a lender missing.</summary>
    public bool HasFaults { get; private set; }

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
                await RecordAsync(batch, cancellationToken);
                batch.Clear();
            }
        }

        await RecordAsync(batch, cancellationToken);
        return Recorded - before;
    }

    /// <summary>Records the blocks that others borrow from and that no version needs itself.</summary>
    /// <exception cref="StorageException">The storage failed.</exception>
    public async Task AdoptLendersAsync(CancellationToken cancellationToken)
    {
        while (_lenders.Count > 0)
        {
            BlockId[] batch = [.. _lenders.Take(BatchMax)];
            _lenders.ExceptWith(batch);
            var known = await target.ReadAsync(
                transaction => transaction.BlockReferences.Find(batch), cancellationToken);
            var found = new List<ObjectInfo>();
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
                    HasFaults = true;
                    problems.Add($"Block {id}, from which others borrow, is missing in storage {store.Name}.");
                }
            }

            await RecordAsync(found, cancellationToken);
        }
    }

    private async Task RecordAsync(List<ObjectInfo> objects, CancellationToken cancellationToken)
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

        var rows = new BlockRow?[chosen.Count];
        var entries = chosen.ToArray();
        var options = new ParallelOptions
        {
            CancellationToken = cancellationToken,
            MaxDegreeOfParallelism = store.Storage.Traits.ReadsMax,
        };
        await Parallel.ForAsync(0, rows.Length, options, async (i, token) =>
            rows[i] = await ReadAsync(entries[i].Key, entries[i].Value, token));
        Recorded += await target.WriteAsync(transaction => Put(transaction, rows), cancellationToken);
        progress.Advance(objects.Count);
        foreach (var row in rows)
        {
            HasFaults |= row!.IsInvalid;
            _lenders.UnionWith(row.Lenders);
        }
    }

    // Answers how many are new. The same block's other form may have come in an earlier batch.
    private static int Put(ICatalogTransaction transaction, BlockRow?[] rows)
    {
        var known = transaction.BlockReferences.Find([.. rows.Select(row => row!.Id)]);
        transaction.BlockReferences.Put(
            [.. rows.Where((row, i) => known[i] is null or { Form: BlockForm.Delta }).Select(row => row!)]);
        return known.Count(row => row is null);
    }

    private async Task<BlockRow> ReadAsync(BlockId id, ObjectInfo info, CancellationToken cancellationToken)
    {
        Invariant.Holds(ObjectNames.TryParseBlock(info.Name, out _, out var form));
        try
        {
            return await _adoption.ReadAsync(id, form, info.Size, time.GetUtcNow(), cancellationToken);
        }
        catch (CorruptDataException fault)
        {
            problems.Add($"Block {id} in storage {store.Name} is damaged: {fault.Message}");
            return new BlockRow(
                id, store.Name, form, Length: 0, Allocated: 0, info.Size, [], Own: null, IsInvalid: true, ReferenceState.Live,
                time.GetUtcNow());
        }
    }
}
