using Benji.Store.Catalogs;
using Benji.Store.Model;

namespace Benji.Store.Operations.Running;

/// <summary>Keeps a version for somebody who reads it: by a lease, or, where the catalog cannot be written, by looking now and
/// then whether it is still there.</summary>
/// <remarks>Without a lease nothing on another host keeps the version and its blocks: whoever looks often enough ends before a
/// cleanup may delete them. Format: docs/format.md, "Reading without writing".</remarks>
internal sealed class ReadingHold : IAsyncDisposable
{
    /// <summary>Between two looks; a small part of the least grace period that is of use.</summary>
    public static readonly TimeSpan LookInterval = TimeSpan.FromMinutes(5);

    private readonly StoreContext _context;
    private readonly HeldLease? _lease;
    private readonly CancellationTokenSource _gone = new();
    private readonly CancellationTokenSource _ended = new();
    private readonly Task _looking;

    private ReadingHold(StoreContext context, VersionRecord version, Lease? lease)
    {
        _context = context;
        Version = version;
        _lease = lease is null ? null : HeldLease.Hold(context.Catalog, lease, context.Time);
        _looking = lease is null ? LookAgainAsync() : Task.CompletedTask;
    }

    /// <summary>The version, as it was found.</summary>
    public VersionRecord Version { get; }

    /// <summary>Cancelled when a look found that the version is gone; never for one that is leased.</summary>
    public CancellationToken Gone => _gone.Token;

    private CancellationToken Lost => _lease?.Lost ?? Gone;

    /// <summary>Finds a version and keeps it, in one transaction.</summary>
    /// <param name="context">The store.</param>
    /// <param name="find">Finds it; may be called again while another host writes.</param>
    /// <param name="resourceOf">What of it is leased, shared.</param>
    /// <param name="purpose">What for: "restore".</param>
    /// <param name="cancellationToken">Stops the wait for the catalog.</param>
    /// <exception cref="InUseException">It is being removed.</exception>
    public static async Task<ReadingHold> TakeAsync(
        StoreContext context,
        Func<ICatalogTransaction, VersionRecord> find,
        Func<VersionRecord, string> resourceOf,
        string purpose,
        CancellationToken cancellationToken)
    {
        if (context.Catalog.IsReadOnly)
        {
            return new ReadingHold(context, await context.Catalog.ReadAsync(find, cancellationToken), lease: null);
        }

        var (version, lease) = await context.Catalog.WriteAsync(
            transaction =>
            {
                var found = find(transaction);
                return (found, HeldLease.AcquireIn(
                    transaction, resourceOf(found), LeaseMode.Shared, $"{purpose} of {found.Name}"));
            },
            cancellationToken);
        return new ReadingHold(context, version, lease);
    }

    /// <summary>Does something with the version that ends when it can be kept no longer.</summary>
    /// <exception cref="InUseException">The version was removed, and nothing keeps its blocks.</exception>
    /// <exception cref="LeaseLostException">The lease was superseded.</exception>
    public async Task<T> RunAsync<T>(Func<CancellationToken, Task<T>> work, CancellationToken cancellationToken)
    {
        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, Lost);
        try
        {
            return await work(stopping.Token);
        }
        catch (OperationCanceledException cause)
            when (Lost.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw _lease is null
                ? Removed(cause)
                : new LeaseLostException($"The lease on version {Version.Name} was lost; its blocks may be deleted.", cause);
        }
        catch (Exception fault) when (_lease is null && fault is (CorruptDataException or NotFoundException))
        {
            await RequireAsync(cancellationToken);
            throw;
        }
    }

    /// <summary>Makes sure, before what is missing is called damage, that the version is still there.</summary>
    /// <exception cref="InUseException">The version was removed, and nothing keeps its blocks.</exception>
    public async Task RequireAsync(CancellationToken cancellationToken)
    {
        if (_lease is null && await IsGoneAsync(cancellationToken))
        {
            throw Removed(cause: null);
        }
    }

    /// <summary>Gives the lease up, or stops looking.</summary>
    public async ValueTask DisposeAsync()
    {
        await _ended.CancelAsync();
        await _looking;
        if (_lease is not null)
        {
            await _lease.DisposeAsync();
        }

        _ended.Dispose();
        _gone.Dispose();
    }

    private InUseException Removed(Exception? cause) => new(
        $"Version {Version.Name} was removed while it was read; as the catalog can only be read here, nothing keeps its blocks.",
        cause);

    private async Task<bool> IsGoneAsync(CancellationToken cancellationToken) => await _context.Catalog.ReadAsync(
        transaction => transaction.Versions.Find(Version.Id) is null, cancellationToken);

    private async Task LookAgainAsync()
    {
        while (await WaitAsync())
        {
            try
            {
                if (await IsGoneAsync(_ended.Token))
                {
                    Log.ReadVersionGone(_context.Logger, Version.Name);
                    await _gone.CancelAsync();
                    return;
                }
            }
            catch (OperationCanceledException) when (_ended.IsCancellationRequested)
            {
                // Whoever reads is done.
            }
            catch (BenjiException failure)
            {
                // That nobody can tell says nothing about the version; the next look may.
                Log.ReadVersionUnknown(_context.Logger, Version.Name, failure.Message);
            }
        }
    }

    private async Task<bool> WaitAsync()
    {
        await Task.Delay(LookInterval, _context.Time, _ended.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return !_ended.IsCancellationRequested;
    }
}
