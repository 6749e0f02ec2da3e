using Benji.Store.Catalogs;
using Benji.Store.Model;

namespace Benji.Store.Blocks.Writing;

/// <summary>Reserves the ids of one lane's deltas before their objects are put, so that a delta is never put over another
/// object of its id.</summary>
/// <remarks>For one caller at a time. Format: docs/format.md, "Delta block".</remarks>
internal sealed class DeltaReserving(OpenedStore store, ICatalog catalog, BlockLedger ledger, StoringRun run)
{
    private readonly List<BlockId> _blocks = [];

    /// <summary>The reservation that stands; null for none.</summary>
    public Guid? Current { get; private set; }

    /// <summary>Reserves blocks in one transaction, as far as they may be stored as deltas.</summary>
    /// <param name="rows">The rows that the deltas will have.</param>
    /// <param name="cancellationToken">Stops before the next step.</param>
    /// <returns>For each whether it is reserved.</returns>
    /// <exception cref="LeaseLostException">An earlier reservation is gone: the run was taken for dead.</exception>
    /// <exception cref="CatalogException">The catalog failed.</exception>
    /// <exception cref="StorageException">The storage failed.</exception>
    public async Task<IReadOnlyList<bool>> ReserveAsync(
        IReadOnlyList<BlockRow> rows, CancellationToken cancellationToken)
    {
        var reservation = Current ?? Guid.NewGuid();
        bool[]? strays = null;
        while (true)
        {
            var granted = await catalog.WriteAsync(
                transaction => Reserve(transaction, reservation, rows, strays), cancellationToken);
            if (granted is not null)
            {
                Current = granted.Contains(true) ? reservation : Current;
                return granted;
            }

            strays = new bool[rows.Count];
            for (var i = 0; i < rows.Count; i++)
            {
                strays[i] = await ledger.HasStrayAsync(rows[i].Id, cancellationToken);
            }
        }
    }

    /// <summary>Says that the reservation was ended by <see cref="End"/>.</summary>
    public void Forget()
    {
        Current = null;
        _blocks.Clear();
    }

    /// <summary>Ends a reservation in the transaction that records its blocks.</summary>
    /// <exception cref="LeaseLostException">It is gone.</exception>
    public static void End(ICatalogTransaction transaction, Guid? reservation)
    {
        if (reservation is { } id && !transaction.DeltaReservations.Remove(id))
        {
            throw Lost();
        }
    }

    // Null when the storage must be looked at first.
    private bool[]? Reserve(
        ICatalogTransaction transaction, Guid reservation, IReadOnlyList<BlockRow> rows, bool[]? strays)
    {
        if (strays is null && transaction.StorageBindings.Find(store.Name) is { HoldsStrays: true })
        {
            return null;
        }

        var standing = transaction.DeltaReservations.List();
        if (Current is not null && standing.All(other => other.Id != reservation))
        {
            throw Lost();
        }

        // Those of dead runs count: what they put may be there.
        var taken = standing.Where(other => other.Id != reservation && other.Storage == store.Name)
            .SelectMany(other => other.Blocks).ToHashSet();
        var known = transaction.BlockReferences.Find([.. rows.Select(row => row.Id)]);
        var granted = rows.Select((row, i) => strays?[i] != true
            && known[i] is null
            && !taken.Contains(row.Id)
            && BlockLedger.MayBorrow(transaction.BlockReferences, row.Loans, row.Length, store.Name)).ToArray();
        if (granted.Contains(true))
        {
            _blocks.AddRange(rows.Where((_, i) => granted[i]).Select(row => row.Id));
            transaction.DeltaReservations.Put(
                new DeltaReservation(reservation, store.Name, run.Fencing, [.. _blocks]));
        }

        return granted;
    }

    private static LeaseLostException Lost() => new(
        "The blocks that this run was storing are not reserved for it any more: it was taken for dead. Nothing was published.");
}
