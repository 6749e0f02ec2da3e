using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Benji.Mount.Kernel.Mounting;

/// <summary>Receives an open file from another process: cmsg(3), SCM_RIGHTS.</summary>
internal static class Descriptors
{
    private const int CloseOnExec = 0x40000000; // MSG_CMSG_CLOEXEC
    private const int SocketLevel = 1; // SOL_SOCKET
    private const int Rights = 1; // SCM_RIGHTS

    // struct cmsghdr is a length of 8 bytes, a level and a type of 4 each; the descriptor follows, padded to 8.
    private const int LevelOffset = 8;
    private const int TypeOffset = 12;
    private const int DescriptorOffset = 16;
    private const int ControlSize = 24;

    /// <summary>Waits for a descriptor.</summary>
    /// <returns>Null when the other end was closed without sending one.</returns>
    public static unsafe SafeFileHandle? Receive(SafeFileHandle socket)
    {
        var control = stackalloc byte[ControlSize];
        byte data;
        var vector = new IoVector { Start = &data, Length = 1 };
        nint count;
        do
        {
            var message = new MessageHeader
            {
                Vectors = &vector,
                VectorCount = 1,
                Control = control,
                ControlLength = ControlSize,
            };
            new Span<byte>(control, ControlSize).Clear();
            count = LibC.ReceiveMessage(socket, &message, CloseOnExec);
        }
        while (count < 0 && Marshal.GetLastPInvokeError() == Errno.Interrupted);

        return count > 0 && *(int*)(control + LevelOffset) == SocketLevel && *(int*)(control + TypeOffset) == Rights
            ? new SafeFileHandle(*(int*)(control + DescriptorOffset), ownsHandle: true)
            : null;
    }
}
