using System.Diagnostics.CodeAnalysis;
using Benji.Store.Catalogs.LiteDb.Disk;
using Benji.Store.Catalogs.LiteDb.Roles;
using Benji.Store.Catalogs.LiteDb.Rows;
using Benji.Store.Model;
using LiteDB.Engine;

namespace Benji.Store.Catalogs.LiteDb.Reading;

/// <summary>Keeps LiteDB's engine open over files that are only read, and runs transactions on one state of them.</summary>
/// <remarks>The log is applied in memory, as far as it is whole. What a transaction saw counts only if the files are then as
/// they were before it: whoever writes changes the counter or a length. One thread at a time.</remarks>
internal sealed class ReadOnlySession(LiteDbPlace place, TimeProvider time) : IDisposable
{
    private readonly IWalHash _hash = place.CreateHash();
    private readonly PagePool _pool = new();
    private readonly LiteDbConditions _conditions = new();
    private ICatalogDisk? _disk;
    private KeptDisk? _kept;
    private TransactionalDataStream? _data;
    private LiteEngine? _engine;
    private BlockGroupCache _groups = new();
    private State _state;

    /// <summary>Runs one transaction; false when the catalog was changed meanwhile, and nothing is known.</summary>
    /// <exception cref="CatalogException">The catalog cannot be read; the work's own exceptions pass as they are.</exception>
    public bool TryRun<T>(Func<ICatalogTransaction, T> work, [MaybeNullWhen(false)] out T result)
    {
        result = default;
        try
        {
            Open();
            result = Run(work);
            return !IsChanged();
        }
#pragma warning disable CA1031 // What fails beside a writer may be anything, and says nothing.
        catch (Exception) when (IsChanged())
#pragma warning restore CA1031
        {
            Close();
            return false;
        }
        catch
        {
            Close();
            throw;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Close();
        _hash.Dispose();
    }

    private T Run<T>(Func<ICatalogTransaction, T> work)
    {
        var engine = _engine!;
        var rows = new LiteDbRows(engine, _conditions, place.Name, isReadOnly: true);
        try
        {
            _groups.Trim();
            engine.BeginTrans();
            return work(new LiteDbTransaction(rows, _groups, place.Owners, time));
        }
        finally
        {
            rows.End();
            EngineRollback.Run(engine);
        }
    }

    private void Open()
    {
        if (_engine is not null && !IsChanged())
        {
            return;
        }

        Close();
        try
        {
            // The state is that of before: what comes while the files are read shows in the comparison.
            var counter = place.Lock.ReadCounter();
            _disk = place.OpenDisk(false);
            _state = new State(counter, _disk.Data.Length, _disk.Log.Length);
            _kept = new KeptDisk(_disk);
            _data = new TransactionalDataStream(_kept, _hash, _pool);
            if (_data.Length == 0)
            {
                throw new NotFoundException($"There is no catalog in {place.Name}.");
            }

            _engine = new LiteEngine(new EngineSettings
            {
                DataStream = _data,
                LogStream = new PageMemoryStream(_pool),
                TempStream = new MemoryStream(),
            });
            LiteDbSchema.Check(new LiteDbRows(_engine, _conditions, place.Name, isReadOnly: true), place.Name);
        }
        catch (BenjiException)
        {
            throw;
        }
#pragma warning disable CA1031 // A damaged page makes LiteDB throw anything, from its own exception to an index out of range.
        catch (Exception failure)
#pragma warning restore CA1031
        {
            throw new CatalogException($"The catalog {place.Name} could not be opened: {failure.Message}.", failure);
        }
    }

    private bool IsChanged() => _disk is not null
        && (_state != new State(place.Lock.ReadCounter(), _disk.Data.Length, _disk.Log.Length) || !_disk.IsCurrent());

    private void Close()
    {
        _engine?.Dispose();
        _engine = null;
        _groups = new BlockGroupCache();
        _data?.Dispose();
        _data = null;
        _kept?.Dispose();
        _kept = null;
        _disk?.Dispose();
        _disk = null;
    }

    private readonly record struct State(long Counter, long DataLength, long LogLength);
}
