using Benji.Store.Catalogs.LiteDb.Disk;
using Benji.Store.Model;
using Benji.Store.Posix;

namespace Benji.Store.Catalogs.LiteDb;

/// <summary>The catalog in LiteDB: a file for one host, safe for several processes and against a loss of power.</summary>
/// <remarks>Decision: docs/decisions/0002.</remarks>
internal sealed class LiteDbCatalog : ICatalog
{
    private readonly LiteDbPlace _place;
    private readonly LiteDbSession _session;
#pragma warning disable CA2213 // Disposing it would strand those who still wait; it holds nothing that needs it.
    private readonly SemaphoreSlim _turn = new(1);
#pragma warning restore CA2213
    private bool _isDisposed;

    private LiteDbCatalog(LiteDbPlace place, TimeProvider timeProvider)
    {
        _place = place;
        _session = new LiteDbSession(place, timeProvider);
    }

    /// <inheritdoc/>
    public LeaseOwner Owner => _place.Owners.Self;

    /// <summary>True when there is a catalog at a path; an attempt to make one that crashed early is none.</summary>
    /// <exception cref="CatalogException">Nobody can tell: the directory may not be looked into, for one.</exception>
    public static bool Exists(string path)
    {
        var paths = new CatalogPaths(path);
        return IsFilled(paths.Data) || IsFilled(paths.Log);
    }

    /// <summary>Opens the catalog of a directory, and makes it when the options say so.</summary>
    /// <param name="options">Where it is.</param>
    /// <param name="cancellationToken">Stops the wait for other processes.</param>
    /// <exception cref="NotFoundException">There is no catalog, and none is to be made.</exception>
    /// <exception cref="ConfigurationException">A newer program made it, or another program's file stands in its place.
    /// </exception>
    /// <exception cref="CatalogException">It cannot be read or made.</exception>
    public static async Task<LiteDbCatalog> OpenAsync(
        LiteDbCatalogOptions options, CancellationToken cancellationToken)
    {
        if (!options.Create && !Exists(options.Path))
        {
            throw new NotFoundException($"There is no catalog at {options.Path}.");
        }

        var paths = new CatalogPaths(options.Path);
        LiteDbPlace place;
        try
        {
            ForeignFiles.Refuse(paths);
            if (options.Create)
            {
                PosixDirectory.CreateDurably(paths.Directory);
            }

            place = new LiteDbPlace
            {
                Name = options.Path,
                OpenDisk = mayCreate => new FileCatalogDisk(paths, mayCreate ? CatalogFileUse.Create : CatalogFileUse.Write),
                Lock = new FileCatalogLock(paths) { Waiting = options.Waiting },
                Owners = new FileLeaseOwners(paths.Owners, paths.Data),
            };
        }
        catch (IOException failure)
        {
            throw new CatalogException($"The catalog {options.Path} could not be opened: {failure.Message}.", failure);
        }

        return await OpenAsync(place, options.TimeProvider, options.Create, cancellationToken);
    }

    /// <summary>Opens a catalog on a given disk, lock and owners, which are the catalog's from then on.</summary>
    /// <exception cref="NotFoundException">There is no catalog, and none is to be made.</exception>
    /// <exception cref="ConfigurationException">A newer program made it.</exception>
    /// <exception cref="CatalogException">It cannot be read or made.</exception>
    public static async Task<LiteDbCatalog> OpenAsync(
        LiteDbPlace place, TimeProvider timeProvider, bool mayCreate, CancellationToken cancellationToken)
    {
        var catalog = new LiteDbCatalog(place, timeProvider);
        try
        {
            await catalog.LockedAsync(
                session =>
                {
                    session.Open(mayCreate);
                    return true;
                },
                cancellationToken);
            return catalog;
        }
        catch
        {
            await catalog.DisposeAsync();
            throw;
        }
    }

    /// <inheritdoc/>
    public Task<T> ReadAsync<T>(Func<ICatalogTransaction, T> work, CancellationToken cancellationToken) =>
        LockedAsync(session => session.Run(work, isReadOnly: true), cancellationToken);

    /// <inheritdoc/>
    public Task<T> WriteAsync<T>(Func<ICatalogTransaction, T> work, CancellationToken cancellationToken) =>
        LockedAsync(session => session.Run(work, isReadOnly: false), cancellationToken);

    /// <summary>Copies the log into the database and empties it, so that the database's file alone is the catalog.
    /// </summary>
    /// <exception cref="CatalogException">It cannot be read or written; nothing is lost.</exception>
    public Task ApplyLogAsync(CancellationToken cancellationToken) =>
        LockedAsync(
            session =>
            {
                session.ApplyLog();
                return true;
            },
            cancellationToken);

    /// <inheritdoc/>
    public long ReadGeneration()
    {
        // A commit makes the counter odd, then even: the number changes with the first, so a process that dies between
        // them has still told the others. They see the commit, or its end, when they get the lock.
        return (_place.Lock.ReadCounter() + 1) / 2;
    }

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

    private async Task<T> LockedAsync<T>(Func<LiteDbSession, T> step, CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken);
        try
        {
            ObjectDisposedException.ThrowIf(_isDisposed, this);
            await AcquireAsync(cancellationToken);
            try
            {
                // A thread of the pool may wait for the disk and has no synchronisation context: with one LiteDB's
                // writer would hop between threads. Whoever runs on one is spared the change to another, which costs
                // as much as a look-up. Once begun, a transaction is not cancelled.
                return Thread.CurrentThread.IsThreadPoolThread && SynchronizationContext.Current is null
                    ? step(_session)
                    : await Task.Run(() => step(_session), CancellationToken.None);
            }
            finally
            {
                _place.Lock.Release();
            }
        }
        finally
        {
            _turn.Release();
        }
    }

    private async Task AcquireAsync(CancellationToken cancellationToken)
    {
        try
        {
            await _place.Lock.AcquireAsync(cancellationToken);
        }
        catch (IOException failure)
        {
            throw new CatalogException($"The catalog {_place.Name} could not be locked: {failure.Message}.", failure);
        }
    }

    private static bool IsFilled(string path)
    {
        try
        {
            return FileStatus.Find(path, followLink: true) is { Kind: FileKind.Regular, Size: > 0 };
        }
        catch (PosixException failure)
        {
            throw new CatalogException($"The catalog cannot be looked up: {failure.Message}.", failure);
        }
    }
}
