using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Benji.Mount.Kernel;

/// <summary>One connection to the kernel: an open /dev/fuse.</summary>
internal sealed class FuseDevice : IRequestChannel, IDisposable
{
    /// <summary>The path of the device.</summary>
    public const string Path = "/dev/fuse";

    // A handle in use is closed only after the use: readers wait in the kernel with it.
    private volatile bool _isClosed;

    /// <summary>Takes over an open descriptor.</summary>
    public FuseDevice(SafeFileHandle handle) => Handle = handle;

    /// <summary>The descriptor; it may be kept by somebody else so that a later server goes on with the connection.</summary>
    public SafeFileHandle Handle { get; }

    /// <summary>Opens a new connection, which nothing is mounted on yet.</summary>
    /// <exception cref="FuseDeviceException">There is no such device or it may not be opened.</exception>
    public static FuseDevice Open()
    {
        var handle = LibC.Open(Path, LibC.OpenReadWrite | LibC.OpenCloseOnExec);
        if (handle.IsInvalid)
        {
            var errno = Marshal.GetLastPInvokeError();
            handle.Dispose();
            throw new FuseDeviceException($"open {Path}", errno);
        }

        return new FuseDevice(handle);
    }

    /// <inheritdoc/>
    public unsafe int Receive(Span<byte> buffer)
    {
        fixed (byte* start = buffer)
        {
            while (!_isClosed)
            {
                var count = LibC.Read(Handle, start, (nuint)buffer.Length);
                if (count > 0)
                {
                    return (int)count;
                }

                var errno = Marshal.GetLastPInvokeError();
                if (count == 0 || errno is Errno.NoDevice or Errno.Aborted)
                {
                    return 0;
                }

                // ENOENT: whoever asked was gone before the request was taken.
                if (errno is not (Errno.Interrupted or Errno.TryAgain or Errno.NotFound))
                {
                    throw new FuseDeviceException($"read from {Path}", errno);
                }
            }

            return 0;
        }
    }

    /// <inheritdoc/>
    public unsafe int Send(ReadOnlySpan<IoVector> vectors)
    {
        fixed (IoVector* start = vectors)
        {
            if (_isClosed)
            {
                return Errno.NoDevice;
            }

            while (LibC.WriteVectors(Handle, start, vectors.Length) < 0)
            {
                var errno = Marshal.GetLastPInvokeError();
                if (errno != Errno.Interrupted)
                {
                    return errno;
                }
            }

            return Errno.None;
        }
    }

    /// <summary>Ends the connection as far as this server can: it answers nothing any more, and each thread that waits for a
    /// request ends with the next one.</summary>
    public void Dispose()
    {
        _isClosed = true;
        Handle.Dispose();
    }
}
