using Benji.Store.Model;
using Benji.Store.Posix;

namespace Benji.Store.Sources.Files;

/// <summary>Reads a block device, all of it: a device does not say which of its parts are zeros.</summary>
/// <remarks>The device may be in use; only a snapshot of it is frozen. Safe for concurrent calls; reads run on the
/// caller's thread.</remarks>
internal sealed class DeviceSource : ISource
{
    private readonly ReadableFile _file;

    private DeviceSource(ReadableFile file, string description, long size)
    {
        _file = file;
        Description = description;
        Size = size;
    }

    /// <inheritdoc/>
    public string Description { get; }

    /// <inheritdoc/>
    public long Size { get; }

    /// <summary>Opens a path that leads to a block device.</summary>
    /// <exception cref="StorageException">It cannot be opened.</exception>
    internal static DeviceSource Open(string path, string description)
    {
        var file = ReadableFile.Open(path, description);
        try
        {
            var size = BlockDevice.Size(file.Handle);
            if (size == 0)
            {
                throw new StorageException(
                    $"Cannot read {description}: the device has no bytes; nothing is attached to it.", isTransient: false);
            }

            return new DeviceSource(file, description, size);
        }
        catch (StorageException)
        {
            file.Dispose();
            throw;
        }
        catch (PosixException cause)
        {
            file.Dispose();
            throw new StorageException($"Cannot read {description}: {Errno.Describe(cause.Errno)}.", isTransient: false, cause);
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
    public Extent? FindData(long offset)
    {
        Invariant.Holds(offset >= 0);
        return offset < Size ? new Extent(offset, Size - offset, ExtentKind.Data) : null;
    }

    /// <inheritdoc/>
    public void RequireSameSize()
    {
        try
        {
            _file.RequireSize(Size, BlockDevice.Size(_file.Handle));
        }
        catch (PosixException cause)
        {
            throw new StorageException($"Cannot read {Description}: {Errno.Describe(cause.Errno)}.", isTransient: false, cause);
        }
    }

    /// <inheritdoc/>
    public void Release(long offset, long length) => _file.Release(offset, length);

    /// <summary>Closes the device.</summary>
    public ValueTask DisposeAsync()
    {
        _file.Dispose();
        return ValueTask.CompletedTask;
    }
}
