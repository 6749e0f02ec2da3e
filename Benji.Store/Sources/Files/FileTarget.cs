using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Benji.Store.Model;
using Benji.Store.Posix;
using Benji.Store.Posix.Paths;

namespace Benji.Store.Sources.Files;

/// <summary>Writes a regular file: a new one under its name only when it is whole, an existing one in place.</summary>
/// <remarks>A new file is written as <c>NAME.partial-XXXXXXXX</c> beside its name, mode 0600, and renamed by the flush; a
/// target that is disposed before removes it, and after a crash its name shows what it is. A whole file that cannot get
/// its name is kept. An existing file gets the
/// version's size: a shorter one at once, a longer one by the flush. Calls run on the caller's thread.</remarks>
internal sealed class FileTarget : ITarget
{
    // Linux's NAME_MAX, in bytes.
    private const int NameLengthMax = 255;

    private readonly WritableFile _file;
    private readonly string _path;
    private readonly long _size;
    private bool _isPartial;
    private bool _isWhole;

    private FileTarget(WritableFile file, string path, string description, long size, bool isNew)
    {
        _file = file;
        _path = path;
        _size = size;
        _isPartial = isNew;
        IsZeroed = isNew;
        Description = description;
    }

    /// <inheritdoc/>
    public string Description { get; }

    /// <inheritdoc/>
    public bool IsZeroed { get; }

    /// <summary>True when writes of aligned memory go around the page cache.</summary>
    internal bool IsDirect => _file.IsDirect;

    /// <summary>Creates a file of <paramref name="size"/> zeros, under a name of its own until the flush.</summary>
    /// <param name="path">The final name; nothing has it.</param>
    /// <param name="description">What messages call it.</param>
    /// <param name="size">Bytes in the file.</param>
    /// <exception cref="StorageException">It cannot be created or sized.</exception>
    internal static FileTarget Create(string path, string description, long size)
    {
        var suffix = RandomNumberGenerator.GetInt32(int.MaxValue).ToString("x8", CultureInfo.InvariantCulture);
        var partial = $"{path}.partial-{suffix}";
        if (Encoding.UTF8.GetByteCount(Path.GetFileName(partial)) > NameLengthMax)
        {
            partial = Path.Combine(Path.GetDirectoryName(path) ?? "", $"partial-{suffix}");
        }

        return Open(partial, path, description, size, isNew: true);
    }

    /// <summary>Refuses a file that is the content of an attached loop device.</summary>
    /// <exception cref="InUseException">It is.</exception>
    internal static void RequireUnused(string path, string description)
    {
        try
        {
            if (DeviceUse.FindLoop(path) is { } use)
            {
                throw new InUseException($"{description} is in use: {use}. Nothing was written.");
            }
        }
        catch (PosixException cause)
        {
            throw new StorageException(
                $"Cannot look up {description}: {Errno.Describe(cause.Errno)}.", isTransient: false, cause);
        }
    }

    /// <summary>Opens an existing file to write over it.</summary>
    /// <exception cref="StorageException">It cannot be opened or sized.</exception>
    internal static FileTarget Overwrite(string path, string description, long size) =>
        Open(path, path, description, size, isNew: false);

    /// <inheritdoc/>
    public ValueTask WriteAsync(long offset, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        Invariant.Holds(offset >= 0 && offset % BlockBuffer.Alignment == 0 && offset <= _size - content.Length);
        cancellationToken.ThrowIfCancellationRequested();
        _file.Write(offset, content.Span);
        return ValueTask.CompletedTask;
    }

    /// <inheritdoc/>
    public ValueTask ZeroAsync(long offset, long length, CancellationToken cancellationToken)
    {
        Invariant.Holds(offset >= 0 && length >= 0 && offset <= _size - length);
        cancellationToken.ThrowIfCancellationRequested();
        if (length > 0 && !TryZero(offset, length))
        {
            _file.WriteZeros(offset, length, cancellationToken);
        }

        return ValueTask.CompletedTask;
    }

    /// <inheritdoc/>
    /// <exception cref="AlreadyExistsException">Something else got the name meanwhile; the message says where the whole
    /// file is.</exception>
    public ValueTask FlushAsync(CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();

        // Nothing that follows is undone by a cancellation: synced, named and the name synced belong together.
        try
        {
            PosixFile.Truncate(_file.Handle, _file.Path, _size);
        }
        catch (PosixException cause)
        {
            throw _file.Failure("Setting the size of", cause);
        }

        _file.Sync();
        _isWhole = true;
        try
        {
            if (_isPartial && !NewName.TryGive(_file.Path, _path))
            {
                throw new AlreadyExistsException(
                    $"{Description} came to exist while it was being written; the whole restore is in '{_file.Path}'.");
            }

            _isPartial = false;
            PosixDirectory.Sync(Path.GetDirectoryName(Path.GetFullPath(_path))!);
        }
        catch (PosixException cause)
        {
            throw _file.Failure(_isPartial ? $"The whole restore is in '{_file.Path}', but naming" : "Naming", cause);
        }

        return ValueTask.CompletedTask;
    }

    /// <summary>Closes the file and removes it when it is a new one that was not written to its end and flushed.</summary>
    /// <exception cref="StorageException">The partial file cannot be removed.</exception>
    public ValueTask DisposeAsync()
    {
        _file.Dispose();
        if (_isPartial && !_isWhole)
        {
            _isPartial = false;
            try
            {
                PosixFile.Delete(_file.Path);
            }
            catch (PosixException cause)
            {
                throw _file.Failure("Removing the unfinished file of", cause);
            }
        }

        return ValueTask.CompletedTask;
    }

    private static FileTarget Open(string openPath, string path, string description, long size, bool isNew)
    {
        Invariant.Holds(size >= 0);
        WritableFile? file = null;
        try
        {
            // Reading is not needed, but whoever cannot read the result could not use it.
            var flags = OpenFlags.ReadWrite | (isNew ? OpenFlags.Create | OpenFlags.Exclusive : OpenFlags.Read);
            file = new WritableFile(openPath, description, PosixFile.Open(openPath, flags));
            if (RandomAccess.GetLength(file.Handle) < size)
            {
                PosixFile.Truncate(file.Handle, openPath, size);
            }

            return new FileTarget(file, path, description, size, isNew);
        }
        catch (PosixException cause)
        {
            if (file is not null)
            {
                file.Dispose();
                if (isNew)
                {
                    PosixFile.Delete(openPath);
                }
            }

            throw new StorageException(
                $"Cannot write {description}: {Errno.Describe(cause.Errno)}.", isTransient: false, cause);
        }
    }

    private bool TryZero(long offset, long length)
    {
        try
        {
            return SparseFile.PunchHole(_file.Handle, offset, length)
                || SparseFile.ZeroRange(_file.Handle, offset, length);
        }
        catch (PosixException cause)
        {
            throw _file.Failure($"Zeroing {length} bytes at offset {offset} of", cause);
        }
    }
}
