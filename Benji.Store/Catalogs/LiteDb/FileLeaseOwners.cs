using Benji.Store.Catalogs.LiteDb.Roles;
using Benji.Store.Posix;

namespace Benji.Store.Catalogs.LiteDb;

/// <summary>Lease owners as files that each living owner keeps locked: the kernel lets the lock of a dead one go.</summary>
/// <remarks>A file is made, judged and removed under the catalog's lock, so none is seen between its making and its
/// locking. Kernel locks work between containers of one kernel, so the boot id decides, not the host's name.</remarks>
internal sealed class FileLeaseOwners : ILeaseOwners
{
    private const string Extension = ".lock";
    private const string BootIdPath = "/proc/sys/kernel/random/boot_id";

    private readonly string _directory;
    private readonly string _data;
    private readonly HashSet<Guid> _dead = [];
    private FileLock? _own;

    /// <summary>Names this object as an owner; nothing is written before <see cref="Announce"/>.</summary>
    /// <param name="directory">Where the owners' files stand.</param>
    /// <param name="data">The database, which those lock who read without leases.</param>
    public FileLeaseOwners(string directory, string data)
    {
        _directory = directory;
        _data = data;
        Self = NewSelf();
        BootId = ReadBootId();
    }

    /// <inheritdoc/>
    public LeaseOwner Self { get; }

    /// <inheritdoc/>
    public string BootId { get; }

    /// <summary>Makes an owner of this process.</summary>
    public static LeaseOwner NewSelf() => new(Environment.MachineName, Environment.ProcessId, Guid.NewGuid());

    /// <summary>Reads what tells this boot from all others.</summary>
    public static string ReadBootId() => File.ReadAllText(BootIdPath).Trim();

    /// <summary>Returns the path of an owner's file.</summary>
    public static string PathOf(string directory, Guid token) => Path.Combine(directory, $"{token:N}{Extension}");

    /// <inheritdoc/>
    public void Announce()
    {
        if (_own is not null)
        {
            return;
        }

        PosixDirectory.TryCreate(_directory);
        var file = OpenOwn();
        if (!file.TryAcquire())
        {
            file.Dispose();
            throw new IOException($"The lock file {PathOf(Self.Token)} of this run is held by another.");
        }

        _own = file;
        KeepSpare();
    }

    /// <inheritdoc/>
    public bool? IsAlive(LeaseOwner owner, string bootId)
    {
        if (owner.Token == Self.Token)
        {
            return true;
        }

        if (bootId != BootId)
        {
            // The same host in another boot is a host that went down; its processes went with it.
            return owner.Host == Self.Host ? false : null;
        }

        if (_dead.Contains(owner.Token))
        {
            return false;
        }

        using var file = FileLock.OpenExisting(PathOf(owner.Token));
        if (file is not null && !file.TryAcquire())
        {
            return true;
        }

        PosixFile.TryDelete(PathOf(owner.Token));
        _dead.Add(owner.Token);
        return false;
    }

    /// <inheritdoc/>
    public bool HasReaders()
    {
        using var data = FileLock.OpenExisting(_data);
        return data is not null && !data.TryAcquire();
    }

    /// <summary>Lets this owner's lock go: from now on its leases are those of a dead one.</summary>
    public void Dispose()
    {
        if (_own is not null)
        {
            PosixFile.TryDelete(PathOf(Self.Token));
            _own.Dispose();
        }
    }

    /// <summary>Deletes what owners that are gone left in their directory, and the directory when nothing else is in it.</summary>
    public static void DeleteDirectory(string directory)
    {
        if (FileStatus.Find(directory, followLink: false) is not { Kind: FileKind.Directory })
        {
            return;
        }

        foreach (var path in Directory.EnumerateFiles(directory, $"*{Extension}"))
        {
            if (Guid.TryParseExact(Path.GetFileNameWithoutExtension(path), "N", out _))
            {
                PosixFile.TryDelete(path);
            }
        }

        PosixFile.TryDelete(SpareIn(directory));
        if (!Directory.EnumerateFileSystemEntries(directory).Any())
        {
            Directory.Delete(directory);
        }
    }

    // A disk may be full to the last file, too.
    private FileLock OpenOwn()
    {
        var path = PathOf(Self.Token);
        try
        {
            return FileLock.Open(path);
        }
        catch (PosixException failure) when (failure.LacksRoom)
        {
            PosixFile.TryRenameNew(SparePath, path);
            return FileLock.Open(path);
        }
    }

    private void KeepSpare()
    {
        try
        {
            if (FileStatus.Find(SparePath, followLink: false) is null)
            {
                PosixFile.Open(SparePath, OpenFlags.ReadWrite | OpenFlags.Create).Dispose();
            }
        }
        catch (PosixException)
        {
            // It serves a full disk only, and the next owner makes it.
        }
    }

    private string SparePath => SpareIn(_directory);

    private static string SpareIn(string directory) => Path.Combine(directory, "spare");

    private string PathOf(Guid token) => PathOf(_directory, token);
}
