using System.ComponentModel;
using System.Runtime.InteropServices;
using Benji.Nbd.Session;
using Microsoft.Win32.SafeHandles;

namespace Benji.Nbd.Transport;

/// <summary>The system calls that move a client's bytes without allocating and without changing threads.</summary>
internal static unsafe partial class SocketCalls
{
    /// <summary>MSG_DONTWAIT | MSG_NOSIGNAL.</summary>
    public const int DoNotWait = 0x40 | 0x4000;

    /// <summary>EFD_CLOEXEC | EFD_NONBLOCK.</summary>
    public const int EventFlags = 0x80000 | 0x800;

    /// <summary>POLLIN.</summary>
    public const short Readable = 1;

    /// <summary>POLLOUT.</summary>
    public const short Writable = 4;

    /// <summary>EINTR.</summary>
    public const int Interrupted = 4;

    /// <summary>EAGAIN.</summary>
    public const int TryAgain = 11;

    /// <summary>ENXIO.</summary>
    public const int NoDevice = 6;

    /// <summary>O_RDONLY | O_NONBLOCK | O_CLOEXEC.</summary>
    public const int OpenToLook = 0x800 | 0x80000;

    /// <summary>F_SETFD, for FD_CLOEXEC.</summary>
    public const int SetDescriptorFlags = 2;

    /// <summary>The user, or group, that stays.</summary>
    public const uint SameOwner = uint.MaxValue;

    [LibraryImport("libc", EntryPoint = "lchown", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int ChangeOwner(string path, uint user, uint group);

    [LibraryImport("libc", EntryPoint = "recv", SetLastError = true)]
    public static partial nint Receive(int socket, byte* buffer, nuint length, int flags);

    [LibraryImport("libc", EntryPoint = "sendmsg", SetLastError = true)]
    public static partial nint Send(int socket, MessageHeader* message, int flags);

    [LibraryImport("libc", EntryPoint = "poll", SetLastError = true)]
    public static partial int Poll(PollEntry* entries, nuint count, int timeoutMilliseconds);

    /// <summary>Waits until something has happened.</summary>
    public static void WaitForAny(PollEntry* entries, uint count)
    {
        const int forever = -1;
        while (Poll(entries, count, forever) < 0)
        {
            if (Marshal.GetLastPInvokeError() is var error && error != Interrupted)
            {
                throw new IOException($"Cannot wait for clients: {new Win32Exception(error).Message}.");
            }
        }
    }

    [LibraryImport("libc", EntryPoint = "eventfd", SetLastError = true)]
    public static partial int CreateEvent(uint start, int flags);

    [LibraryImport("libc", EntryPoint = "read", SetLastError = true)]
    public static partial nint Read(SafeFileHandle file, void* buffer, nuint length);

    [LibraryImport("libc", EntryPoint = "write", SetLastError = true)]
    public static partial nint Write(SafeFileHandle file, void* buffer, nuint length);

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fcntl", SetLastError = true)]
    public static partial int Control(int file, int command, int argument);
}

/// <summary><c>struct pollfd</c>.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct PollEntry
{
    /// <summary>What is waited for.</summary>
    public int File;

    /// <summary>For what.</summary>
    public short Events;

    /// <summary>What happened.</summary>
    public short Happened;
}

/// <summary><c>struct msghdr</c> of 64-bit Linux.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct MessageHeader
{
    /// <summary>No address.</summary>
    public nint Name;

    /// <summary>Its length, padded to 8 bytes.</summary>
    public nuint NameLength;

    /// <summary>The bytes to send.</summary>
    public IoVector* Vectors;

    /// <summary>How many vectors.</summary>
    public nuint VectorCount;

    /// <summary>No control data.</summary>
    public nint Control;

    /// <summary>Its length.</summary>
    public nuint ControlLength;

    /// <summary>Unused in sending, padded to 8 bytes.</summary>
    public nint Flags;
}
