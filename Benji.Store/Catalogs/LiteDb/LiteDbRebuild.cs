using Benji.Store.Catalogs.LiteDb.Disk;
using Benji.Store.Model;
using Benji.Store.Posix;

namespace Benji.Store.Catalogs.LiteDb;

/// <summary>A new catalog that is filled beside the old one and takes its place in one step, or not at all.</summary>
/// <remarks>Until <see cref="CompleteAsync"/> the old catalog is as it was. When it can be read, its log is empty and
/// its generation watched, so that the step is one renaming and nothing that others commit meanwhile is lost. Processes
/// that have the old catalog open see the new one at their next transaction. For one caller at a time.</remarks>
internal sealed class LiteDbRebuild : IAsyncDisposable
{
    private readonly CatalogPaths _paths;
    private readonly CatalogPaths _newPaths;
    private readonly FileLock _run;
    private LiteDbCatalog? _target;
    private bool _isRunning;
    private bool _wasThere;
    private long? _generation;

    private LiteDbRebuild(CatalogPaths paths, FileLock run)
    {
        _paths = paths;
        _newPaths = NewPathsOf(paths);
        _run = run;
    }

    /// <summary>The new catalog, empty at first.</summary>
    public ICatalog Target => _target!;

    /// <summary>What the old catalog knew; null when there is none or it cannot be read.</summary>
    public CatalogRemains? Old { get; private set; }

    /// <summary>Begins.</summary>
    /// <param name="options">Where the catalog is.</param>
    /// <param name="announce">What the old catalog, when it can be written, is told of the rebuild.</param>
    /// <param name="cancellationToken">Stops the wait for other processes.</param>
    /// <exception cref="InUseException">The old catalog is in use, or another rebuild is under way.</exception>
    /// <exception cref="ConfigurationException">A newer program made the old one, or a file in the way is another
    /// program's.</exception>
    /// <exception cref="CatalogException">The new one cannot be made.</exception>
    public static async Task<LiteDbRebuild> StartAsync(
        LiteDbCatalogOptions options, Action<ICatalogTransaction> announce, CancellationToken cancellationToken)
    {
        var paths = new CatalogPaths(options.Path);
        PosixDirectory.CreateDurably(paths.Directory);
        ForeignFiles.Refuse(paths);
        ForeignFiles.Refuse(NewPathsOf(paths));
        var run = FileLock.Open(paths.Rebuilding);
        var rebuild = new LiteDbRebuild(paths, run);
        try
        {
            rebuild._isRunning = run.TryAcquire();
            if (!rebuild._isRunning)
            {
                throw new InUseException($"Another rebuild of the catalog {options.Path} is under way.");
            }

            await RefuseForeignAsync(options, cancellationToken);
            await RefuseForeignAsync(options with { Path = rebuild._newPaths.Data }, cancellationToken);
            await rebuild.LookAtOldAsync(options, announce, cancellationToken);
            DeleteFiles(rebuild._newPaths);
            rebuild._target = await LiteDbCatalog.OpenAsync(
                options with { Path = rebuild._newPaths.Data, Create = true }, cancellationToken);
            return rebuild;
        }
        catch
        {
            await rebuild.DisposeAsync();
            throw;
        }
    }

    /// <summary>Puts the new catalog in the old one's place, durable when this returns.</summary>
    /// <exception cref="InUseException">The old catalog was changed or made meanwhile, or is being read; it stands.</exception>
    /// <exception cref="CatalogException">The new one cannot be written.</exception>
    public async Task CompleteAsync(CancellationToken cancellationToken)
    {
        await _target!.ApplyLogAsync(cancellationToken);
        await _target.DisposeAsync();
        using var transactions = new FileCatalogLock(_paths);
        await transactions.AcquireAsync(cancellationToken);
        try
        {
            var counter = transactions.ReadCounter();
            if (_wasThere != LiteDbCatalog.Exists(_paths.Data)
                || (_generation is { } generation && generation != GenerationOf(counter)))
            {
                throw new InUseException(
                    $"The catalog {_paths.Data} was used while it was rebuilt. It stands as it is; run the rebuild " +
                    "again while nothing else runs.");
            }

            // Who reads without a lease locks the database before it reads: one that comes now locks the new one.
            using var old = FileLock.OpenExisting(_paths.Data);
            if (old is not null && !old.TryAcquire())
            {
                throw ReadElsewhere();
            }

            transactions.WriteCounter(counter | 1);
            Replace();
            transactions.WriteCounter((counter | 1) + 1);
        }
        catch (IOException failure)
        {
            throw new CatalogException(
                $"The new catalog could not be put in the place of {_paths.Data}: {failure.Message}.", failure);
        }
        finally
        {
            transactions.Release();
        }
    }

    /// <summary>Ends the rebuild; what did not take the old catalog's place is gone.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_target is not null)
        {
            await _target.DisposeAsync();
            DeleteFiles(_newPaths);
        }

        if (_isRunning)
        {
            PosixFile.TryDelete(_paths.Rebuilding);
        }

        _run.Dispose();
    }

    private static long GenerationOf(long counter) => (counter + 1) / 2;

    private static CatalogPaths NewPathsOf(CatalogPaths paths) =>
        new(Path.ChangeExtension(paths.Data, null) + "-new" + Path.GetExtension(paths.Data));

    // A catalog opens, or is damaged; a database of another program says so when it is open, and gets a log for that.
    private static async Task RefuseForeignAsync(LiteDbCatalogOptions options, CancellationToken cancellationToken)
    {
        if (LiteDbCatalog.Exists(options.Path))
        {
            try
            {
                await using var left = await LiteDbCatalog.OpenAsync(options with { Create = true }, cancellationToken);
            }
            catch (CatalogException)
            {
                // Damaged: it is to go.
            }
        }
    }

    private async Task LookAtOldAsync(
        LiteDbCatalogOptions options, Action<ICatalogTransaction> announce, CancellationToken cancellationToken)
    {
        _wasThere = LiteDbCatalog.Exists(options.Path);
        if (!_wasThere)
        {
            return;
        }

        try
        {
            await using var old = await LiteDbCatalog.OpenAsync(options with { Create = false }, cancellationToken);
            await old.WriteAsync(
                transaction =>
                {
                    RefuseWhenInUse(transaction);
                    announce(transaction);
                    return true;
                },
                cancellationToken);
            await old.ApplyLogAsync(cancellationToken);
            _generation = old.ReadGeneration();
            Old = await old.ReadAsync(Save, cancellationToken);
        }
        catch (CatalogException)
        {
            // It cannot be read: that is what a rebuild is for. Nobody else can use it either.
            _generation = null;
        }
    }

    private static CatalogRemains Save(ICatalogTransaction transaction)
    {
        RefuseWhenInUse(transaction);
        return new CatalogRemains(transaction.BlockReferences.ListInvalid(), transaction.Overlays.List(baseId: null));
    }

    private static void RefuseWhenInUse(ICatalogTransaction transaction)
    {
        if (transaction.Leases.List("") is [var lease, ..])
        {
            throw new InUseException(
                $"The catalog is in use: {lease.Purpose} is under way (process {lease.Owner.ProcessId} on " +
                $"{lease.Owner.Host}, since {lease.Started:yyyy-MM-dd HH:mm:ss}Z).");
        }

        if (transaction.Leases.HasReaders())
        {
            throw ReadElsewhere();
        }
    }

    private static InUseException ReadElsewhere() => new(
        "The catalog is in use: a process of this host reads it without a lease, as it cannot write it. Run the rebuild again "
        + "when that has ended.");

    // The old log must not be read into the new database. A crash before the renaming leaves the old database, whole
    // when it could be read, because its log was empty.
    private void Replace()
    {
        using (var log = PosixFile.Open(_paths.Log, OpenFlags.ReadWrite | OpenFlags.Create))
        {
            PosixFile.Truncate(log, _paths.Log, 0);
            PosixFile.SyncData(log, _paths.Log);
        }

        PosixDirectory.Sync(_paths.Directory);
        PosixFile.Rename(_newPaths.Data, _paths.Data);
        PosixDirectory.Sync(_paths.Directory);
    }

    private static void DeleteFiles(CatalogPaths paths)
    {
        foreach (var path in new[] { paths.Data, paths.Log, paths.Lock, paths.Queue, paths.Reserve })
        {
            PosixFile.TryDelete(path);
        }

        FileLeaseOwners.DeleteDirectory(paths.Owners);
    }
}
