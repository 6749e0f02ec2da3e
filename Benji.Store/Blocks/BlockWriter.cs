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
    private readonly IBlockStore _reads;
    private readonly BlockLedger _ledger;
    private readonly ConcurrentDictionary<BlockId, bool> _underway = new();

    /// <summary>Starts a run.</summary>
    /// <param name="store">Where the blocks go.</param>
    /// <param name="catalog">Where they are recorded.</param>
    /// <param name="reads">Reads the tables of base blocks.</param>
    /// <param name="time">The clock.</param>
    public BlockWriter(OpenedStore store, ICatalog catalog, IBlockStore reads, TimeProvider time)
    {
        _store = store;
        _reads = reads;
        _ledger = new BlockLedger(store, catalog, time);
    }

    /// <summary>Bytes that one lane may hold beside the caller's content: the sealed form of one block.</summary>
    public static int BufferBound(int blockSize) => SealedHeader.ObjectLengthMax(blockSize);

    /// <summary>Starts a lane for one worker, who completes and disposes it.</summary>
    public BlockWriterLane StartLane() => new(_store, _reads, _ledger, this);

    /// <summary>Takes a block on when no lane has it.</summary>
    /// <returns>False when it is on its way already.</returns>
    internal bool TryBegin(BlockId id) => _underway.TryAdd(id, true);

    /// <summary>Says that a block is in the catalog, or given up.</summary>
    internal void End(BlockId id) => _underway.TryRemove(id, out _);
}
