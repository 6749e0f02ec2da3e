using System.Collections.Concurrent;
using Benji.Store.Blocks.Sealing;
using Benji.Store.Blocks.Writing;
using Benji.Store.Catalogs;
using Benji.Store.Model;

namespace Benji.Store.Blocks;

/// <summary>Stores the blocks of one run through lanes that know what is on its way in each other.</summary>
/// <remarks>
/// Safe for concurrent calls. A block that one lane found on its way in another is durable when that other lane is
/// complete: a run publishes only after all of its lanes completed, and nothing when one of them failed.
/// </remarks>
internal sealed class BlockWriter
{
    private readonly OpenedStore _store;
    private readonly ICatalog _catalog;
    private readonly IBlockStore _reads;
    private readonly StoringRun _run;
    private readonly BlockLedger _ledger;
    private readonly BlockRecording _recording;
    private readonly ConcurrentDictionary<BlockId, bool> _underway = new();

    /// <summary>Starts a run.</summary>
    /// <param name="store">Where the blocks go.</param>
    /// <param name="catalog">Where they are recorded.</param>
    /// <param name="reads">Reads the tables of base blocks.</param>
    /// <param name="run">The run that stores them.</param>
    /// <param name="time">The clock.</param>
    public BlockWriter(OpenedStore store, ICatalog catalog, IBlockStore reads, StoringRun run, TimeProvider time)
    {
        _store = store;
        _catalog = catalog;
        _reads = reads;
        _run = run;
        _ledger = new BlockLedger(store, catalog, run, time);
        _recording = new BlockRecording(store, catalog, _ledger, run, time);
    }

    /// <summary>Bytes that one lane may hold beside the caller's content: the sealed form of one block, the deltas that wait
    /// for their reservation, and the content of a block that is stored again.</summary>
    public static long BufferBound(int blockSize) =>
        SealedHeader.ObjectLengthMax(blockSize) + BlockWriterLane.KeptBytesMax + blockSize;

    /// <summary>Starts a lane for one worker, who completes and disposes it.</summary>
    /// <param name="onRevised">Told when a block came to be stored otherwise than it was answered; null for nobody.</param>
    public BlockWriterLane StartLane(OutcomeRevised? onRevised = null) => new(
        _store,
        _reads,
        _ledger,
        new DeltaReserving(_store, _catalog, _ledger, _run),
        _recording,
        this,
        onRevised);

    /// <summary>Takes a block on when no lane has it.</summary>
    /// <returns>False when it is on its way already.</returns>
    internal bool TryBegin(BlockId id) => _underway.TryAdd(id, true);

    /// <summary>Says that a block is in the catalog, or given up.</summary>
    internal void End(BlockId id) => _underway.TryRemove(id, out _);
}

/// <summary>Told that a block came to be stored otherwise than it was answered: whole where a delta was, or by another run.</summary>
/// <param name="length">Bytes of the block.</param>
/// <param name="answered">What was answered.</param>
/// <param name="settled">What came to be.</param>
internal delegate void OutcomeRevised(int length, BlockOutcome answered, BlockOutcome settled);
