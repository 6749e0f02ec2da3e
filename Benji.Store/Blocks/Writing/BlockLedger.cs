using Benji.Store.Catalogs;
using Benji.Store.Model;

namespace Benji.Store.Blocks.Writing;

/// <summary>What the catalog says of a block that is about to be stored.</summary>
internal enum BlockStanding
{
    /// <summary>It is not stored.</summary>
    Absent,

    /// <summary>It is stored and sound, and stays so for this run.</summary>
    Stored,

    /// <summary>An object of it may be there, but must not be relied on: it is stored again, whole.</summary>
    Doubtful,
}

/// <summary>Finds and records the catalog's rows of blocks in the way that keeps cleanup from deleting what a run uses.</summary>
/// <remarks>Safe for concurrent calls. Format: docs/format.md, "Cleanup".</remarks>
internal sealed class BlockLedger(OpenedStore store, ICatalog catalog, TimeProvider time)
{
    private readonly PendingDeletions _deletions = new(store, catalog, time);

    /// <summary>The time that rows carry.</summary>
    public DateTimeOffset Now => time.GetUtcNow();

    /// <summary>Looks a block up, waits while it is being deleted, and makes a candidate live again.</summary>
    /// <exception cref="CatalogException">The catalog failed.</exception>
    public async ValueTask<BlockStanding> FindAsync(BlockId id, CancellationToken cancellationToken)
    {
        while (true)
        {
            var seen = await catalog.ReadAsync(
                transaction => Look(transaction.BlockReferences, id), cancellationToken);
            if (seen.Row is null)
            {
                return BlockStanding.Absent;
            }

            if (seen is { IsUsable: true, IsLive: true })
            {
                return BlockStanding.Stored;
            }

            var standing = seen.Row.State == ReferenceState.Deleting ? null : await catalog.WriteAsync(
                transaction => Claim(transaction.BlockReferences, id), cancellationToken);
            if (standing is { } claimed)
            {
                return claimed;
            }

            await _deletions.WaitAsync([id], cancellationToken);
        }
    }

    /// <summary>Says whether blocks may lend: each is stored, live and not known to be damaged.</summary>
    /// <exception cref="CatalogException">The catalog failed.</exception>
    public async ValueTask<bool> AreSoundAsync(IReadOnlyList<BlockId> lenders, CancellationToken cancellationToken)
    {
        var rows = await catalog.ReadAsync(
            transaction => transaction.BlockReferences.Find(lenders), cancellationToken);
        return rows.All(row => row is { State: ReferenceState.Live, IsInvalid: false } && row.Storage == store.Name);
    }

    /// <summary>Records blocks that are durable.</summary>
    /// <exception cref="CatalogException">The catalog failed.</exception>
    public Task RecordAsync(IReadOnlyList<BlockRow> rows, CancellationToken cancellationToken) => catalog.WriteAsync(
        transaction =>
        {
            var known = transaction.BlockReferences.Find([.. rows.Select(row => row.Id)]);

            // Where another run put the whole block meanwhile, that object is read, and its row says so.
            transaction.BlockReferences.Put([.. rows.Where((row, i) => row.Form == BlockForm.Whole
                || known[i] is not { State: ReferenceState.Live, IsInvalid: false, Form: BlockForm.Whole })]);
            return true;
        },
        cancellationToken);

    private Sight Look(IBlockReferences references, BlockId id)
    {
        var row = references.Find([id])[0];
        if (row is null)
        {
            return default;
        }

        var lenders = references.Find([.. row.Lenders]);
        return new Sight(
            row,
            !row.IsInvalid && row.Storage == store.Name
                && row.State is ReferenceState.Live or ReferenceState.Candidate && lenders.All(IsUsable),
            row.State == ReferenceState.Live && lenders.All(lender => lender?.State == ReferenceState.Live));
    }

    private static bool IsUsable(BlockRow? row) =>
        row is { IsInvalid: false, State: ReferenceState.Live or ReferenceState.Candidate };

    /// <summary>Takes the block out of cleanup's reach; null when cleanup has it.</summary>
    private BlockStanding? Claim(IBlockReferences references, BlockId id)
    {
        var seen = Look(references, id);
        if (seen.Row is not { } row)
        {
            return BlockStanding.Absent;
        }

        if (row.State == ReferenceState.Deleting)
        {
            return null;
        }

        if (row.State == ReferenceState.Orphan)
        {
            // Without a row nothing deletes the object while this run, which is younger than the orphan, is alive.
            references.Remove([id]);
            return BlockStanding.Doubtful;
        }

        references.SetState(seen.IsUsable ? [id, .. row.Lenders] : [id], ReferenceState.Live, Now);
        return seen.IsUsable ? BlockStanding.Stored : BlockStanding.Doubtful;
    }

    private readonly record struct Sight(BlockRow? Row, bool IsUsable, bool IsLive);
}
