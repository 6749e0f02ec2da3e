using Benji.Store.Model;
using Benji.Store.Posix;
using Benji.Store.Posix.Paths;

namespace Benji.Store.Sources.Files;

/// <summary>Writes a block device that nobody else uses; what lies behind the version's end is left as it is.</summary>
/// <remarks>The device is claimed for as long as this object lives, so that nobody mounts it meanwhile. Calls run on the
/// caller's thread.</remarks>
internal sealed class DeviceTarget : ITarget
{
    private readonly WritableFile _file;
    private readonly long _size;
    private readonly int _sectorSize;

    private DeviceTarget(WritableFile file, string description, long size, int sectorSize)
    {
        _file = file;
        _size = size;
        _sectorSize = sectorSize;
        Description = description;
    }

    /// <inheritdoc/>
    public string Description { get; }

    /// <inheritdoc/>
    public bool IsZeroed => false;

    /// <summary>True when writes of aligned memory go around the page cache.</summary>
    internal bool IsDirect => _file.IsDirect;

    /// <summary>Refuses a device that is seen to be used; only the exclusive open of <see cref="Open"/> is final.</summary>
    /// <exception cref="InUseException">It, or a part of it, is mounted, used as swap or part of another device.</exception>
    internal static void RequireUnused(string path, string description)
    {
        try
        {
            if (DeviceUse.Find(path) is { } use)
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

    /// <summary>Opens and claims a device for a version of <paramref name="size"/> bytes.</summary>
    /// <exception cref="InUseException">It, or a part of it, is mounted, used as swap or claimed.</exception>
    /// <exception cref="UsageException">It is smaller than the version.</exception>
    /// <exception cref="StorageException">It cannot be opened.</exception>
    internal static DeviceTarget Open(string path, string description, long size)
    {
        Invariant.Holds(size >= 0);
        WritableFile? file = null;
        try
        {
            file = OpenUnused(path, description);
            var deviceSize = BlockDevice.Size(file.Handle);
            if (deviceSize < size)
            {
                throw new UsageException(
                    $"{description} has {deviceSize} bytes, too few for a version of {size} bytes.");
            }

            return new DeviceTarget(file, description, size, BlockDevice.SectorSize(file.Handle));
        }
        catch (PosixException cause)
        {
            file?.Dispose();
            throw new StorageException(
                $"Cannot write {description}: {Errno.Describe(cause.Errno)}.", isTransient: false, cause);
        }
        catch
        {
            file?.Dispose();
            throw;
        }
    }

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

        // Whole sectors are zeroed by the device, the rests at both ends as bytes.
        var end = offset + length;
        var start = Math.Min(end, (offset + _sectorSize - 1) / _sectorSize * _sectorSize);
        var stop = Math.Max(start, end / _sectorSize * _sectorSize);
        if (start == stop || !TryZero(start, stop - start))
        {
            _file.WriteZeros(offset, length, cancellationToken);
            return ValueTask.CompletedTask;
        }

        _file.WriteZeros(offset, start - offset, cancellationToken);
        _file.WriteZeros(stop, end - stop, cancellationToken);
        return ValueTask.CompletedTask;
    }

    /// <inheritdoc/>
    public ValueTask FlushAsync(CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        _file.Sync();
        return ValueTask.CompletedTask;
    }

    /// <summary>Closes the device and gives up the claim. What was not flushed may not be durable.</summary>
    public ValueTask DisposeAsync()
    {
        _file.Dispose();
        return ValueTask.CompletedTask;
    }

    private static WritableFile OpenUnused(string path, string description)
    {
        RequireUnused(path, description);
        try
        {
            return new WritableFile(path, description, BlockDevice.OpenExclusive(path));
        }
        catch (PosixException cause) when (cause.Errno == Errno.Busy)
        {
            throw new InUseException($"{description} is in use by another program. Nothing was written.", cause);
        }
    }

    private bool TryZero(long offset, long length)
    {
        try
        {
            return SparseFile.PunchHole(_file.Handle, offset, length)
                || BlockDevice.ZeroOut(_file.Handle, offset, length);
        }
        catch (PosixException cause)
        {
            throw _file.Failure($"Zeroing {length} bytes at offset {offset} of", cause);
        }
    }
}
