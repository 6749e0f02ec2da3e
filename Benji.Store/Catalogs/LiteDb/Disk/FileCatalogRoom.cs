using Benji.Store.Posix;
using Microsoft.Win32.SafeHandles;

namespace Benji.Store.Catalogs.LiteDb.Disk;

/// <summary>The file that keeps room beside a catalog: allocated to its end, with nothing in it.</summary>
/// <remarks>Never open for longer than a call, so that whoever deletes it has its room at once.</remarks>
internal sealed class FileCatalogRoom(string path) : ICatalogRoom
{
    /// <summary>Bytes kept on a disk that is not small: twice what the log holds before it is applied.</summary>
    public const long Size = 4L << 20;

    // On a small file system it takes no more than this part of it.
    private const int ShareOfDisk = 16;
    private const int ChunkSize = 64 << 10;

    /// <inheritdoc/>
    public long Wanted
    {
        get
        {
            try
            {
                return Math.Min(Size, new DriveInfo(Path.GetDirectoryName(path)!).TotalSize / ShareOfDisk);
            }
            catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
            {
                return 0;
            }
        }
    }

    /// <inheritdoc/>
    public long Kept =>
        FileStatus.Find(path, followLink: false) is { } status ? Math.Min(status.Size, status.AllocatedBytes) : 0;

    /// <inheritdoc/>
    public bool TryKeep(long bytes)
    {
        try
        {
            using var file = PosixFile.Open(path, OpenFlags.ReadWrite | OpenFlags.Create | OpenFlags.NoFollow);
            var before = RandomAccess.GetLength(file);
            try
            {
                // A copy of the file may have holes, so that the whole of it is asked for.
                if (!SparseFile.Extend(file, bytes))
                {
                    Fill(file, before, bytes);
                }

                return true;
            }
            catch (PosixException)
            {
                PosixFile.Truncate(file, path, before);
                throw;
            }
        }
        catch (PosixException)
        {
            // No room, or no permission: the next commit tries again, and whoever needs the room says what is wrong.
            return false;
        }
    }

    /// <inheritdoc/>
    public void Cut(long bytes)
    {
        using var file = PosixFile.Open(path, OpenFlags.ReadWrite | OpenFlags.NoFollow);
        PosixFile.Truncate(file, path, bytes);
    }

    // For file systems that cannot take room but by writing.
    private void Fill(SafeFileHandle file, long from, long to)
    {
        var zeros = new byte[ChunkSize];
        for (var at = from; at < to; at += ChunkSize)
        {
            PosixFile.Write(file, path, at, zeros.AsSpan(0, (int)Math.Min(ChunkSize, to - at)));
        }
    }
}
