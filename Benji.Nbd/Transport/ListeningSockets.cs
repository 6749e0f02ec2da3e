using System.ComponentModel;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Benji.Store.Model;
using Microsoft.Win32.SafeHandles;

namespace Benji.Nbd.Transport;

/// <summary>Makes the sockets that a server listens on, or takes over those of systemd.</summary>
internal static class ListeningSockets
{
    private const int Backlog = 512;
    private const int ActivatedFirst = 3;
    private const int CloseOnExec = 1;
    private const string ProcessVariable = "LISTEN_PID";
    private const string CountVariable = "LISTEN_FDS";

    /// <summary>Listens on a TCP address.</summary>
    /// <exception cref="InUseException">Somebody else does.</exception>
    /// <exception cref="UsageException">It is no address of this machine.</exception>
    public static Socket Listen(IPEndPoint endpoint)
    {
        var socket = new Socket(endpoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            if (endpoint.AddressFamily == AddressFamily.InterNetworkV6)
            {
                socket.DualMode = false;
            }

            socket.Bind(endpoint);
            socket.Listen(Backlog);
            return socket;
        }
        catch (SocketException cause)
        {
            socket.Dispose();
            throw cause.SocketErrorCode == SocketError.AddressAlreadyInUse
                ? new InUseException($"The address {endpoint} is in use: choose another one, or port 0 for any.", cause)
                : new UsageException($"Cannot listen on {endpoint}: {cause.Message}.", cause);
        }
    }

    /// <summary>Listens on a unix socket.</summary>
    /// <param name="path">Where.</param>
    /// <param name="access">Who may connect.</param>
    /// <exception cref="InUseException">Somebody listens there, or something else is there.</exception>
    /// <exception cref="UsageException">The path cannot be used.</exception>
    /// <exception cref="StorageException">The path may not be looked at.</exception>
    /// <exception cref="NotAllowedException">Others could put a socket of theirs in its place, or it cannot be given to the
    /// group.</exception>
    public static Socket Listen(string path, SocketAccess access)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            var endpoint = new UnixDomainSocketEndPoint(path);
            CheckDirectory(path, access);
            RemoveStale(path, endpoint);
            socket.Bind(endpoint);

            // Nobody can connect before it listens, so nobody gets in with the mode that the bind gave it.
            GiveToGroup(path, access);
            File.SetUnixFileMode(path, access.Mode);
            socket.Listen(Backlog);
            return socket;
        }
        catch (Exception cause) when (
            cause is SocketException or ArgumentException or IOException or UnauthorizedAccessException)
        {
            socket.Dispose();
            throw cause is SocketException { SocketErrorCode: SocketError.AddressAlreadyInUse }
                ? new InUseException($"Cannot listen on {path}: something is there. Remove it or choose another path.", cause)
                : new UsageException($"Cannot listen on {path}: {cause.Message}", cause);
        }
        catch (BenjiException)
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>Takes over the listening sockets that systemd has opened for this process; none when it has not.</summary>
    /// <remarks>sd_listen_fds(3). The variables are removed, so that no child takes them for its own.</remarks>
    /// <exception cref="UsageException">What was handed over is no listening stream socket.</exception>
    public static IReadOnlyList<Socket> TakeActivated()
    {
        var process = Environment.GetEnvironmentVariable(ProcessVariable);
        var count = Environment.GetEnvironmentVariable(CountVariable);
        if (process != Environment.ProcessId.ToString(CultureInfo.InvariantCulture)
            || !int.TryParse(count, NumberStyles.None, CultureInfo.InvariantCulture, out var files))
        {
            return [];
        }

        Environment.SetEnvironmentVariable(ProcessVariable, null);
        Environment.SetEnvironmentVariable(CountVariable, null);
        return [.. Enumerable.Range(ActivatedFirst, files).Select(Take)];
    }

    private static Socket Take(int file)
    {
        try
        {
            _ = SocketCalls.Control(file, SocketCalls.SetDescriptorFlags, CloseOnExec);
#pragma warning disable CA2000 // The socket owns its handle.
            var socket = new Socket(new SafeSocketHandle(file, ownsHandle: true));
#pragma warning restore CA2000 // The reason ends here.
            return socket.SocketType == SocketType.Stream && socket.LocalEndPoint is not null
                ? socket
                : throw new UsageException($"File {file}, handed over to listen on, is no stream socket.");
        }
        catch (SocketException cause)
        {
            throw new UsageException($"File {file}, handed over to listen on, is no socket: {cause.Message}.", cause);
        }
    }

    // Whoever may write to the directory could put another socket in the place of this one, and get what clients write. With the
    // sticky bit, as in /tmp, only the owner can.
    private static void CheckDirectory(string path, SocketAccess access)
    {
        if (!access.IsShared)
        {
            return;
        }

        var directory = Path.GetDirectoryName(Path.GetFullPath(path))!;
        var mode = File.GetUnixFileMode(directory);
        if ((mode & (UnixFileMode.GroupWrite | UnixFileMode.OtherWrite)) != 0 && (mode & UnixFileMode.StickyBit) == 0)
        {
            throw new NotAllowedException(
                $"Directory {directory} is open to more than the socket: others may write to it, and put a socket of theirs in its "
                + $"place. Take that from them (chmod go-w {directory}), or use a directory of its own.");
        }
    }

    private static void GiveToGroup(string path, SocketAccess access)
    {
        if (access.Group is { } group && SocketCalls.ChangeOwner(path, SocketCalls.SameOwner, group) != 0)
        {
            var error = new Win32Exception(Marshal.GetLastPInvokeError());
            File.Delete(path);
            throw new NotAllowedException(
                $"The socket {path} cannot be given to group {group}: {error.Message}. Be a member of it, or root.", error);
        }
    }

    // A socket that nobody listens on is what a killed server has left.
    private static void RemoveStale(string path, UnixDomainSocketEndPoint endpoint)
    {
        using var probe = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            probe.Connect(endpoint);
        }
        catch (SocketException cause) when (cause.SocketErrorCode == SocketError.AddressNotAvailable)
        {
            return; // nothing is there: ENOENT, as .NET calls it
        }
        catch (SocketException cause) when (cause.SocketErrorCode == SocketError.ConnectionRefused)
        {
            if (IsSocket(path))
            {
                File.Delete(path);
            }

            return;
        }
        catch (SocketException cause) when (cause.SocketErrorCode == SocketError.AccessDenied)
        {
            throw new StorageException(
                $"Cannot tell whether another server listens on {path}: permission denied.", isTransient: false, cause);
        }

        throw new InUseException($"Another server listens on {path}: stop it or choose another path.");
    }

    // Connecting to a regular file is refused too, and that must stay. What cannot be opened so is a socket.
    private static bool IsSocket(string path)
    {
        var file = SocketCalls.Open(path, SocketCalls.OpenToLook);
        using var handle = new SafeFileHandle(file, ownsHandle: true);
        return file < 0 && Marshal.GetLastPInvokeError() == SocketCalls.NoDevice;
    }
}
