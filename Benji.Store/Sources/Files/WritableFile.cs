using Benji.Store.Model;
using Benji.Store.Posix;
using Microsoft.Win32.SafeHandles;

namespace Benji.Store.Sources.Files;

/// <summary>An open file or device that is written at offsets: what file and device targets have in common.</summary>
/// <remarks>Aligned bytes go around the page cache where the file system can (0.1 instead of 0.4 CPU s a GiB), others
/// through it. Both ways may be mixed in one file: the kernel keeps them coherent. Safe for concurrent calls on ranges
/// that do not overlap.</remarks>
internal sealed class WritableFile : IDisposable
{
    private const int Alignment = BlockBuffer.Alignment;
    private const int ZerosLength = 256 * 1024;

    private static readonly byte[] Zeros = new byte[ZerosLength];

    private readonly string _description;
    private readonly SafeFileHandle? _direct;
    private volatile bool _isDirect;

    /// <summary>Takes over an open file.</summary>
    /// <param name="path">Where it can be opened once more, for direct writes.</param>
    /// <param name="description">What messages call it.</param>
    /// <param name="handle">Open for writing; owned by this object from here on.</param>
    internal WritableFile(string path, string description, SafeFileHandle handle)
    {
        Path = path;
        _description = description;
        Handle = handle;
        _direct = TryOpenDirect(path);
        _isDirect = _direct is not null;
    }

    /// <summary>The path it was opened at.</summary>
    internal string Path { get; }

    /// <summary>The open file, for writes through the page cache.</summary>
    internal SafeFileHandle Handle { get; }

    /// <summary>True while aligned writes go around the page cache.</summary>
    internal bool IsDirect => _isDirect;

    /// <summary>Writes all of <paramref name="content"/>.</summary>
    /// <exception cref="StorageException">It cannot be written.</exception>
    internal void Write(long offset, ReadOnlySpan<byte> content)
    {
        try
        {
            var done = WriteDirect(offset, content);
            if (done < content.Length)
            {
                PosixFile.Write(Handle, Path, offset + done, content[done..]);
                PosixFile.StartWriting(Handle, offset + done, content.Length - done);
            }
        }
        catch (PosixException cause)
        {
            throw Failure($"Writing {content.Length} bytes at offset {offset} of", cause);
        }
    }

    /// <summary>Writes zeros, as bytes.</summary>
    /// <exception cref="StorageException">They cannot be written.</exception>
    internal void WriteZeros(long offset, long length, CancellationToken cancellationToken)
    {
        while (length > 0)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var part = (int)Math.Min(ZerosLength, length);
            Write(offset, Zeros.AsSpan(0, part));
            offset += part;
            length -= part;
        }
    }

    /// <summary>Makes everything written durable, the length included.</summary>
    /// <exception cref="StorageException">It may not be durable.</exception>
    internal void Sync()
    {
        try
        {
            PosixFile.Sync(Handle, Path);
        }
        catch (PosixException cause)
        {
            throw Failure("Syncing", cause);
        }
    }

    /// <summary>Makes the failure of something that was being done to this file.</summary>
    internal StorageException Failure(string action, PosixException cause) =>
        new($"{action} {_description} failed: {Errno.Describe(cause.Errno)}.", isTransient: false, cause);

    /// <summary>Closes the file.</summary>
    public void Dispose()
    {
        _direct?.Dispose();
        Handle.Dispose();
    }

    // Returns the bytes written: whole units from the start, or none. The memory is pinned while its address counts.
    private unsafe int WriteDirect(long offset, ReadOnlySpan<byte> content)
    {
        var whole = content.Length / Alignment * Alignment;
        if (!_isDirect || whole == 0 || offset % Alignment != 0)
        {
            return 0;
        }

        fixed (byte* start = content)
        {
            if ((nuint)start % Alignment != 0)
            {
                return 0;
            }

            try
            {
                PosixFile.Write(_direct!, Path, offset, content[..whole]);
                return whole;
            }
            catch (PosixException cause) when (cause.Errno == Errno.Invalid)
            {
                // The flag was accepted, but this alignment is not enough here (or a part was written and left an odd
                // rest). Writing all of it again the other way is right in both cases.
                _isDirect = false;
                return 0;
            }
        }
    }

    // Null where the file system has no direct writes (EINVAL) or the file cannot be opened a second time.
    private static SafeFileHandle? TryOpenDirect(string path)
    {
        try
        {
            return PosixFile.Open(path, OpenFlags.Write | OpenFlags.Direct);
        }
        catch (PosixException)
        {
            return null;
        }
    }
}
