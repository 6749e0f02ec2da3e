using Benji.Store.Catalogs.LiteDb.Disk;
using Benji.Store.Catalogs.LiteDb.Roles;
using Benji.Store.Catalogs.LiteDb.Rows;
using Benji.Store.Model;
using Benji.Store.Posix;
using LiteDB;
using LiteDB.Engine;

namespace Benji.Store.Catalogs.LiteDb;

/// <summary>Keeps LiteDB's engine open over the catalog's files from one transaction to the next, and runs them.</summary>
/// <remarks>Under the catalog's lock, one thread at a time. The engine is made anew when another process committed, when
/// one transaction made its cache large, and after every failure. The counter is made odd before
/// a commit's first write and even after its last: whoever finds it odd repairs first.</remarks>
internal sealed class LiteDbSession(LiteDbPlace place, TimeProvider timeProvider) : IDisposable
{
    /// <summary>Pages of one transaction, 32 MiB, after which the engine is made anew: its cache never shrinks.</summary>
    /// <remarks>Between transactions the cache reuses its pages, so only a large transaction makes it large.</remarks>
    private const int PagesMovedMax = 4_000;

    private const string Written = "written";

    private readonly IWalHash _hash = place.CreateHash();
    private readonly PagePool _pool = new();
    private readonly LiteDbConditions _conditions = new();
    private ICatalogDisk? _disk;
    private TransactionalDataStream? _data;
    private LiteEngine? _engine;
    private BlockGroupCache _groups = new();
    private long _counter;

    /// <summary>Opens the catalog's files, and makes a catalog in empty ones when asked to.</summary>
    /// <exception cref="NotFoundException">There is no catalog, and none is to be made.</exception>
    /// <exception cref="ConfigurationException">A newer program made it.</exception>
    /// <exception cref="CatalogException">It cannot be read or made.</exception>
    public void Open(bool mayCreate) => DoOrClose("opened", () => Prepare(mayCreate));

    /// <summary>Runs one transaction.</summary>
    /// <exception cref="CatalogException">The catalog failed; the work's own exceptions pass as they are.</exception>
    public T Run<T>(Func<ICatalogTransaction, T> work, bool isReadOnly)
    {
        Open(mayCreate: false);
        var engine = _engine!;
        var pagesBefore = _data!.PagesMoved;
        var rows = new LiteDbRows(engine, _conditions, place.Name, isReadOnly);
        var isDone = false;
        try
        {
            _groups.Trim();
            engine.BeginTrans();
            var result = work(new LiteDbTransaction(rows, _groups, place.Owners, timeProvider));
            if (rows.HasWritten)
            {
                _data!.Reserve.MayTake = !rows.IsGrowing;
                Commit(engine);
            }
            else
            {
                engine.Rollback();
            }

            isDone = true;
            if (_data?.PagesMoved - pagesBefore > PagesMovedMax)
            {
                CloseEngine();
            }

            return result;
        }
        finally
        {
            rows.End();
            if (!isDone)
            {
                EngineRollback.Run(engine);
                CloseFiles();
            }
        }
    }

    /// <summary>Copies the log into the database and empties it.</summary>
    /// <exception cref="CatalogException">It cannot be read or written; the log holds what was not copied.</exception>
    public void ApplyLog()
    {
        Open(mayCreate: false);
        DoOrClose(
            "tidied",
            () => _ = TryApply() ? true : throw new PosixException("apply the log of", place.Name, Errno.NoSpace));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        CloseFiles();
        _hash.Dispose();
    }

    private void Prepare(bool mayCreate)
    {
        var counter = place.Lock.ReadCounter();
        if (_engine is not null && counter == _counter)
        {
            return;
        }

        CloseEngine();
        if (_disk is null || long.IsOddInteger(counter) || !_disk.IsCurrent())
        {
            OpenFiles(mayCreate);
        }
        else if (counter != _counter)
        {
            _data!.Refresh();
        }

        if (long.IsOddInteger(counter))
        {
            _data!.Repair();
            place.Lock.WriteCounter(++counter);
        }

        if (_data!.Length == 0)
        {
            Create(mayCreate, counter);
            counter += 2;
        }
        else
        {
            OpenEngine();
        }

        _counter = counter;
    }

    private void OpenFiles(bool mayCreate)
    {
        CloseFiles();
        _disk = place.OpenDisk(mayCreate);
        _data = new TransactionalDataStream(_disk, _hash, _pool);
    }

    private void OpenEngine()
    {
        _engine = new LiteEngine(new EngineSettings
        {
            DataStream = _data!,
            LogStream = new PageMemoryStream(_pool),
            TempStream = new MemoryStream(),
            Collation = _data!.Length == 0 ? Collation.Binary : null,
        });
        if (!_data.HoldsFlushes)
        {
            LiteDbSchema.Check(new LiteDbRows(_engine, _conditions, place.Name, isReadOnly: true), place.Name);
        }
    }

    private void Create(bool mayCreate, long counter)
    {
        if (!mayCreate)
        {
            throw new NotFoundException($"There is no catalog in {place.Name}.");
        }

        place.Lock.WriteCounter(counter + 1);
        _disk!.Data.Sync();
        _disk.Log.Sync();
        _disk.SyncDirectory();

        // One group holds all that makes an empty catalog, so that a crash leaves either nothing or all of it.
        _data!.HoldsFlushes = true;
        OpenEngine();
        LiteDbSchema.Create(_engine!);
        _engine!.Checkpoint();
        _data.HoldsFlushes = false;
        _data.Flush();
        place.Lock.WriteCounter(counter + 2);
    }

    private void Commit(LiteEngine engine)
    {
        Wrap(Written, () =>
        {
            place.Lock.WriteCounter(_counter + 1);
            ApplyWhenLarge();
            engine.Commit();
            engine.Checkpoint();
            _counter += 2;
            place.Lock.WriteCounter(_counter);
        });

        try
        {
            ApplyWhenLarge();
            _data!.Reserve.Fill();
        }
        catch (IOException)
        {
            // The commit is durable. The log holds all that the apply did not finish, and the next commit starts with it
            // again and reports what is wrong; only this opening of the files cannot be trusted further.
            CloseFiles();
        }
    }

    // On a full disk the log grows on: what makes room there is small.
    private bool ApplyWhenLarge() => _data!.LoggedPages <= place.LoggedPagesMax || TryApply();

    private bool TryApply()
    {
        var isBetweenCommits = !long.IsOddInteger(place.Lock.ReadCounter());
        if (isBetweenCommits)
        {
            place.Lock.WriteCounter(_counter + 1);
        }

        var isApplied = _data!.TryApply();
        if (isBetweenCommits)
        {
            _counter += 2;
            place.Lock.WriteCounter(_counter);
        }

        return isApplied;
    }

    private void DoOrClose(string action, Action step)
    {
        var isDone = false;
        try
        {
            Wrap(action, step);
            isDone = true;
        }
        finally
        {
            if (!isDone)
            {
                CloseFiles();
            }
        }
    }

    private void Wrap(string action, Action step)
    {
        try
        {
            step();
        }
        catch (BenjiException)
        {
            throw;
        }
#pragma warning disable CA1031 // A damaged page makes LiteDB throw anything, from its own exception to an index out of range.
        catch (Exception failure)
#pragma warning restore CA1031
        {
            throw action == Written
                ? FailedCommit.Of(place.Name, _data is { IsOutcomeUnknown: true }, failure)
                : CatalogDamage.OfEngine($"The catalog {place.Name} could not be {action}", failure);
        }
    }

    private void CloseEngine()
    {
        // Collects what fails instead of throwing; nothing in the engine is wanted any more.
        _engine?.Dispose();
        _engine = null;
        _groups = new BlockGroupCache();
    }

    private void CloseFiles()
    {
        CloseEngine();
        _data?.Dispose();
        _data = null;
        _disk?.Dispose();
        _disk = null;
    }
}
