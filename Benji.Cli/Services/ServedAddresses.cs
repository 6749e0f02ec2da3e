using System.Net;
using System.Net.Sockets;
using System.Text.Json;

namespace Benji.Cli.Services;

/// <summary>Where a server listens, as the addresses that clients take.</summary>
/// <remarks>The NBD URI specification (doc/uri.md).</remarks>
internal static class ServedAddresses
{
    /// <summary>Returns the address of one endpoint, without an export.</summary>
    /// <param name="endpoint">A TCP address or a unix socket.</param>
    /// <param name="hasTls">True when TCP is served under TLS only; on a unix socket a client may choose.</param>
    public static string Uri(EndPoint endpoint, bool hasTls) => endpoint is IPEndPoint { } tcp
        ? $"{(hasTls ? "nbds" : "nbd")}://{tcp}/"
        : $"nbd+unix:///?socket={endpoint}";

    /// <summary>Returns all addresses for a person.</summary>
    public static string Text(IEnumerable<EndPoint> endpoints, bool hasTls) =>
        string.Join(", ", endpoints.Select(endpoint => Uri(endpoint, hasTls)));

    /// <summary>Writes them as an array of objects.</summary>
    public static void WriteJson(Utf8JsonWriter writer, IEnumerable<EndPoint> endpoints, bool hasTls)
    {
        writer.WriteStartArray("endpoints");
        foreach (var endpoint in endpoints)
        {
            writer.WriteStartObject();
            writer.WriteString("uri", Uri(endpoint, hasTls));
            if (endpoint is IPEndPoint tcp)
            {
                writer.WriteString("address", tcp.Address.ToString());
                writer.WriteNumber("port", tcp.Port);
            }
            else if (endpoint is UnixDomainSocketEndPoint)
            {
                writer.WriteString("socket", endpoint.ToString());
            }

            writer.WriteEndObject();
        }

        writer.WriteEndArray();
    }
}
