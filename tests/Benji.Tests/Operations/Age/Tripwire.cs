using Benji.Store.Catalogs;
using Benji.Testing.Interleaving;
using Benji.Testing.Storages;

namespace Benji.Tests.Operations.Age;

/// <summary>Counts the calls of one process to its catalog and storages, and at one of them does something, or kills the
/// process.</summary>
internal sealed class Tripwire
{
    private readonly Lock _callsLock = new();
    private bool _isDead;

    /// <summary>The calls so far.</summary>
    public int Calls { get; private set; }

    /// <summary>The number of the call at which something happens before it does.</summary>
    public int At { get; init; } = int.MaxValue;

    /// <summary>What happens; null for the death of the process.</summary>
    public Func<Task>? Then { get; init; }

    /// <summary>Which calls of storages go wrong; the number alone when null.</summary>
    public Func<StorageCall, bool>? Fits { get; init; }

    /// <summary>What goes wrong with a call of a storage that is hit; null for nothing.</summary>
    public Fault? Fault { get; init; }

    /// <summary>Every call of a storage, in order.</summary>
    public List<StorageCall> StorageCalls { get; } = [];

    /// <summary>Passes a call of a storage.</summary>
    /// <exception cref="KilledException">The process is dead.</exception>
    public Fault? Pass(StorageCall call)
    {
        lock (_callsLock)
        {
            StorageCalls.Add(call);
        }

        return IsHit() || Fits?.Invoke(call) == true ? Fault ?? new Fault { Gate = Then!() } : null;
    }

    /// <summary>Passes a call of the catalog.</summary>
    /// <exception cref="KilledException">The process is dead.</exception>
    public Task PassAsync() => IsHit() && Then is { } act ? act() : Task.CompletedTask;

    private bool IsHit()
    {
        lock (_callsLock)
        {
            var isHit = Calls++ == At;
            _isDead |= isHit && Then is null && Fault is null;
            return _isDead ? throw new KilledException() : isHit;
        }
    }
}

/// <summary>A catalog whose calls pass a <see cref="Tripwire"/>, in the place of another one.</summary>
internal sealed class TrippedCatalog(ICatalog catalog, ICatalog replaced, Tripwire wire) : ICatalog
{
    public LeaseOwner Owner => catalog.Owner;

    public async Task<T> ReadAsync<T>(Func<ICatalogTransaction, T> work, CancellationToken cancellationToken)
    {
        await wire.PassAsync();
        return await catalog.ReadAsync(work, cancellationToken);
    }

    public async Task<T> WriteAsync<T>(Func<ICatalogTransaction, T> work, CancellationToken cancellationToken)
    {
        await wire.PassAsync();
        return await catalog.WriteAsync(work, cancellationToken);
    }

    public long ReadGeneration() => catalog.ReadGeneration();

    public async ValueTask DisposeAsync()
    {
        await catalog.DisposeAsync();
        await replaced.DisposeAsync();
    }
}
