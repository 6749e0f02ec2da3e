using Benji.Store.Blocks;
using Benji.Store.Blocks.Sealing;
using Benji.Store.Catalogs;
using Benji.Store.Model;
using Benji.Store.Operations.Running;

namespace Benji.Store.Operations.Reading;

/// <summary>Makes blocks sound again that were marked as damaged and that a deep scrub has verified.</summary>
/// <remarks>Each gets its row from the object that was verified: what stood there may be another object's, or only say that it
/// is damaged. A block that was marked again meanwhile stays so.</remarks>
internal sealed class Revalidation(StoreContext context, OpenedStore store, DamageLedger ledger)
{
    /// <summary>Makes them sound.</summary>
    /// <param name="verified">The blocks.</param>
    /// <param name="marks">How often each had been marked when the scrub began.</param>
    /// <param name="cancellationToken">Stops before the next step.</param>
    /// <exception cref="StorageException">The storage failed.</exception>
    public async Task RunAsync(
        IReadOnlyList<BlockId> verified, IReadOnlyDictionary<BlockId, int> marks, CancellationToken cancellationToken)
    {
        using var adoption = new BlockAdoption(store);
        var rows = new List<BlockRow>(verified.Count);
        foreach (var id in verified)
        {
            if (await FindAsync(adoption, id, cancellationToken) is { } row)
            {
                rows.Add(row);
            }
        }

        await context.Catalog.WriteAsync(transaction => Put(transaction.BlockReferences, rows, marks), cancellationToken);
    }

    private static int Put(
        IBlockReferences references, IReadOnlyList<BlockRow> rows, IReadOnlyDictionary<BlockId, int> marks)
    {
        var known = references.Find([.. rows.Select(row => row.Id)]);
        BlockRow[] sound =
        [
            .. rows.Zip(known)
                .Where(pair => pair.Second is { IsInvalid: true } now && now.Marks == marks[now.Id])
                .Select(pair => pair.First with
                {
                    State = pair.Second!.State, Since = pair.Second.Since, Marks = pair.Second.Marks,
                }),
        ];
        references.Put(sound);
        return sound.Length;
    }

    // The object that was read: the whole one, unless it is missing or was passed over as damaged.
    private async Task<BlockRow?> FindAsync(BlockAdoption adoption, BlockId id, CancellationToken cancellationToken)
    {
        foreach (var form in new[] { BlockForm.Whole, BlockForm.Delta })
        {
            if (!ledger.Faults.Contains(new FaultyObject(id, form))
                && await store.Storage.FindAsync(ObjectNames.Block(id, form), cancellationToken) is { } info)
            {
                try
                {
                    return await adoption.ReadAsync(id, form, info.Size, context.Time.GetUtcNow(), cancellationToken);
                }
                catch (Exception fault) when (fault is CorruptDataException or NotFoundException)
                {
                    // It was verified a moment ago, and is not what it was: it stays marked.
                    return null;
                }
            }
        }

        return null;
    }
}
