using Benji.Store.Model;
using Benji.Store.Posix;

namespace Benji.Store.Sources.Files;

/// <summary>Reads a regular file, skipping its holes.</summary>
/// <remarks>An empty file is a source of no bytes. Safe for concurrent calls; reads run on the caller's thread.</remarks>
internal sealed class FileSource : ISource
{
    private readonly ReadableFile _file;

    private FileSource(ReadableFile file, string description, long size)
    {
        _file = file;
        Description = description;
        Size = size;
    }

    /// <inheritdoc/>
    public string Description { get; }

    /// <inheritdoc/>
    public long Size { get; }

    /// <summary>Opens a path that leads to a regular file.</summary>
    /// <exception cref="StorageException">It cannot be opened, or has bytes where it says that it has none.</exception>
    internal static FileSource Open(string path, string description)
    {
        var file = ReadableFile.Open(path, description);
        try
        {
            var size = RandomAccess.GetLength(file.Handle);
            return size > 0 || file.IsEmpty()
                ? new FileSource(file, description, size)
                : throw new StorageException(
                    $"Cannot read {description}: it has content but no size, as files have in /proc; copy it to a file first.",
                    isTransient: false);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public ValueTask ReadAsync(long offset, Memory<byte> destination, CancellationToken cancellationToken)
    {
        Invariant.Holds(offset >= 0 && offset <= Size - destination.Length);
        cancellationToken.ThrowIfCancellationRequested();
        _file.Read(offset, destination.Span, Size);
        return ValueTask.CompletedTask;
    }

    /// <inheritdoc/>
    /// <exception cref="StorageException">The file has become shorter: what is gone is no hole.</exception>
    public Extent? FindData(long offset)
    {
        Invariant.Holds(offset >= 0);
        if (offset >= Size)
        {
            return null;
        }

        try
        {
            var start = SparseFile.FindData(_file.Handle, offset);
            if (start < 0 && RandomAccess.GetLength(_file.Handle) is var length && length < Size)
            {
                throw _file.Shorter(length, Size);
            }

            if (start < 0 || start >= Size)
            {
                return null;
            }

            // The file may have lost its end since: then all of the rest is data, and reading it will say so.
            var hole = SparseFile.FindHole(_file.Handle, start);
            var end = hole < 0 ? Size : Math.Min(hole, Size);
            return new Extent(start, end - start, ExtentKind.Data);
        }
        catch (PosixException cause)
        {
            throw new StorageException($"Finding the holes of {Description} failed: {Errno.Describe(cause.Errno)}.", false, cause);
        }
    }

    /// <inheritdoc/>
    public void RequireSameSize() => _file.RequireSize(Size, RandomAccess.GetLength(_file.Handle));

    /// <inheritdoc/>
    public void Release(long offset, long length) => _file.Release(offset, length);

    /// <summary>Closes the file.</summary>
    public ValueTask DisposeAsync()
    {
        _file.Dispose();
        return ValueTask.CompletedTask;
    }
}
