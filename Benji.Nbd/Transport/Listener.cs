using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Benji.Nbd.Session.Haggling;

namespace Benji.Nbd.Transport;

/// <summary>One listening socket and the loop that takes connections from it.</summary>
/// <param name="socket">Listening; closed with this.</param>
/// <param name="tls">How its clients begin TLS; null when there is none.</param>
internal sealed class Listener(Socket socket, ITlsUpgrade? tls) : IDisposable
{
    private static readonly TimeSpan PauseAfterFailure = TimeSpan.FromMilliseconds(200);

    private const int SendBufferSize = 4 * 1024 * 1024;

    private int _clients;

    /// <summary>Where it listens.</summary>
    public EndPoint Endpoint { get; } = socket.LocalEndPoint!;

    /// <summary>Takes connections until it is cancelled.</summary>
    public async Task RunAsync(ServerParts parts, Connections connections, CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                var client = await socket.AcceptAsync(cancellationToken);
                connections.Serve(Take(parts, client));
            }
            catch (OperationCanceledException)
            {
                return;
            }
            catch (Exception cause) when (cause is SocketException or IOException)
            {
                // Mostly too many open files: those of other clients will be closed.
                if (parts.Gate.MayLog())
                {
                    Log.AcceptFailed(parts.Logger, Name(Endpoint), cause.Message);
                }

                await Task.Delay(PauseAfterFailure, parts.Options.Clock, CancellationToken.None);
            }
        }
    }

    /// <summary>Stops listening.</summary>
    public void Dispose() => socket.Dispose();

    /// <summary>The name of an address for a person.</summary>
    public static string Name(EndPoint endpoint) =>
        endpoint is UnixDomainSocketEndPoint ? $"unix socket {endpoint}" : endpoint.ToString()!;

    private Connection Take(ServerParts parts, Socket client)
    {
        try
        {
            var name = string.Create(
                CultureInfo.InvariantCulture, $"{++_clients} of {Name(Endpoint)}");
            if (client.RemoteEndPoint is IPEndPoint remote)
            {
                SetOptions(client);
                name = remote.ToString();
            }
            else
            {
                // As much as the system allows: TCP finds its own size, unix sockets stay at a small one.
                client.SendBufferSize = SendBufferSize;
            }

#pragma warning disable CA2000 // The connection owns what it is made of.
            return new Connection(parts, new PolledSocket(client), tls, name);
#pragma warning restore CA2000 // The reason ends here.
        }
        catch
        {
            client.Dispose();
            throw;
        }
    }

    // Replies leave at once; a client whose machine has died is found out within two minutes.
    private static void SetOptions(Socket client)
    {
        const int idleSeconds = 60;
        const int intervalSeconds = 10;
        const int tries = 6;
        client.NoDelay = true;
        client.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
        client.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime, idleSeconds);
        client.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveInterval, intervalSeconds);
        client.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveRetryCount, tries);
    }
}
