using System.Globalization;
using Benji.Nbd.Protocol;
using Benji.Store.Model;

namespace Benji.Nbd.Client;

/// <summary>Where an export is: <c>nbd://host:port/name</c> or <c>nbd+unix:///name?socket=PATH</c>; <c>nbds</c> for TLS.</summary>
/// <remarks>The NBD URI specification (doc/uri.md), without users and pre-shared keys, and with
/// <c>changes=CONTEXT</c> of our own.</remarks>
internal sealed record NbdAddress
{
    private const string SocketParameter = "socket";
    private const string CertificatesParameter = "tls-certificates";
    private const string ChangesParameter = "changes";

    /// <summary>The address as it was written.</summary>
    public required string Text { get; init; }

    /// <summary>The name or address of the host; null for a socket.</summary>
    public string? Host { get; private init; }

    /// <summary>The TCP port.</summary>
    public int Port { get; private init; } = NbdLimits.Port;

    /// <summary>The path of a unix socket; null for TCP.</summary>
    public string? Socket { get; private init; }

    /// <summary>The name of the export; empty for the server's default one.</summary>
    public string Export { get; private init; } = "";

    /// <summary>True to continue under TLS before anything is asked.</summary>
    public bool IsTls { get; private init; }

    /// <summary>The directory of ca-cert.pem, client-cert.pem and client-key.pem; null to trust what the system trusts.</summary>
    public string? Certificates { get; private init; }

    /// <summary>The metadata context that marks what has changed, as <c>qemu:dirty-bitmap:NAME</c>; null for none.</summary>
    public string? Changes { get; private init; }

    /// <summary>Returns true for the schemes of NBD addresses.</summary>
    public static bool IsScheme(string? scheme) => scheme is "nbd" or "nbds" or "nbd+unix" or "nbds+unix";

    /// <summary>Reads an address.</summary>
    /// <exception cref="UsageException">It is not valid.</exception>
    public static NbdAddress Parse(string text)
    {
        var colon = text.IndexOf(':', StringComparison.Ordinal);
        var scheme = colon < 0 ? null : text[..colon];
        if (!IsScheme(scheme) || !text.AsSpan(colon + 1).StartsWith("//"))
        {
            throw Invalid(text, "it does not begin with nbd://, nbds://, nbd+unix:// or nbds+unix://");
        }

        var (rest, query) = Cut(text[(colon + 3)..], '?');
        var slash = rest.IndexOf('/', StringComparison.Ordinal);
        var authority = slash < 0 ? rest : rest[..slash];
        var address = new NbdAddress
        {
            Text = text,
            IsTls = scheme!.StartsWith("nbds", StringComparison.Ordinal),
            Export = slash < 0 ? "" : Uri.UnescapeDataString(rest[(slash + 1)..]),
        };
        address = WithParameters(address, query);
        return scheme.EndsWith("+unix", StringComparison.Ordinal)
            ? CheckSocket(address, authority)
            : WithHost(address, authority);
    }

    private static NbdAddress WithParameters(NbdAddress address, string query)
    {
        foreach (var parameter in query.Split('&', StringSplitOptions.RemoveEmptyEntries))
        {
            var (name, value) = Cut(parameter, '=');
            value = Uri.UnescapeDataString(value);
            address = name switch
            {
                SocketParameter when value.Length > 0 => address with { Socket = value },
                CertificatesParameter when value.Length > 0 => address with { Certificates = value },
                ChangesParameter when value.Length > 0 => address with { Changes = value },
                _ => throw Invalid(address.Text, $"{Names.Show(parameter)} is none of {SocketParameter}=PATH, "
                    + $"{CertificatesParameter}=DIRECTORY and {ChangesParameter}=CONTEXT"),
            };
        }

        return address;
    }

    private static NbdAddress CheckSocket(NbdAddress address, string authority)
    {
        if (authority.Length > 0)
        {
            throw Invalid(address.Text, $"a socket has no host; write three slashes before the export's name");
        }

        return address.Socket is not null ? address : throw Invalid(address.Text, "it lacks ?socket=PATH");
    }

    private static NbdAddress WithHost(NbdAddress address, string authority)
    {
        // An IPv6 address has brackets, because it has colons.
        var bracket = authority.LastIndexOf(']');
        var colon = authority.LastIndexOf(':');
        var host = colon > bracket ? authority[..colon] : authority;
        var port = colon > bracket ? authority[(colon + 1)..] : "";
        if (host.Length == 0 || host.Contains('@', StringComparison.Ordinal) || address.Socket is not null)
        {
            throw Invalid(address.Text, "a host is needed, without a user and without a socket");
        }

        if (port.Length == 0)
        {
            return address with { Host = host.Trim('[', ']') };
        }

        return int.TryParse(port, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            && number is > 0 and <= ushort.MaxValue
                ? address with { Host = host.Trim('[', ']'), Port = number }
                : throw Invalid(address.Text, $"{Names.Show(port)} is no port");
    }

    private static (string Before, string After) Cut(string text, char separator)
    {
        var index = text.IndexOf(separator, StringComparison.Ordinal);
        return index < 0 ? (text, "") : (text[..index], text[(index + 1)..]);
    }

    private static UsageException Invalid(string text, string fault) =>
        new($"Address {Names.Show(text)} is not valid: {fault}.");
}
