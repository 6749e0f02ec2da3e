using System.Threading.Channels;
using Benji.Store.Blocks;
using Benji.Store.Blocks.Maps;
using Benji.Store.Model;
using Benji.Store.Operations.Backup.Planning;
using Benji.Store.Operations.Running;
using Microsoft.Extensions.Logging;

namespace Benji.Store.Operations.Backup;

/// <summary>Takes planned blocks through reading, hashing, sealing and storing, with several workers.</summary>
/// <remarks>One dispatcher hands indexes in order through a bounded channel; each worker owns one block buffer and one lane
/// of the block writer and takes a block through all steps, so that its bytes stay in one core's cache. Memory:
/// <see cref="MemoryBound"/>.</remarks>
internal sealed class BackupPipeline
{
    private const int PagesPerAdvance = 4;

    private readonly StoreContext _context;
    private readonly SourceReader _reader;
    private readonly BlockWriter _writer;
    private readonly MapBuilder _map;
    private readonly bool _mapHasBase;
    private readonly BlockGeometry _geometry;
    private readonly BackupCounts _counts;
    private readonly AllocationCounter _replaced;
    private readonly IOperationProgress _progress;
    private readonly OpenIndexes _open = new();
    private long _plannedBytes;

    public BackupPipeline(
        StoreContext context,
        SourceReader reader,
        BlockWriter writer,
        MapBuilder map,
        bool mapHasBase,
        BlockGeometry geometry,
        BackupCounts counts,
        IOperationProgress progress)
    {
        _context = context;
        _reader = reader;
        _writer = writer;
        _map = map;
        _mapHasBase = mapHasBase;
        _geometry = geometry;
        _counts = counts;
        _replaced = new AllocationCounter(context.Catalog);
        _progress = progress;
    }

    /// <summary>Bytes of buffers that the run may hold at once.</summary>
    public long MemoryBound =>
        _context.Settings.Workers * (_geometry.BlockSize + BlockWriter.BufferBound(_geometry.BlockSize));

    /// <summary>Plaintext bytes of the blocks that were looked at.</summary>
    public long PlannedBytes => _plannedBytes;

    /// <summary>Allocated bytes of the base's blocks that were looked at.</summary>
    public AllocationCounter Replaced => _replaced;

    /// <summary>Takes every planned block through; all are durable and recorded when this returns.</summary>
    public Task RunAsync(IBlockPlanner planner, CancellationToken cancellationToken) =>
        WorkerPool.RunAsync<PlannedBlock>(
            _context.Settings.Workers,
            (writer, token) => DispatchAsync(planner, writer, token),
            (blocks, token) => WorkAsync(blocks, token, cancellationToken),
            cancellationToken);

    private async Task DispatchAsync(
        IBlockPlanner planner, ChannelWriter<PlannedBlock> writer, CancellationToken cancellationToken)
    {
        long advanced = 0;
        long reported = 0;
        await foreach (var block in planner.PlanAsync(cancellationToken))
        {
            _open.Begin(block.Index);
            _plannedBytes += block.Length;
            await writer.WriteAsync(block, cancellationToken);
            _progress.Advance((block.Index * _geometry.BlockSize) + block.Length - reported);
            reported = (block.Index * _geometry.BlockSize) + block.Length;
            if (_open.Lowest - advanced >= PagesPerAdvance * BlockGeometry.PageEntries)
            {
                advanced = _open.Lowest;
                await _map.AdvanceAsync(advanced, cancellationToken);
            }
        }

        _progress.Advance(_geometry.Size - reported);
    }

    // Whoever stops the run keeps what was stored until then for the next one; a failure keeps nothing more.
    private async Task WorkAsync(
        ChannelReader<PlannedBlock> blocks, CancellationToken cancellationToken, CancellationToken stop)
    {
        await using var lane = _writer.StartLane(_counts.Revise);
        try
        {
            await WorkAsync(blocks, lane, cancellationToken);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            await lane.KeepAsync();
            throw;
        }
    }

    private async Task WorkAsync(
        ChannelReader<PlannedBlock> blocks, BlockWriterLane lane, CancellationToken cancellationToken)
    {
        using var buffer = _context.Pool.Rent(_geometry.BlockSize);
        await foreach (var block in blocks.ReadAllAsync(cancellationToken))
        {
            var outcome = block.IsKnownHole
                ? new BlockOutcome(BlockId.Hole, BlockOutcomeKind.Hole, 0, null, 0)
                : await StoreAsync(block, buffer, lane, cancellationToken);
            await _replaced.AddAsync(block.BaseId, block.BaseLength, outcome.BaseAllocated, cancellationToken);
            if (_mapHasBase ? outcome.Id != block.BaseId : !outcome.Id.IsHole)
            {
                _map.Set(block.Index, outcome.Id);
            }

            _open.End(block.Index);
            _counts.Add(block.Length, outcome);
            if (_context.Logger.IsEnabled(LogLevel.Trace))
            {
                Log.BlockBackedUp(_context.Logger, block.Index, outcome.Kind.ToString(), outcome.Id);
            }
        }

        await lane.CompleteAsync(cancellationToken);
    }

    private async ValueTask<BlockOutcome> StoreAsync(
        PlannedBlock block, BlockBuffer buffer, BlockWriterLane lane, CancellationToken cancellationToken)
    {
        buffer.Resize(block.Length);
        await _reader.ReadAsync(block, buffer.Memory, cancellationToken);
        var outcome = await lane.WriteAsync(
            new BlockInput(
                buffer.Memory,
                block.BaseId,
                block.BaseLength,
                block.Changed,
                _reader.Filler(block.Index),
                !block.BaseIsInvalid),
            cancellationToken);
        _reader.Release(block);
        return outcome;
    }
}
