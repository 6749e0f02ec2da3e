using Benji.Store.Posix;
using Microsoft.Win32.SafeHandles;

namespace Benji.Store.Catalogs.LiteDb.Disk;

/// <summary>What the files of a catalog are opened for.</summary>
internal enum CatalogFileUse
{
    /// <summary>To read: a log that is missing is an empty one.</summary>
    Read,

    /// <summary>To read and write.</summary>
    Write,

    /// <summary>The same, and those that are missing are made, for their owner only.</summary>
    Create,
}

/// <summary>The files of a catalog in a directory.</summary>
internal sealed class FileCatalogDisk : ICatalogDisk
{
    private readonly CatalogPaths _paths;
    private readonly OpenFile _data;
    private readonly OpenFile? _log;

    /// <summary>Opens both files.</summary>
    /// <param name="paths">Where they are.</param>
    /// <param name="use">What for.</param>
    /// <exception cref="PosixException">One of them cannot be opened.</exception>
    public FileCatalogDisk(CatalogPaths paths, CatalogFileUse use)
    {
        _paths = paths;
        Room = new FileCatalogRoom(paths.Reserve);
        var flags = use switch
        {
            CatalogFileUse.Read => OpenFlags.Read,
            CatalogFileUse.Write => OpenFlags.ReadWrite,
            _ => OpenFlags.ReadWrite | OpenFlags.Create,
        };
        _data = new OpenFile(paths.Data, flags);
        try
        {
            _log = new OpenFile(paths.Log, flags);
        }
        catch (PosixException failure) when (use == CatalogFileUse.Read && failure.Errno == Errno.NotFound)
        {
            _log = null;
        }
        catch
        {
            _data.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public ICatalogFile Data => _data;

    /// <inheritdoc/>
    public ICatalogFile Log => _log ?? (ICatalogFile)new NoFile();

    /// <inheritdoc/>
    public ICatalogRoom Room { get; }

    /// <inheritdoc/>
    public bool IsCurrent() => _data.IsCurrent()
        && (_log?.IsCurrent() ?? FileStatus.Find(_paths.Log, followLink: true) is null);

    /// <inheritdoc/>
    public void SyncDirectory() => PosixDirectory.Sync(_paths.Directory);

    /// <inheritdoc/>
    public void Dispose()
    {
        _log?.Dispose();
        _data.Dispose();
    }

    private sealed class OpenFile(string path, OpenFlags flags) : ICatalogFile, IDisposable
    {
        private readonly SafeFileHandle _handle = PosixFile.Open(path, flags);

        public long Length => RandomAccess.GetLength(_handle);

        public int Read(long offset, Span<byte> destination) => PosixFile.Read(_handle, path, offset, destination);

        public void Write(long offset, ReadOnlySpan<byte> source) => PosixFile.Write(_handle, path, offset, source);

        public void Truncate(long length) => PosixFile.Truncate(_handle, path, length);

        public void Sync() => PosixFile.SyncData(_handle, path);

        public bool IsCurrent()
        {
            var mine = FileStatus.Of(_handle, path);
            var named = FileStatus.Find(path, followLink: true);
            return named is { } found && found.Inode == mine.Inode && found.FileSystem == mine.FileSystem;
        }

        public void Dispose() => _handle.Dispose();
    }

    private sealed class NoFile : ICatalogFile
    {
        public long Length => 0;

        public int Read(long offset, Span<byte> destination) => 0;

        public void Write(long offset, ReadOnlySpan<byte> source) => throw Refusal();

        public void Truncate(long length) => throw Refusal();

        public void Sync() => throw Refusal();

        private static NotSupportedException Refusal() => new("A catalog that is only read has no log to write.");
    }
}

/// <summary>Where the files of one catalog are: the database at a given path, the others beside it under its stem.</summary>
/// <param name="Data">The path of the database.</param>
internal sealed record CatalogPaths(string Data)
{
    /// <summary>The directory of all of them.</summary>
    public string Directory { get; } = Path.GetDirectoryName(Path.GetFullPath(Data))!;

    /// <summary>The log of committed pages.</summary>
    public string Log => Path.ChangeExtension(Data, ".wal");

    /// <summary>The lock of transactions, which carries the generation.</summary>
    public string Lock => Path.ChangeExtension(Data, ".lock");

    /// <summary>The lock of whoever waits next in line.</summary>
    public string Queue => Path.ChangeExtension(Data, ".queue");

    /// <summary>The room that is kept for small transactions on a full disk.</summary>
    public string Reserve => Path.ChangeExtension(Data, ".reserve");

    /// <summary>The lock of a rebuild that is under way.</summary>
    public string Rebuilding => Path.ChangeExtension(Data, ".rebuilding");

    /// <summary>The directory of the locks that living lease owners hold.</summary>
    public string Owners => Path.ChangeExtension(Data, ".owners");
}
