using System.ComponentModel;
using System.Runtime.InteropServices;
using System.Text;

namespace Benji.Cli.Services;

/// <summary>Tells the service manager how the program is, and gives it a descriptor to hold.</summary>
/// <remarks>Protocol: sd_notify(3) of systemd, a datagram of lines to the socket that <c>NOTIFY_SOCKET</c> names. Without that
/// variable nobody listens and nothing is sent. Safe for concurrent calls.</remarks>
internal sealed partial class ServiceNotify
{
    /// <summary>The variable that names the socket.</summary>
    public const string Variable = "NOTIFY_SOCKET";

    private const int UnixFamily = 1;
    private const int DatagramType = 2;
    private const int CloseOnExec = 0x80000;
    private const int NoSignal = 0x4000;
    private const int SocketLevel = 1;
    private const int Rights = 1;
    private const int PathMost = 107; // bytes in sun_path, but for the last one
    private const int ControlLength = 20; // CMSG_LEN of one descriptor: a header of 16 bytes and an int
    private const int ControlSpace = 24;

    private readonly byte[]? _address;

    /// <summary>Speaks to the socket; null or empty for none.</summary>
    public ServiceNotify(string? socket)
    {
        if (string.IsNullOrEmpty(socket))
        {
            return;
        }

        var path = Encoding.UTF8.GetBytes(socket);
        if (path[0] is not ((byte)'/' or (byte)'@') || path.Length > PathMost)
        {
            return; // another kind of socket, as a virtual machine's: it is not for this program
        }

        _address = new byte[2 + path.Length + (path[0] == '/' ? 1 : 0)];
        BitConverter.TryWriteBytes(_address, (short)UnixFamily);
        path.CopyTo(_address.AsSpan(2));
        if (path[0] == '@')
        {
            _address[2] = 0; // an abstract name
        }
    }

    /// <summary>True when a service manager listens.</summary>
    public bool IsListening => _address is not null;

    /// <summary>Says that the service serves, and in a few words what.</summary>
    public void Ready(string status) => Send($"READY=1\nSTATUS={status}");

    /// <summary>Says that the service is about to end.</summary>
    public void Stopping() => Send("STOPPING=1");

    /// <summary>Sends lines such as <c>READY=1</c>.</summary>
    /// <exception cref="IOException">They could not be sent.</exception>
    public void Send(string lines) => Send(lines, descriptor: null);

    /// <summary>Gives the service manager a copy of a descriptor, which it hands to the next start after a crash.</summary>
    /// <param name="name">What the next start knows it by: at most 255 printable characters without a colon.</param>
    /// <param name="descriptor">The descriptor; it stays the caller's.</param>
    /// <exception cref="IOException">It could not be sent.</exception>
    public void Store(string name, SafeHandle descriptor) => Send($"FDSTORE=1\nFDNAME={name}", descriptor);

    /// <summary>Takes a descriptor out of the service manager's hold.</summary>
    /// <exception cref="IOException">It could not be sent.</exception>
    public void Forget(string name) => Send($"FDSTOREREMOVE=1\nFDNAME={name}");

    private void Send(string lines, SafeHandle? descriptor)
    {
        if (_address is null)
        {
            return;
        }

        var socket = OpenSocket(UnixFamily, DatagramType | CloseOnExec, 0);
        if (socket < 0)
        {
            throw Failure();
        }

        var isHeld = false;
        try
        {
            descriptor?.DangerousAddRef(ref isHeld);
            SendMessage(socket, Encoding.UTF8.GetBytes(lines), (int?)descriptor?.DangerousGetHandle());
        }
        finally
        {
            if (isHeld)
            {
                descriptor!.DangerousRelease();
            }

            _ = CloseDescriptor(socket);
        }
    }

    private unsafe void SendMessage(int socket, byte[] lines, int? descriptor)
    {
        // struct cmsghdr and its int, and struct msghdr: the same on all 64-bit Linux machines.
        var control = stackalloc byte[ControlSpace];
        *(nuint*)control = ControlLength;
        ((int*)control)[2] = SocketLevel;
        ((int*)control)[3] = Rights;
        ((int*)control)[4] = descriptor ?? 0;
        fixed (byte* address = _address, text = lines)
        {
            var part = new Part { Start = text, Length = (nuint)lines.Length };
            var message = new Message
            {
                Address = address,
                AddressLength = (uint)_address!.Length,
                Parts = &part,
                PartCount = 1,
                Control = descriptor is null ? null : control,
                ControlLength = descriptor is null ? 0 : (nuint)ControlSpace,
            };
            if (SendMessage(socket, &message, NoSignal) < 0)
            {
                throw Failure();
            }
        }
    }

    private static IOException Failure()
    {
        var cause = new Win32Exception(Marshal.GetLastPInvokeError());
        return new IOException($"Could not tell the service manager at {Variable}: {cause.Message}.", cause);
    }

    [LibraryImport("libc", EntryPoint = "socket", SetLastError = true)]
    private static partial int OpenSocket(int family, int type, int protocol);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int CloseDescriptor(int descriptor);

    [LibraryImport("libc", EntryPoint = "sendmsg", SetLastError = true)]
    private static unsafe partial nint SendMessage(int socket, Message* message, int flags);

    /// <summary>The C library's <c>struct iovec</c>.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private unsafe struct Part
    {
        public byte* Start;
        public nuint Length;
    }

    /// <summary>The C library's <c>struct msghdr</c>.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private unsafe struct Message
    {
        public byte* Address;
        public uint AddressLength;
        public Part* Parts;
        public nuint PartCount;
        public byte* Control;
        public nuint ControlLength;
        public int Flags;
    }
}
