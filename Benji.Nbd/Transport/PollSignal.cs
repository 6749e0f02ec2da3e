using System.ComponentModel;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Benji.Nbd.Transport;

/// <summary>A file that another thread can make readable, to end a wait in poll(2).</summary>
internal sealed unsafe class PollSignal : IDisposable
{
    private readonly SafeFileHandle _handle;

    /// <summary>Makes one that is not set.</summary>
    /// <exception cref="IOException">There are too many open files.</exception>
    public PollSignal()
    {
        var file = SocketCalls.CreateEvent(0, SocketCalls.EventFlags);
        _handle = new SafeFileHandle(file, ownsHandle: true);
        if (file < 0)
        {
            var error = new Win32Exception(Marshal.GetLastPInvokeError());
            throw new IOException($"Cannot make an event: {error.Message}.", error);
        }
    }

    /// <summary>The file, while this is not disposed.</summary>
    public int File => (int)_handle.DangerousGetHandle();

    /// <summary>Makes it readable; safe from any thread at any time.</summary>
    public void Set()
    {
        try
        {
            ulong one = 1;
            _ = SocketCalls.Write(_handle, &one, sizeof(ulong));
        }
        catch (ObjectDisposedException)
        {
            // What this was to tell has been seen already: the last completion may be taken before its wake is through.
            return;
        }
    }

    /// <summary>Makes it not readable.</summary>
    public void Reset()
    {
        ulong count;
        _ = SocketCalls.Read(_handle, &count, sizeof(ulong));
    }

    /// <summary>Closes it.</summary>
    public void Dispose() => _handle.Dispose();
}
