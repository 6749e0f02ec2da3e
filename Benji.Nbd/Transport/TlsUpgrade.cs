using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Benji.Nbd.Session.Haggling;
using Benji.Store.Model;

namespace Benji.Nbd.Transport;

/// <summary>The certificates of a server, and whom they let in.</summary>
/// <remarks>The names of the files are those of qemu and nbdkit. TLS 1.2 is the oldest: proto.md, "TLS support".</remarks>
internal sealed class TlsUpgrade : ITlsUpgrade, IDisposable
{
    private const string AuthoritiesFile = "ca-cert.pem";
    private const string CertificateFile = "server-cert.pem";
    private const string KeyFile = "server-key.pem";

    private readonly X509Certificate2 _certificate;
    private readonly X509Certificate2Collection _chain = [];
    private readonly X509Certificate2Collection _authorities = [];
    private readonly IReadOnlyList<string> _allowed;
    private readonly SslStreamCertificateContext _context;

    /// <summary>Reads the certificates.</summary>
    /// <param name="directory">Where they are.</param>
    /// <param name="allowed">Subjects or fingerprints of clients; empty for all that the authorities know.</param>
    /// <exception cref="ConfigurationException">A file is missing or cannot be used.</exception>
    public TlsUpgrade(string directory, IReadOnlyList<string> allowed)
    {
        _allowed = allowed;
        var authorities = Path.Combine(directory, AuthoritiesFile);
        var certificate = Path.Combine(directory, CertificateFile);
        try
        {
            _certificate = X509Certificate2.CreateFromPemFile(certificate, Path.Combine(directory, KeyFile));
            _chain.ImportFromPemFile(certificate);
            if (File.Exists(authorities))
            {
                _authorities.ImportFromPemFile(authorities);
            }
        }
        catch (Exception cause) when (cause is CryptographicException or IOException or UnauthorizedAccessException)
        {
            throw new ConfigurationException(
                $"The TLS certificates in {directory} cannot be used ({CertificateFile}, {KeyFile} and, to check clients, "
                + $"{AuthoritiesFile} belong there): {cause.Message}",
                cause);
        }

        if (allowed.Count > 0 && _authorities.Count == 0)
        {
            throw new ConfigurationException(
                $"Clients are to be checked against a list, but {authorities} is missing: put the CA's certificate there.");
        }

        _context = SslStreamCertificateContext.Create(_certificate, _chain, offline: true);
    }

    /// <inheritdoc/>
    public bool IsRequired { get; init; } = true;

    /// <inheritdoc/>
    public async Task<Stream> UpgradeAsync(Stream stream, CancellationToken cancellationToken)
    {
        var tls = new SslStream(stream, leaveInnerStreamOpen: true);
        try
        {
            await tls.AuthenticateAsServerAsync(Options(), cancellationToken);
            return tls;
        }
        catch
        {
            await tls.DisposeAsync();
            throw;
        }
    }

    /// <summary>The same certificates for sockets where TLS may be left out.</summary>
    public ITlsUpgrade AsOptional() => new Optional(this);

    /// <summary>Forgets the key.</summary>
    public void Dispose() => _certificate.Dispose();

    private SslServerAuthenticationOptions Options() => new()
    {
        ServerCertificateContext = _context,
        ClientCertificateRequired = _authorities.Count > 0,
        EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
        AllowRenegotiation = false,
        CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
        CertificateChainPolicy = Policy(),
        RemoteCertificateValidationCallback = (_, client, _, errors) => IsAllowed(client as X509Certificate2, errors),
    };

    // The machine's own authorities do not count.
    private X509ChainPolicy Policy()
    {
        var policy = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            RevocationMode = X509RevocationMode.NoCheck,
            DisableCertificateDownloads = true,
        };
        policy.CustomTrustStore.AddRange(_authorities);
        return policy;
    }

    private bool IsAllowed(X509Certificate2? client, SslPolicyErrors errors) =>
        _authorities.Count == 0
        || (client is not null
            && errors == SslPolicyErrors.None
            && (_allowed.Count == 0 || _allowed.Any(entry => Names(entry, client))));

    private static bool Names(string entry, X509Certificate2 client) =>
        entry == client.Subject
        || entry.Replace(":", "", StringComparison.Ordinal).Equals(
            client.GetCertHashString(HashAlgorithmName.SHA256), StringComparison.OrdinalIgnoreCase);

    private sealed class Optional(TlsUpgrade upgrade) : ITlsUpgrade
    {
        public bool IsRequired => false;

        public Task<Stream> UpgradeAsync(Stream stream, CancellationToken cancellationToken) =>
            upgrade.UpgradeAsync(stream, cancellationToken);
    }
}
