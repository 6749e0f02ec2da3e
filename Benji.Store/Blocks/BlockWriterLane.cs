using Benji.Store.Blocks.Sealing;
using Benji.Store.Blocks.Writing;
using Benji.Store.Catalogs;
using Benji.Store.Model;
using Benji.Store.Storages;

namespace Benji.Store.Blocks;

/// <summary>Takes one worker's blocks from plaintext to durable objects and, group by group, to the catalog's rows.</summary>
/// <remarks>For one caller at a time. After an exception it can only be disposed, and its run must not publish.
/// Format: docs/format.md, "Delta block", "Order of writes".</remarks>
internal sealed class BlockWriterLane : IAsyncDisposable
{
    private readonly OpenedStore _store;
    private readonly IBlockStore _reads;
    private readonly BlockLedger _ledger;
    private readonly BlockWriter _writer;
    private readonly IObjectBatch _batch;
    private readonly List<BlockRow> _rows = [];

    internal BlockWriterLane(OpenedStore store, IBlockStore reads, BlockLedger ledger, BlockWriter writer)
    {
        _store = store;
        _reads = reads;
        _ledger = ledger;
        _writer = writer;
        _batch = store.Storage.StartBatch();
    }

    /// <summary>Stores one block unless it is a hole, unchanged or known; durable only after <see cref="CompleteAsync"/>.</summary>
    /// <exception cref="InputDataException">A frame that was said to equal the base's does not.</exception>
    /// <exception cref="StorageException">The storage or the source failed.</exception>
    /// <exception cref="CatalogException">The catalog failed.</exception>
    public async ValueTask<BlockOutcome> WriteAsync(BlockInput input, CancellationToken cancellationToken)
    {
        var draft = new BlockDraft(_store.Keys, _reads, input);
        await draft.HashAsync(cancellationToken);
        var id = BlockIds.Compute(_store.Keys, input.Content.Length, draft.Hashes);
        var outcome = new BlockOutcome(id, BlockOutcomeKind.Hole, draft.Allocated, draft.BaseAllocated, 0);
        if (id.IsHole)
        {
            return outcome;
        }

        if (id == input.BaseId && draft.MayLend)
        {
            return outcome with { Kind = BlockOutcomeKind.Unchanged, BaseAllocated = draft.Allocated };
        }

        if (!_writer.TryBegin(id))
        {
            return outcome with { Kind = BlockOutcomeKind.Deduplicated };
        }

        try
        {
            var standing = await _ledger.FindAsync(id, cancellationToken);
            if (standing == BlockStanding.Stored)
            {
                _writer.End(id);
                return outcome with { Kind = BlockOutcomeKind.Deduplicated };
            }

            return await StoreAsync(outcome, draft, standing, cancellationToken);
        }
        catch
        {
            _writer.End(id);
            throw;
        }
    }

    /// <summary>Makes every block written so far durable, then records it in the catalog.</summary>
    /// <param name="cancellationToken">Stops before the blocks are durable, never between that and their rows.</param>
    /// <exception cref="StorageException">The storage failed.</exception>
    /// <exception cref="CatalogException">The catalog failed.</exception>
    public async Task CompleteAsync(CancellationToken cancellationToken)
    {
        if (_rows.Count == 0)
        {
            return;
        }

        await _batch.CommitAsync(cancellationToken);
        await _ledger.RecordAsync(_rows, CancellationToken.None);
        EndRows();
    }

    /// <summary>Gives up what is not complete; its objects never appear.</summary>
    public async ValueTask DisposeAsync()
    {
        EndRows();
        await _batch.DisposeAsync();
    }

    private async ValueTask<BlockOutcome> StoreAsync(
        BlockOutcome outcome, BlockDraft draft, BlockStanding standing, CancellationToken cancellationToken)
    {
        var plan = standing == BlockStanding.Absent ? await PlanDeltaAsync(draft, cancellationToken) : null;
        await draft.FillAsync(plan, cancellationToken);
        var form = plan is null ? BlockForm.Whole : BlockForm.Delta;
        using var bytes = Seal(outcome.Id, draft, plan);
        await _batch.AddAsync(ObjectNames.Block(outcome.Id, form), bytes.Memory, cancellationToken);
        _rows.Add(new BlockRow(
            outcome.Id,
            _store.Name,
            form,
            draft.Length,
            draft.Allocated,
            bytes.Length,
            plan?.Loans ?? [],
            plan?.Own,
            IsInvalid: false,
            ReferenceState.Live,
            _ledger.Now));
        if (_batch.Count >= _store.Storage.Traits.BatchObjects || _batch.Bytes >= _store.Storage.Traits.BatchBytes)
        {
            await CompleteAsync(cancellationToken);
        }

        return outcome with
        {
            Kind = plan is null ? BlockOutcomeKind.StoredWhole : BlockOutcomeKind.StoredDelta,
            BaseAllocated = draft.BaseAllocated,
            StoredBytes = bytes.Length,
        };
    }

    /// <summary>Chooses what to borrow; null when the block is to be whole.</summary>
    private async ValueTask<DeltaPlan?> PlanDeltaAsync(BlockDraft draft, CancellationToken cancellationToken)
    {
        if (await draft.FindBaseTableAsync(cancellationToken) is not { } table)
        {
            return null;
        }

        var plan = DeltaPlan.Choose(table, draft.BaseId, draft.Hashes);
        return plan is not null && await _ledger.AreSoundAsync(plan.Lenders, cancellationToken) ? plan : null;
    }

    private BlockBuffer Seal(BlockId id, BlockDraft draft, DeltaPlan? plan) => _store.Sealer.Seal(
        new SealPlan
        {
            Kind = ObjectKind.Block,
            Name = id.Hash,
            Hashes = draft.Hashes,
            Owners = plan is null ? [] : plan.Owners,
            Lenders = plan?.Lenders,
        },
        draft.Content,
        out _);

    private void EndRows()
    {
        foreach (var row in _rows)
        {
            _writer.End(row.Id);
        }

        _rows.Clear();
    }
}
