using Benji.Nbd.Protocol;
using Benji.Store.Model;

namespace Benji.Nbd.Client;

#pragma warning disable CA2000 // The handshake owns the connection, and disposes it when it fails.

/// <summary>Runs a handshake on a new connection, and closes it when that fails.</summary>
internal static class Negotiation
{
    /// <summary>Connects to a server.</summary>
    /// <exception cref="StorageException">It cannot be reached.</exception>
    public static Stream Connect(NbdAddress address) => ClientTransport.Connect(address);

    /// <summary>Lists the exports of a server; waits on the calling thread.</summary>
    /// <exception cref="StorageException">The server cannot be reached, or refused, or does not speak NBD.</exception>
    public static IReadOnlyList<ListedExport> List(NbdAddress address)
    {
        var (stream, exports) = Run(address, Connect(address), handshake =>
        {
            var listed = handshake.List();
            handshake.Abort();
            return listed;
        });
        stream.Dispose();
        return exports;
    }

    /// <summary>Negotiates on a stream.</summary>
    /// <returns>The stream to go on with, which is the caller's, and what <paramref name="negotiate"/> returned.</returns>
    /// <exception cref="StorageException">The handshake failed; the stream is closed.</exception>
    public static (Stream Stream, T Result) Run<T>(
        NbdAddress address, Stream plain, Func<ClientHandshake, T> negotiate)
    {
        var handshake = new ClientHandshake(address, plain);
        try
        {
            handshake.Begin();
            var result = negotiate(handshake);
            return (handshake.Stream, result);
        }
        catch (Exception cause) when (cause is NbdProtocolException or IOException)
        {
            handshake.Stream.Dispose();
            throw new StorageException(
                $"The handshake with {Names.Show(address.Text)} failed: {cause.Message}", isTransient: false, cause);
        }
        catch
        {
            handshake.Stream.Dispose();
            throw;
        }
    }
}
