using Benji.Store.Posix;
using Benji.Store.Posix.Directories;
using Microsoft.Win32.SafeHandles;

namespace Benji.Store.Images.Overlays.Files;

/// <summary>The file of an overlay in a directory.</summary>
internal sealed class FileOverlayDisk : IOverlayDisk
{
    private readonly SafeFileHandle _handle;

    /// <summary>Opens the file.</summary>
    /// <param name="path">Where it is; a link there is not followed.</param>
    /// <param name="mayWrite">False to read only.</param>
    /// <exception cref="PosixException">It cannot be opened.</exception>
    public FileOverlayDisk(string path, bool mayWrite)
        : this(path, (mayWrite ? OpenFlags.ReadWrite : 0) | OpenFlags.NoWait)
    {
    }

    private FileOverlayDisk(string path, OpenFlags flags)
    {
        Path = path;
        using var directory = new RootDirectory(System.IO.Path.GetDirectoryName(path)!);
        _handle = directory.Open(System.IO.Path.GetFileName(path), flags);
    }

    /// <inheritdoc/>
    public string Path { get; }

    /// <inheritdoc/>
    public long Length => RandomAccess.GetLength(_handle);

    /// <inheritdoc/>
    public DateTimeOffset Modified => FileStatus.Of(_handle, Path).Modified;

    /// <summary>Makes a file of zeros that take no space.</summary>
    /// <exception cref="PosixException">It cannot be made; it may be there all the same.</exception>
    public static FileOverlayDisk Create(string path, long length)
    {
        var made = new FileOverlayDisk(path, OpenFlags.ReadWrite | OpenFlags.Create | OpenFlags.Exclusive);
        try
        {
            PosixFile.Truncate(made._handle, path, length);
            return made;
        }
        catch
        {
            made.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public void SetModified(DateTimeOffset time) => PosixFile.SetModified(_handle, Path, time);

    /// <inheritdoc/>
    public int Read(long offset, Span<byte> destination) => PosixFile.Read(_handle, Path, offset, destination);

    /// <inheritdoc/>
    public void Write(long offset, ReadOnlySpan<byte> source) => PosixFile.Write(_handle, Path, offset, source);

    /// <inheritdoc/>
    public bool Reserve(long offset, long length) => SparseFile.Reserve(_handle, offset, length);

    /// <inheritdoc/>
    public void Punch(long offset, long length) => SparseFile.PunchHole(_handle, offset, length);

    /// <inheritdoc/>
    public (long Start, long End)? FindData(long offset)
    {
        var start = SparseFile.FindData(_handle, offset);
        return start < 0 ? null : (start, SparseFile.FindHole(_handle, start));
    }

    /// <inheritdoc/>
    public void Sync() => PosixFile.SyncData(_handle, Path);

    /// <inheritdoc/>
    public void Dispose() => _handle.Dispose();
}
