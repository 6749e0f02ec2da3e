using Benji.Store.Catalogs;
using Benji.Store.Catalogs.LiteDb;
using Benji.Store.Catalogs.LiteDb.Disk;
using Benji.Store.Catalogs.LiteDb.Roles;
using Benji.Store.Posix;
using Benji.Testing.Disks;

namespace Benji.Testing.Catalogs;

/// <summary>A LiteDB catalog's place on a simulated disk, with a lock and lease owners in memory.</summary>
internal static class SimulatedCatalogPlace
{
    /// <summary>The file of the database.</summary>
    public const string Data = "catalog.db";

    /// <summary>The file of committed pages.</summary>
    public const string Log = "catalog.wal";

    /// <summary>The file that keeps room.</summary>
    public const string Reserve = "catalog.reserve";

    /// <summary>Makes a place for one catalog object.</summary>
    /// <param name="disk">The disk; the object is dead when it restarts.</param>
    /// <param name="counter">The counter of commits, which outlives the object.</param>
    /// <param name="loggedPagesMax">Pages in the log before it is applied.</param>
    /// <param name="reserve">Bytes of room to keep.</param>
    public static LiteDbPlace On(SimulatedDisk disk, SimulatedCounter counter, int loggedPagesMax, long reserve = 0) => new()
    {
        Name = "simulated",
        OpenDisk = mayCreate => new Opened(disk, mayCreate, reserve),
        Lock = new Lock(counter),
        Owners = new Owners(),
        LoggedPagesMax = loggedPagesMax,
    };

    private sealed class Opened(SimulatedDisk disk, bool mayCreate, long reserve) : ICatalogDisk
    {
        private readonly int _life = disk.Life;

        public ICatalogFile Data { get; } = Open(disk, mayCreate, SimulatedCatalogPlace.Data);

        public ICatalogFile Log { get; } = Open(disk, mayCreate, SimulatedCatalogPlace.Log);

        public ICatalogRoom Room { get; } = new ReservedRoom(disk, reserve);

        public bool IsCurrent() => true;

        public void SyncDirectory() => disk.SyncNames("", _life);

        public void Dispose()
        {
            // Closing makes nothing durable and loses nothing.
        }

        private static OpenFile Open(SimulatedDisk disk, bool mayCreate, string name) =>
            mayCreate || disk.Names.Contains(name)
                ? new OpenFile(disk, name)
                : throw new PosixException("open", name, Errno.NotFound);
    }

    private sealed class OpenFile(SimulatedDisk disk, string name) : ICatalogFile
    {
        private readonly int _life = disk.Life;

        public long Length
        {
            get
            {
                var length = 0L;
                Do(DiskStepKind.Read, 0, file => length = file.Length);
                return length;
            }
        }

        public int Read(long offset, Span<byte> destination)
        {
            Do(DiskStepKind.Read, offset, _ => { });
            return disk[name].Read(offset, destination);
        }

        public void Write(long offset, ReadOnlySpan<byte> source)
        {
            var bytes = source.ToArray();
            if (!disk.Fits(name, offset + bytes.Length))
            {
                throw new PosixException("write", name, Errno.NoSpace);
            }

            Do(DiskStepKind.Write, offset, file => file.Write(offset, bytes));
        }

        public void Truncate(long length) => Do(DiskStepKind.Truncate, length, file => file.Truncate(length));

        public void Sync() => Do(DiskStepKind.Sync, Length, file => file.Sync());

        private void Do(DiskStepKind kind, long offset, Action<SimulatedFile> action) =>
            disk.Do(new DiskStep(name, kind, offset), _life, action);
    }

    private sealed class ReservedRoom(SimulatedDisk disk, long wanted) : ICatalogRoom
    {
        public long Wanted => wanted;

        public long Kept => disk.Names.Contains(Reserve) ? disk[Reserve].Length : 0;

        public bool TryKeep(long bytes)
        {
            if (bytes > Kept && !disk.Fits(Reserve, bytes))
            {
                return false;
            }

            if (bytes > Kept)
            {
                disk[Reserve].Truncate(bytes);
            }

            return true;
        }

        public void Cut(long bytes) => disk[Reserve].Truncate(bytes);
    }

    private sealed class Lock(SimulatedCounter counter) : ICatalogLock
    {
        public Task AcquireAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public void Release()
        {
            // One catalog object at a time uses a simulated place, and it has a turn of its own.
        }

        public long ReadCounter() => counter.Value;

        public void WriteCounter(long value) => counter.Value = value;

        public void Dispose()
        {
            // Nothing is held.
        }
    }

    private sealed class Owners : ILeaseOwners
    {
        public LeaseOwner Self { get; } = new("simulated", 1, Guid.Empty);

        public string BootId => "simulated";

        public void Announce()
        {
            // There is nobody to tell.
        }

        public bool? IsAlive(LeaseOwner owner, string bootId) => true;

        public bool HasReaders() => false;

        public void Dispose()
        {
            // Nothing is held.
        }
    }
}

/// <summary>The counter of commits in a catalog's lock file.</summary>
internal sealed class SimulatedCounter
{
    /// <summary>Its value.</summary>
    public long Value { get; set; } = 100;
}
