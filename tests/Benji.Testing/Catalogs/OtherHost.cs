using Benji.Store.Catalogs;
using Benji.Store.Catalogs.LiteDb;
using Benji.Store.Catalogs.LiteDb.Disk;
using Benji.Store.Catalogs.LiteDb.Reading;
using Benji.Store.Catalogs.LiteDb.Roles;

namespace Benji.Testing.Catalogs;

/// <summary>Another host that sees the files of a catalog and can only read them: none of its locks is seen here.</summary>
internal static class OtherHost
{
    /// <summary>Opens the catalog there.</summary>
    public static async Task<ICatalog> OpenAsync(LiteDbCatalogOptions options, CancellationToken cancellationToken)
    {
        var paths = new CatalogPaths(options.Path);
        var place = new LiteDbPlace
        {
            Name = options.Path,
            OpenDisk = _ => new FileCatalogDisk(paths, CatalogFileUse.Read),
            Lock = new NoLock(new SharedCatalogLock(paths)),
            Owners = new Owners(),
        };
        return await ReadOnlyCatalog.OpenAsync(place, options.TimeProvider, cancellationToken);
    }

    // The counter is in a file, and so is seen everywhere.
    private sealed class NoLock(SharedCatalogLock counter) : ICatalogLock
    {
        public Task AcquireAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public void Release()
        {
            // Nothing is held.
        }

        public long ReadCounter() => counter.ReadCounter();

        public void WriteCounter(long value) => counter.WriteCounter(value);

        public void Dispose() => counter.Dispose();
    }

    private sealed class Owners : ILeaseOwners
    {
        public LeaseOwner Self { get; } = new("another host", 1, Guid.NewGuid());

        public string BootId => "another boot";

        public void Announce() => throw new NotSupportedException();

        public bool? IsAlive(LeaseOwner owner, string bootId) => null;

        public bool HasReaders() => false;

        public void Dispose()
        {
            // Nothing is held.
        }
    }
}
