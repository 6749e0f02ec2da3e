using Benji.Store.Catalogs;
using Benji.Store.Model;

namespace Benji.Store.Blocks.Writing;

/// <summary>Records blocks whose objects are durable, each as far as nothing has happened to it meanwhile.</summary>
/// <remarks>Safe for concurrent calls. Format: docs/format.md, "Delta block".</remarks>
internal sealed class BlockRecording(
    OpenedStore store, ICatalog catalog, BlockLedger ledger, StoringRun run, TimeProvider time)
{
    /// <summary>Records blocks in one transaction, with which a reservation of theirs ends.</summary>
    /// <param name="blocks">Blocks whose objects are durable.</param>
    /// <param name="reservation">The reservation of the deltas among them; null when there are none.</param>
    /// <param name="cancellationToken">Stops before the transaction.</param>
    /// <returns>Those that are not recorded, and to be stored again, whole.</returns>
    /// <exception cref="LeaseLostException">The reservation is gone: the run was taken for dead.</exception>
    /// <exception cref="CatalogException">The catalog failed.</exception>
    public async Task<IReadOnlyList<StoredBlock>> RecordAsync(
        IReadOnlyList<StoredBlock> blocks, Guid? reservation, CancellationToken cancellationToken)
    {
        var (again, isInDoubt) = await catalog.WriteAsync(
            transaction =>
            {
                DeltaReserving.End(transaction, reservation);
                return (
                    Record(transaction.BlockReferences, blocks),
                    transaction.StorageBindings.Find(store.Name)?.DoubtFrom is not null);
            },
            cancellationToken);
        if (isInDoubt)
        {
            ledger.NotePut(blocks.Except(again).Select(block => block.Row.Id));
        }

        return again;
    }

    /// <summary>Says whether the row of a block that was put may be written; pure.</summary>
    /// <param name="put">The row, of a block whose object is durable.</param>
    /// <param name="seen">The row that the run saw before it put the object, or null for none.</param>
    /// <param name="now">The row that is there, or null for none.</param>
    /// <returns>False when the block is to be looked up again.</returns>
    public static bool MayRecord(BlockRow put, BlockRow? seen, BlockRow? now)
    {
        if (now is null or { State: ReferenceState.Orphan })
        {
            // A row that was there and is gone may have taken the new object with it.
            return now is not null || seen is null;
        }

        if (put.Form == BlockForm.Delta || now.State == ReferenceState.Deleting || now.Storage != (seen ?? put).Storage)
        {
            return false;
        }

        if (seen is not null && IsSame(now, seen))
        {
            return true;
        }

        // Somebody stored it meanwhile, or marked it. A whole object holds all that a delta lends, and of two whole ones the last put is
        // there: which one that was, the storage tells where they differ.
        return !now.IsInvalid && now.Marks == (seen?.Marks ?? now.Marks)
            && (now.Form == BlockForm.Delta || now.StoredLength == put.StoredLength);
    }

    private static bool IsSame(BlockRow row, BlockRow other) =>
        (row.Marks, row.IsInvalid, row.Form, row.StoredLength, row.Since)
            == (other.Marks, other.IsInvalid, other.Form, other.StoredLength, other.Since);

    private List<StoredBlock> Record(IBlockReferences references, IReadOnlyList<StoredBlock> blocks)
    {
        var known = references.Find([.. blocks.Select(block => block.Row.Id)]);
        var since = run.Stamp(time);
        var rows = new List<BlockRow>(blocks.Count);
        var again = new List<StoredBlock>();
        for (var i = 0; i < blocks.Count; i++)
        {
            var row = blocks[i].Row;
            if (MayRecord(row, blocks[i].Seen, known[i])
                && BlockLedger.MayBorrow(references, row.Loans, row.Length, store.Name))
            {
                rows.Add(row with { Since = since, Marks = known[i]?.Marks ?? 0 });
            }
            else
            {
                again.Add(blocks[i]);
            }
        }

        references.Put(rows);
        return again;
    }
}
