using Benji.Store.Blocks.Sealing;
using Benji.Store.Catalogs;
using Benji.Store.Model;

namespace Benji.Store.Blocks.Writing;

/// <summary>Looks in the storage for objects of which the catalog alone does not tell whether they are there, each once a run.</summary>
/// <remarks>Safe for concurrent calls. What was seen is remembered for 65,536 blocks, then forgotten: that costs requests,
/// nothing else.</remarks>
internal sealed class StorageLook(OpenedStore store)
{
    private const int SeenMax = 1 << 16;

    private readonly Lock _seenLock = new();
    private readonly HashSet<BlockId> _seen = [];

    /// <summary>Says whether the objects of all rows are there, each with its size.</summary>
    /// <exception cref="StorageException">The storage failed.</exception>
    public async ValueTask<bool> AreThereAsync(IReadOnlyList<BlockRow> rows, CancellationToken cancellationToken)
    {
        foreach (var row in rows)
        {
            if (!IsSeen(row.Id) && !await IsThereAsync(row, cancellationToken))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Says whether the object of a row is there with its size.</summary>
    /// <exception cref="StorageException">The storage failed.</exception>
    public async ValueTask<bool> IsThereAsync(BlockRow row, CancellationToken cancellationToken)
    {
        var found = await store.Storage.FindAsync(ObjectNames.Block(row.Id, row.Form), cancellationToken);
        if (found?.Size != row.StoredLength)
        {
            return false;
        }

        Note([row.Id]);
        return true;
    }

    /// <summary>Says whether there is an object of a block in either form.</summary>
    /// <exception cref="StorageException">The storage failed.</exception>
    public async ValueTask<bool> HoldsAnyAsync(BlockId id, CancellationToken cancellationToken) =>
        await store.Storage.FindAsync(ObjectNames.Block(id, BlockForm.Whole), cancellationToken) is not null
        || await store.Storage.FindAsync(ObjectNames.Block(id, BlockForm.Delta), cancellationToken) is not null;

    /// <summary>Notes blocks that are known to be there.</summary>
    public void Note(IEnumerable<BlockId> ids)
    {
        lock (_seenLock)
        {
            if (_seen.Count >= SeenMax)
            {
                _seen.Clear();
            }

            _seen.UnionWith(ids);
        }
    }

    private bool IsSeen(BlockId id)
    {
        lock (_seenLock)
        {
            return _seen.Contains(id);
        }
    }
}
