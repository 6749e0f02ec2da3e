using System.Collections.Immutable;
using Benji.Store.Catalogs;
using Benji.Store.Model;

namespace Benji.Testing.Catalogs;

/// <summary>A catalog in memory: one process's view of a <see cref="MemoryCatalogPlace"/>; disposing it is that
/// process's death, its leases included.</summary>
/// <remarks>Passes the contract of the real ones. Safe for concurrent calls.</remarks>
internal sealed class MemoryCatalog : ICatalog
{
    private readonly MemoryCatalogPlace _place;

    public MemoryCatalog(MemoryCatalogPlace place)
    {
        _place = place;
        Owner = new LeaseOwner("memory", Environment.ProcessId, Guid.NewGuid());
        place.Living.Add(Owner.Token);
    }

    /// <inheritdoc/>
    public LeaseOwner Owner { get; }

    /// <inheritdoc/>
    public Task<T> ReadAsync<T>(Func<ICatalogTransaction, T> work, CancellationToken cancellationToken) =>
        RunAsync(work, isReadOnly: true, cancellationToken);

    /// <inheritdoc/>
    public Task<T> WriteAsync<T>(Func<ICatalogTransaction, T> work, CancellationToken cancellationToken) =>
        RunAsync(work, isReadOnly: false, cancellationToken);

    /// <inheritdoc/>
    public long ReadGeneration() => Interlocked.Read(ref _place.Generation);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _place.Turn.WaitAsync();
        _place.Living.Remove(Owner.Token);
        _place.Turn.Release();
    }

    private async Task<T> RunAsync<T>(
        Func<ICatalogTransaction, T> work, bool isReadOnly, CancellationToken cancellationToken)
    {
        await _place.Turn.WaitAsync(cancellationToken);
        try
        {
            ObjectDisposedException.ThrowIf(!_place.Living.Contains(Owner.Token), this);
            var session = new MemorySession(_place, Owner, isReadOnly);
            try
            {
                // On another thread, as with the real ones: whoever waits for the catalog does not hold its thread.
                var result = await Task.Run(() => work(new MemoryTransaction(session)), CancellationToken.None);
                session.Commit();
                return result;
            }
            finally
            {
                session.IsOver = true;
            }
        }
        finally
        {
            _place.Turn.Release();
        }
    }
}

/// <summary>What several <see cref="MemoryCatalog"/>s share: the committed state, and who is alive.</summary>
internal sealed class MemoryCatalogPlace(TimeProvider time)
{
    /// <summary>The number of commits.</summary>
    public long Generation;

    /// <summary>Lets one transaction at a time in.</summary>
    public SemaphoreSlim Turn { get; } = new(1);

    /// <summary>The tokens of living owners.</summary>
    public HashSet<Guid> Living { get; } = [];

    /// <summary>True while somebody reads without leases.</summary>
    public bool HasReaders { get; set; }

    /// <summary>The clock of leases.</summary>
    public TimeProvider Time => time;

    /// <summary>What is committed; a test may compare or keep it.</summary>
    public MemoryCatalogState State { get; set; } = new();
}

/// <summary>Everything in a catalog, immutable.</summary>
internal sealed record MemoryCatalogState
{
    private static readonly IComparer<BlockId> ByBlock =
        Comparer<BlockId>.Create((left, right) => left.Hash.CompareTo(right.Hash));

    private static readonly IComparer<PageId> ByPage =
        Comparer<PageId>.Create((left, right) => left.Hash.CompareTo(right.Hash));

    public ImmutableDictionary<Guid, VersionRecord> Versions { get; init; } =
        ImmutableDictionary<Guid, VersionRecord>.Empty;

    public ImmutableSortedDictionary<BlockId, BlockRow> Blocks { get; init; } =
        ImmutableSortedDictionary.Create<BlockId, BlockRow>(ByBlock);

    public ImmutableSortedDictionary<PageId, MapPageRow> Pages { get; init; } =
        ImmutableSortedDictionary.Create<PageId, MapPageRow>(ByPage);

    public ImmutableDictionary<Guid, OverlayRecord> Overlays { get; init; } =
        ImmutableDictionary<Guid, OverlayRecord>.Empty;

    public ImmutableDictionary<Guid, Intent> Intents { get; init; } = ImmutableDictionary<Guid, Intent>.Empty;

    public ImmutableDictionary<string, StorageBinding> Bindings { get; init; } =
        ImmutableDictionary<string, StorageBinding>.Empty;

    public ImmutableDictionary<string, DeletionClaim> Claims { get; init; } =
        ImmutableDictionary<string, DeletionClaim>.Empty;

    public ImmutableDictionary<Guid, DeltaReservation> Reservations { get; init; } =
        ImmutableDictionary<Guid, DeltaReservation>.Empty;

    public ImmutableDictionary<AgeMark, KnownMark> AgeMarks { get; init; } =
        ImmutableDictionary<AgeMark, KnownMark>.Empty;

    public ImmutableSortedDictionary<long, Lease> Leases { get; init; } = ImmutableSortedDictionary<long, Lease>.Empty;

    public long Fencing { get; init; }
}

/// <summary>One transaction's working state.</summary>
internal sealed class MemorySession(MemoryCatalogPlace place, LeaseOwner owner, bool isReadOnly)
{
    private MemoryCatalogState _state = place.State;

    public bool IsOver { get; set; }

    public LeaseOwner Owner => owner;

    public DateTimeOffset Now => place.Time.GetUtcNow();

    public MemoryCatalogState State
    {
        get
        {
            Invariant.Holds(!IsOver);
            return _state;
        }
        set
        {
            Invariant.Holds(!IsOver && !isReadOnly);
            _state = value;
        }
    }

    public bool HasReaders => place.HasReaders;

    public bool IsAlive(Lease lease) => place.Living.Contains(lease.Owner.Token);

    public void Commit()
    {
        if (!ReferenceEquals(_state, place.State))
        {
            place.State = _state;
            Interlocked.Increment(ref place.Generation);
        }
    }
}
