using Benji.Store.Catalogs.LiteDb.Disk;
using Benji.Store.Model;

namespace Benji.Store.Catalogs.LiteDb.Reading;

/// <summary>The catalog in LiteDB for a process that may not write it: nothing in its directory is changed or made.</summary>
/// <remarks>It leaves no lease. For its life it holds a lock beside which no cleanup of this host deletes anything. A
/// transaction beside which somebody wrote whom no lock keeps out, as on another host, runs again. Format:
/// docs/format.md, "Reading without writing".</remarks>
internal sealed class ReadOnlyCatalog : ICatalog
{
    private const int AttemptsMax = 24;
    private static readonly TimeSpan AttemptStep = TimeSpan.FromMilliseconds(1);

    private readonly LiteDbPlace _place;
    private readonly ReadOnlySession _session;
#pragma warning disable CA2213 // Disposing it would strand those who still wait; it holds nothing that needs it.
    private readonly SemaphoreSlim _turn = new(1);
#pragma warning restore CA2213
    private bool _isDisposed;

    private ReadOnlyCatalog(LiteDbPlace place, TimeProvider time)
    {
        _place = place;
        _session = new ReadOnlySession(place, time);
    }

    /// <inheritdoc/>
    public LeaseOwner Owner => _place.Owners.Self;

    /// <inheritdoc/>
    public bool IsReadOnly => true;

    /// <summary>Opens the catalog of a directory.</summary>
    /// <exception cref="CatalogException">It cannot be read.</exception>
    /// <exception cref="ConfigurationException">A newer program made it.</exception>
    public static Task<ReadOnlyCatalog> OpenAsync(LiteDbCatalogOptions options, CancellationToken cancellationToken)
    {
        var paths = new CatalogPaths(options.Path);
        var place = new LiteDbPlace
        {
            Name = options.Path,
            OpenDisk = _ => new FileCatalogDisk(paths, CatalogFileUse.Read),
            Lock = new SharedCatalogLock(paths),
            Owners = new SeenLeaseOwners(paths.Owners),
        };
        return OpenAsync(place, options.TimeProvider, cancellationToken);
    }

    /// <summary>Opens a catalog on a given disk, lock and owners, which are the catalog's from then on.</summary>
    /// <exception cref="CatalogException">It cannot be read.</exception>
    /// <exception cref="ConfigurationException">A newer program made it.</exception>
    public static async Task<ReadOnlyCatalog> OpenAsync(
        LiteDbPlace place, TimeProvider time, CancellationToken cancellationToken)
    {
        var catalog = new ReadOnlyCatalog(place, time);
        try
        {
            await catalog.ReadAsync(_ => true, cancellationToken);
            return catalog;
        }
        catch
        {
            await catalog.DisposeAsync();
            throw;
        }
    }

    /// <inheritdoc/>
    /// <exception cref="InUseException">It is changed faster than it can be read from here.</exception>
    public async Task<T> ReadAsync<T>(Func<ICatalogTransaction, T> work, CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken);
        try
        {
            ObjectDisposedException.ThrowIf(_isDisposed, this);
            for (var attempt = 1; attempt <= AttemptsMax; attempt++)
            {
                if (await TryReadAsync(work, cancellationToken) is { } read)
                {
                    return read.Value;
                }

                // Somebody on another host is at work, as the lock is not shared with it: the machine's clock, as for locks.
                await Task.Delay(attempt * AttemptStep, TimeProvider.System, cancellationToken);
            }

            throw new InUseException(
                $"The catalog {_place.Name} is being changed, and cannot be read from here meanwhile; try again later.");
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <inheritdoc/>
    /// <exception cref="ReadOnlyException">Always.</exception>
    public Task<T> WriteAsync<T>(Func<ICatalogTransaction, T> work, CancellationToken cancellationToken) =>
        throw new ReadOnlyException($"The catalog {_place.Name} can only be read here; nothing in this store can be changed.");

    /// <inheritdoc/>
    public long ReadGeneration() => (_place.Lock.ReadCounter() + 1) / 2;

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _turn.WaitAsync();
        try
        {
            if (!_isDisposed)
            {
                _isDisposed = true;
                _session.Dispose();
                _place.Owners.Dispose();
                _place.Lock.Dispose();
            }
        }
        finally
        {
            _turn.Release();
        }
    }

    private async Task<Read<T>?> TryReadAsync<T>(Func<ICatalogTransaction, T> work, CancellationToken cancellationToken)
    {
        try
        {
            await _place.Lock.AcquireAsync(cancellationToken);
        }
        catch (IOException failure)
        {
            throw new CatalogException($"The catalog {_place.Name} could not be locked: {failure.Message}.", failure);
        }

        try
        {
            return await Task.Run(
                () => _session.TryRun(work, out var result) ? new Read<T>(result) : null, CancellationToken.None);
        }
        finally
        {
            _place.Lock.Release();
        }
    }

    private sealed record Read<T>(T Value);
}
