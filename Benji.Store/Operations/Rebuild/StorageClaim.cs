using Benji.Store.Blocks;
using Benji.Store.Blocks.Age;
using Benji.Store.Catalogs;
using Benji.Store.Model;

namespace Benji.Store.Operations.Rebuild;

/// <summary>Takes one storage over for the catalog that is being made: a mark before everything is listed, another one after, so
/// that no other catalog works there unnoticed.</summary>
/// <remarks>For one caller at a time. Format: docs/format.md, "Age".</remarks>
internal sealed class StorageClaim(OpenedStore store)
{
    private readonly AgeMarkStore _marks = new(store);
    private readonly List<AgeMark> _put = [];
    private readonly Queue<AgeMark> _announced = new();
    private HashSet<AgeMark> _listed = [];
    private StorageException? _failure;

    /// <summary>The storage.</summary>
    public OpenedStore Store => store;

    /// <summary>Why the storage could not be claimed, or null.</summary>
    public string? Failure => _failure?.Message;

    /// <summary>Chooses the marks that this will put.</summary>
    /// <exception cref="StorageException">The storage could not be listed.</exception>
    public async Task PrepareAsync(CancellationToken cancellationToken)
    {
        var highest = (await _marks.ListAsync(cancellationToken)).Select(mark => mark.Number).DefaultIfEmpty().Max();
        _announced.Enqueue(new AgeMark(highest + 1, Guid.NewGuid()));
        _announced.Enqueue(new AgeMark(highest + 2, Guid.NewGuid()));
    }

    /// <summary>Tells the catalog that is to be replaced of these marks: when this is killed, that one works on.</summary>
    public void Announce(ICatalogTransaction transaction, DateTimeOffset now)
    {
        if (transaction.StorageBindings.Find(store.Name)?.StoreId == store.StoreId)
        {
            foreach (var mark in _announced)
            {
                transaction.AgeMarks.Put(new KnownMark(store.Name, mark, AgeMarkState.Pending, now));
            }
        }
    }

    /// <summary>Begins: whatever is put from now on by another catalog, that one notices or this one does.</summary>
    /// <exception cref="StorageException">The storage could not be listed.</exception>
    public async Task BeginAsync(CancellationToken cancellationToken)
    {
        await TryPutAsync(1, cancellationToken);
        _listed = await _marks.ListAsync(cancellationToken);
    }

    /// <summary>Ends the claim after everything was listed.</summary>
    /// <returns>False when another process worked in the storage meanwhile.</returns>
    /// <exception cref="StorageException">The storage could not be listed.</exception>
    public async Task<bool> TrySettleAsync(CancellationToken cancellationToken)
    {
        await TryPutAsync(_listed.Count == 0 ? 1 : _listed.Max(mark => mark.Number) + 1, cancellationToken);
        var now = await _marks.ListAsync(cancellationToken);
        return now.All(mark => _listed.Contains(mark) || _put.Contains(mark));
    }

    /// <summary>Records what the catalog knows of the storage's age from here on.</summary>
    public void Record(ICatalogTransaction transaction, DateTimeOffset now)
    {
        // A storage that cannot be written holds what it holds: that much it must hold.
        var required = _failure is null ? [_put[^1]] : _listed;
        foreach (var mark in _listed.Union(_put))
        {
            var state = required.Contains(mark) ? AgeMarkState.Required : AgeMarkState.Retired;
            transaction.AgeMarks.Put(new KnownMark(store.Name, mark, state, now));
        }

        transaction.StorageBindings.Put(
            new StorageBinding(store.Name, store.StoreId, store.IsEncrypted, HoldsStrays: true));
    }

    /// <summary>Deletes the marks that this put, or all others but the last one that this put.</summary>
    /// <exception cref="StorageException">Some could not be deleted.</exception>
    public Task DeleteAsync(bool areOwn, CancellationToken cancellationToken) => (areOwn, _failure) switch
    {
        (true, _) => _marks.DeleteAsync(_put, cancellationToken),
        (false, null) => _marks.DeleteAsync([.. _listed.Union(_put).Where(mark => mark != _put[^1])], cancellationToken),
        _ => Task.CompletedTask,
    };

    // One that may be there after all counts as put.
    private async Task TryPutAsync(long number, CancellationToken cancellationToken)
    {
        if (_failure is not null)
        {
            return;
        }

        var mark = _announced.TryDequeue(out var announced) ? announced : new AgeMark(number, Guid.NewGuid());
        _put.Add(mark);
        try
        {
            await _marks.PutAsync(mark, cancellationToken);
        }
        catch (StorageException failure)
        {
            _failure = failure;
        }
    }
}
