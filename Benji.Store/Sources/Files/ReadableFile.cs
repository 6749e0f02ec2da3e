using Benji.Store.Model;
using Benji.Store.Posix;
using Microsoft.Win32.SafeHandles;

namespace Benji.Store.Sources.Files;

/// <summary>An open file or device that is read at offsets: what file and device sources have in common.</summary>
/// <remarks>Reads go through the page cache with read-ahead, and what was read is dropped from it on request. Measured on
/// 1 GiB in 4 MiB reads: 0.06 CPU s and 0.06 s when cached, 0.09-0.15 CPU s and 0.5-0.8 s when not; reading around the
/// cache takes 0.05-0.06 CPU s, but 1.0-1.2 s either way. Safe for concurrent calls.</remarks>
internal sealed class ReadableFile : IDisposable
{
    private readonly string _description;
    private readonly string _path;

    private ReadableFile(string description, string path, SafeFileHandle handle)
    {
        _description = description;
        _path = path;
        Handle = handle;
    }

    /// <summary>The open file, owned by this object.</summary>
    internal SafeFileHandle Handle { get; }

    /// <summary>Opens a path for reading only.</summary>
    /// <param name="path">A path that was looked up before: opening a pipe would wait for its writer.</param>
    /// <param name="description">What messages call it.</param>
    /// <exception cref="StorageException">It cannot be opened.</exception>
    internal static ReadableFile Open(string path, string description)
    {
        try
        {
            var handle = PosixFile.Open(path, OpenFlags.Read);
            FileAdvice.Sequential(handle);
            return new ReadableFile(description, path, handle);
        }
        catch (PosixException cause)
        {
            throw new StorageException($"Cannot read {description}: {Errno.Describe(cause.Errno)}.", isTransient: false, cause);
        }
    }

    /// <summary>Fills <paramref name="destination"/>.</summary>
    /// <param name="offset">Where to read.</param>
    /// <param name="destination">Lent for the call.</param>
    /// <param name="size">Bytes that were there at the start, for the message.</param>
    /// <exception cref="StorageException">It cannot be read, or ends too early.</exception>
    internal void Read(long offset, Span<byte> destination, long size)
    {
        int count;
        try
        {
            count = PosixFile.Read(Handle, _path, offset, destination);
        }
        catch (PosixException cause)
        {
            throw new StorageException(
                $"Reading {destination.Length} bytes at offset {offset} of {_description} failed: {Errno.Describe(cause.Errno)}.",
                isTransient: false,
                cause);
        }

        if (count < destination.Length)
        {
            throw Shorter(offset + count, size);
        }
    }

    /// <summary>True when not one byte can be read.</summary>
    /// <exception cref="StorageException">It cannot be told.</exception>
    internal bool IsEmpty()
    {
        try
        {
            return PosixFile.Read(Handle, _path, 0, stackalloc byte[1]) == 0;
        }
        catch (PosixException cause)
        {
            throw new StorageException($"Cannot read {_description}: {Errno.Describe(cause.Errno)}.", isTransient: false, cause);
        }
    }

    /// <summary>Refuses a file that has another size now than when it was opened.</summary>
    /// <exception cref="StorageException">It has.</exception>
    internal void RequireSize(long size, long now)
    {
        if (now < size)
        {
            throw Shorter(now, size);
        }

        if (now > size)
        {
            throw new StorageException(
                $"{_description} has become longer: it has {now} bytes and had {size} when it was opened.", isTransient: false);
        }
    }

    /// <summary>Makes the failure of a file that has become shorter while it was read.</summary>
    internal StorageException Shorter(long end, long size) =>
        new($"{_description} has become shorter: it ends at offset {end} and was {size} bytes when it was opened.", false);

    /// <summary>Drops the pages that lie wholly in a range from the page cache.</summary>
    internal void Release(long offset, long length) => FileAdvice.DontNeed(Handle, offset, length);

    /// <summary>Closes the file.</summary>
    public void Dispose() => Handle.Dispose();
}
