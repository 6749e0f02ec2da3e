using Benji.Store.Blocks.Sealing;
using Benji.Store.Blocks.Writing;
using Benji.Store.Model;

namespace Benji.Store.Blocks;

/// <summary>Takes one worker's blocks from plaintext to durable objects and, group by group, to the catalog's rows.</summary>
/// <remarks>For one caller at a time. After an exception it can only be disposed, and its run must not publish.
/// Format: docs/format.md, "Delta block", "Order of writes".</remarks>
internal sealed class BlockWriterLane : IAsyncDisposable
{
    /// <summary>Bytes of memory in deltas that wait for their reservation, but for the last of them.</summary>
    public const long KeptBytesMax = 8 << 20;

    private const int KeptCountMax = 512;

    // Each round stores again what was marked or changed hands during the round before: more than a few are no accident.
    private const int RoundsMax = 8;

    private readonly OpenedStore _store;
    private readonly IBlockStore _reads;
    private readonly BlockLedger _ledger;
    private readonly DeltaReserving _reserving;
    private readonly BlockRecording _recording;
    private readonly BlockWriter _writer;
    private readonly OutcomeRevised? _onRevised;
    private readonly LaneBatch _batch;
    private readonly List<KeptDelta> _kept = [];
    private long _keptBytes;
    private bool _isTorn;

    internal BlockWriterLane(
        OpenedStore store,
        IBlockStore reads,
        BlockLedger ledger,
        DeltaReserving reserving,
        BlockRecording recording,
        BlockWriter writer,
        OutcomeRevised? onRevised)
    {
        _store = store;
        _reads = reads;
        _ledger = ledger;
        _reserving = reserving;
        _recording = recording;
        _writer = writer;
        _onRevised = onRevised;
        _batch = new LaneBatch(store);
    }

    /// <summary>Stores one block unless it is a hole, unchanged or known; durable only after <see cref="CompleteAsync"/>.</summary>
    /// <exception cref="InputDataException">A frame that was said to equal the base's does not, or an earlier block must be
    /// stored again and its source has changed.</exception>
    /// <exception cref="LeaseLostException">The run was taken for dead.</exception>
    /// <exception cref="StorageException">The storage or the source failed.</exception>
    /// <exception cref="CatalogException">The catalog failed.</exception>
    public async ValueTask<BlockOutcome> WriteAsync(BlockInput input, CancellationToken cancellationToken)
    {
        var draft = new BlockDraft(_store.Keys, _reads, input);
        await draft.HashAsync(cancellationToken);
        var id = BlockIds.Compute(_store.Keys, input.Content.Length, draft.Hashes.Span);
        var outcome = new BlockOutcome(id, BlockOutcomeKind.Hole, draft.Allocated, draft.BaseAllocated, 0);
        if (id.IsHole)
        {
            return outcome;
        }

        // What a version needs is there, but for rows that are in doubt: the base's may have been rewritten since.
        var isUnchanged = id == input.BaseId && draft.MayLend;
        if (isUnchanged && !await _ledger.HasDoubtAsync(cancellationToken))
        {
            return outcome with { Kind = BlockOutcomeKind.Unchanged, BaseAllocated = draft.Allocated };
        }

        if (!_writer.TryBegin(id))
        {
            return outcome with { Kind = BlockOutcomeKind.Deduplicated };
        }

        try
        {
            var sight = await _ledger.FindAsync(id, mustLook: false, cancellationToken);
            if (sight.Standing == BlockStanding.Stored)
            {
                _writer.End(id);
                return isUnchanged
                    ? outcome with { Kind = BlockOutcomeKind.Unchanged, BaseAllocated = draft.Allocated }
                    : outcome with { Kind = BlockOutcomeKind.Deduplicated };
            }

            outcome = await StoreAsync(outcome, draft, sight, cancellationToken);
        }
        catch
        {
            _writer.End(id);
            throw;
        }

        await FlushAsync(cancellationToken);
        return outcome;
    }

    /// <summary>Makes every block written so far durable, then records it in the catalog.</summary>
    /// <param name="cancellationToken">Stops before blocks are durable, never between that and their rows.</param>
    /// <exception cref="InputDataException">A block must be stored again, and its source has changed.</exception>
    /// <exception cref="LeaseLostException">The run was taken for dead.</exception>
    /// <exception cref="StorageException">The storage or the source failed.</exception>
    /// <exception cref="CatalogException">The catalog failed.</exception>
    public async Task CompleteAsync(CancellationToken cancellationToken)
    {
        await ReserveAsync(cancellationToken);
        _isTorn = true;
        for (var round = 1; _batch.Blocks.Count > 0; round++)
        {
            var refused = await _batch.CommitAsync(cancellationToken);
            var again = await _recording.RecordAsync(_batch.Blocks, _reserving.Current, CancellationToken.None);
            _reserving.Forget();
            if (again.Count > 0 && round == RoundsMax)
            {
                throw new StorageException(
                    $"Block {again[0].Row.Id} was stored {RoundsMax} times, and marked as damaged meanwhile each time.",
                    isTransient: false);
            }

            // Whoever was told that a block is on its way relies on this lane until it is settled.
            foreach (var block in _batch.TakeBlocks())
            {
                if (!again.Contains(block))
                {
                    _writer.End(block.Row.Id);
                }
            }

            foreach (var block in again.Concat(refused))
            {
                await SettleAsync(block, mustLook: true, cancellationToken);
            }
        }

        _batch.ForgetContents();
        _isTorn = false;
    }

    /// <summary>Completes what was written before the run was stopped, for the next one to find; nothing when it was stopped
    /// while it was completing.</summary>
    /// <remarks>As <see cref="CompleteAsync"/>. Afterwards the lane can only be disposed.</remarks>
    public Task KeepAsync() => _isTorn ? Task.CompletedTask : CompleteAsync(CancellationToken.None);

    /// <summary>Gives up what is not complete; its objects never appear.</summary>
    public async ValueTask DisposeAsync()
    {
        foreach (var block in _batch.Blocks.Concat(_kept.Select(delta => delta.Block)))
        {
            _writer.End(block.Row.Id);
        }

        _kept.ForEach(delta => delta.Dispose());
        await _batch.DisposeAsync();
    }

    private async ValueTask<BlockOutcome> StoreAsync(
        BlockOutcome outcome,
        BlockDraft draft,
        BlockSight sight,
        CancellationToken cancellationToken)
    {
        var plan = sight.Standing == BlockStanding.Absent ? await PlanDeltaAsync(draft, cancellationToken) : null;
        await draft.FillAsync(plan, cancellationToken);
        outcome = outcome with
        {
            Kind = plan is null ? BlockOutcomeKind.StoredWhole : BlockOutcomeKind.StoredDelta,
            BaseAllocated = draft.BaseAllocated,
        };
        if (plan is null)
        {
            return await _batch.AddWholeAsync(
                outcome, draft.Content, draft.Hashes, sight.Row, draft.Filler, cancellationToken);
        }

        var delta = _batch.SealDelta(outcome, draft, plan);
        _kept.Add(delta);
        _keptBytes += delta.Bytes.Capacity;
        return delta.Block.Outcome;
    }

    private async ValueTask FlushAsync(CancellationToken cancellationToken)
    {
        var traits = _store.Storage.Traits;
        if (_batch.Blocks.Count + _kept.Count >= traits.BatchObjects
            || _batch.Bytes + _keptBytes >= traits.BatchBytes
            || _batch.ContentBytes >= KeptBytesMax)
        {
            await CompleteAsync(cancellationToken);
        }
        else if (_kept.Count >= KeptCountMax || _keptBytes >= KeptBytesMax)
        {
            await ReserveAsync(cancellationToken);
        }
    }

    /// <summary>Chooses what to borrow; null when the block is to be whole.</summary>
    private async ValueTask<DeltaPlan?> PlanDeltaAsync(BlockDraft draft, CancellationToken cancellationToken)
    {
        if (await draft.FindBaseTableAsync(cancellationToken) is not { } table)
        {
            return null;
        }

        var plan = DeltaPlan.Choose(table, draft.BaseId, draft.Hashes.Span);
        return plan is not null && await _ledger.MayBorrowAsync(plan.Loans, draft.Length, cancellationToken) ? plan : null;
    }

    // Puts the deltas that are kept, as far as their ids can be reserved; the others are stored otherwise.
    private async Task ReserveAsync(CancellationToken cancellationToken)
    {
        if (_kept.Count == 0)
        {
            return;
        }

        _isTorn = true;
        var granted = await _reserving.ReserveAsync([.. _kept.Select(delta => delta.Block.Row)], cancellationToken);
        var refused = new List<StoredBlock>();
        for (var i = 0; i < granted.Count; i++)
        {
            using var delta = _kept[i];
            if (granted[i])
            {
                await _batch.AddDeltaAsync(delta, cancellationToken);
            }
            else
            {
                refused.Add(delta.Block);
            }
        }

        _kept.Clear();
        _keptBytes = 0;
        foreach (var block in refused)
        {
            await SettleAsync(block, mustLook: false, cancellationToken);
        }

        _isTorn = false;
    }

    // Somebody else stored the block, or stands in the way of its delta, or it was marked: it is looked up again.
    private async Task SettleAsync(StoredBlock block, bool mustLook, CancellationToken cancellationToken)
    {
        var (id, length) = (block.Row.Id, block.Row.Length);
        var sight = await _ledger.FindAsync(id, mustLook, cancellationToken);
        BlockOutcome settled;
        if (sight.Standing == BlockStanding.Stored)
        {
            settled = block.Outcome with { Kind = BlockOutcomeKind.Deduplicated, StoredBytes = 0 };
            _writer.End(id);
        }
        else
        {
            using var content = _store.Pool.Rent(length);
            var hashes = await FillAsync(block, content.Memory, cancellationToken);
            settled = await _batch.AddWholeAsync(
                block.Outcome with { Kind = BlockOutcomeKind.StoredWhole },
                content.Memory,
                hashes,
                sight.Row,
                block.Filler,
                cancellationToken);
        }

        _onRevised?.Invoke(length, block.Outcome, settled);
    }

    private async ValueTask<byte[]> FillAsync(
        StoredBlock block, Memory<byte> content, CancellationToken cancellationToken)
    {
        var (id, filler) = (block.Row.Id, block.Filler);
        if (filler is null)
        {
            throw new StorageException(
                $"Block {id} was marked as damaged while it was stored, and cannot be read again.", isTransient: false);
        }

        var frames = BlockGeometry.FrameCount(content.Length);
        var hashes = new byte[frames * Hash256.Size];
        await filler.FillAsync(0, frames, content, cancellationToken);
        _store.Keys.Frames.HashFrames(content.Span, hashes);
        return BlockIds.Compute(_store.Keys, content.Length, hashes) == id
            ? hashes
            : throw new InputDataException(
                $"Block {id} must be stored again, because another run stored it or a scrub marked it meanwhile, but the source "
                + "has changed since it was read. Back up a source that does not change, or back up again.");
    }
}
