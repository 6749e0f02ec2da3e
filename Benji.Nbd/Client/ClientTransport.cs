using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Benji.Store.Model;

namespace Benji.Nbd.Client;

#pragma warning disable CA2000 // The stream that is returned owns the socket and the certificates.

/// <summary>Opens the byte stream to a server, plain or under TLS.</summary>
internal static class ClientTransport
{
    /// <summary>How long a server may take for one answer of the handshake, and for the first sign of a reply.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    /// <summary>Connects.</summary>
    /// <returns>A stream that owns its socket; the caller disposes it.</returns>
    /// <exception cref="StorageException">The server cannot be reached.</exception>
    public static NetworkStream Connect(NbdAddress address)
    {
        var socket = address.Socket is null
            ? new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true }
            : new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            socket.ReceiveTimeout = (int)Patience.TotalMilliseconds;
            socket.SendTimeout = (int)Patience.TotalMilliseconds;
            if (address.Socket is { } path)
            {
                socket.Connect(new UnixDomainSocketEndPoint(path));
            }
            else
            {
                socket.Connect(address.Host!, address.Port);
            }

            return new NetworkStream(socket, ownsSocket: true);
        }
        catch (Exception cause) when (cause is SocketException or ArgumentException)
        {
            socket.Dispose();
            throw new StorageException(
                $"Cannot connect to {Names.Show(address.Text)}: {cause.Message}", isTransient: true, cause);
        }
    }

    /// <summary>Puts TLS 1.2 or later on a stream after the server agreed to it.</summary>
    /// <param name="plain">The stream; owned by the one that is returned, disposed on failure.</param>
    /// <param name="address">The server, whose name its certificate must have.</param>
    /// <exception cref="StorageException">A certificate was refused, or cannot be read.</exception>
    public static SslStream StartTls(Stream plain, NbdAddress address)
    {
        var stream = new SslStream(plain);
        try
        {
            stream.AuthenticateAsClient(Options(address));
            return stream;
        }
        catch (Exception cause) when (cause is AuthenticationException or IOException or CryptographicException
            or UnauthorizedAccessException)
        {
            stream.Dispose();
            throw new StorageException(
                $"TLS with {Names.Show(address.Text)} failed: {(cause.InnerException ?? cause).Message}",
                isTransient: false,
                cause);
        }
    }

    private static SslClientAuthenticationOptions Options(NbdAddress address)
    {
        var options = new SslClientAuthenticationOptions
        {
            TargetHost = address.Host ?? "localhost",
            EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
        };
        if (address.Certificates is not { } directory)
        {
            return options;
        }

        // The file names of qemu and nbdkit.
        var trust = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            RevocationMode = X509RevocationMode.NoCheck,
        };
        trust.CustomTrustStore.ImportFromPemFile(Path.Combine(directory, "ca-cert.pem"));
        options.CertificateChainPolicy = trust;
        if (FindText(Path.Combine(directory, "client-cert.pem")) is { } certificate)
        {
            var key = File.ReadAllText(Path.Combine(directory, "client-key.pem"));
            options.ClientCertificates = [X509Certificate2.CreateFromPem(certificate, key)];
        }

        return options;
    }

    private static string? FindText(string path)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (FileNotFoundException)
        {
            return null;
        }
    }
}
