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
    /// <param name="isInsecure">True to let everybody in where there is no authority to ask.</param>
    /// <exception cref="ConfigurationException">A file is missing or cannot be used.</exception>
    public TlsUpgrade(string directory, IReadOnlyList<string> allowed, bool isInsecure)
    {
        _allowed = allowed;
        var authorities = Path.Combine(directory, AuthoritiesFile);
        var certificate = Path.Combine(directory, CertificateFile);
        try
        {
            _certificate = X509Certificate2.CreateFromPemFile(certificate, Path.Combine(directory, KeyFile));
            _chain.ImportFromPemFile(certificate);
            ImportAuthorities(authorities);
        }
        catch (Exception cause) when (cause is CryptographicException or IOException or UnauthorizedAccessException)
        {
            throw new ConfigurationException(
                $"The TLS certificates in {directory} cannot be used ({CertificateFile}, {KeyFile} and {AuthoritiesFile} belong "
                + $"there): {cause.Message}",
                cause);
        }

        if (_authorities.Count == 0 && (allowed.Count > 0 || !isInsecure))
        {
            throw new ConfigurationException(
                $"{authorities} is missing or holds no certificate, so that clients cannot be told apart: put the certificate of "
                + "the authority there that issues theirs. --insecure, without --tls-allow, lets everybody in who can connect.");
        }

        _context = SslStreamCertificateContext.Create(_certificate, _chain, offline: true);
    }

    /// <inheritdoc/>
    public bool IsRequired { get; init; } = true;

    /// <inheritdoc/>
    public async Task<Stream> UpgradeAsync(Stream stream, CancellationToken cancellationToken)
    {
        var tls = new SslStream(stream, leaveInnerStreamOpen: true);
        string? fault = null;
        try
        {
            await tls.AuthenticateAsServerAsync(
                Options((client, chain, errors) => (fault = FaultOf(client, chain, errors)) is null), cancellationToken);
            return tls;
        }
        catch (AuthenticationException) when (fault is not null)
        {
            await tls.DisposeAsync();
            throw new AuthenticationException($"It was refused: {fault}."); // the other one only says that we said no
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

    // A file that may not be read is not a missing one.
    private void ImportAuthorities(string path)
    {
        try
        {
            _authorities.ImportFromPemFile(path);
        }
        catch (FileNotFoundException)
        {
            // Whether one is needed is decided by whoever calls.
        }
    }

    private SslServerAuthenticationOptions Options(
        Func<X509Certificate2?, X509Chain?, SslPolicyErrors, bool> isAllowed)
    {
        return new SslServerAuthenticationOptions
        {
            ServerCertificateContext = _context,
            ClientCertificateRequired = _authorities.Count > 0,
            EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
            AllowRenegotiation = false,
            CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
            CertificateChainPolicy = Policy(),
            RemoteCertificateValidationCallback =
                (_, client, chain, errors) => isAllowed(client as X509Certificate2, chain, errors),
        };
    }

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

    // Says why a client is not let in; null when it is.
    private string? FaultOf(X509Certificate2? client, X509Chain? chain, SslPolicyErrors errors)
    {
        if (_authorities.Count == 0)
        {
            return null;
        }

        if (client is null)
        {
            return "it has no certificate";
        }

        var name = $"certificate {Names.Show(client.Subject)}";
        if (errors != SslPolicyErrors.None)
        {
            return $"{name} {FaultOf(chain)}";
        }

        return _allowed.Count == 0 || _allowed.Any(entry => IsOf(entry, client))
            ? null
            : $"{name} (SHA-256 {client.GetCertHashString(HashAlgorithmName.SHA256)}) is not among those of --tls-allow";
    }

    private static string FaultOf(X509Chain? chain)
    {
        var faults = (chain?.ChainStatus ?? []).Aggregate(
            X509ChainStatusFlags.NoError, (all, one) => all | one.Status);
        return faults switch
        {
            _ when faults.HasFlag(X509ChainStatusFlags.NotTimeValid) => "has expired, or is not valid yet",
            _ when faults.HasFlag(X509ChainStatusFlags.NotValidForUsage) => "is not one for clients",
            _ when (faults & (X509ChainStatusFlags.PartialChain | X509ChainStatusFlags.UntrustedRoot)) != 0 =>
                $"is not of an authority in {AuthoritiesFile}",
            _ => $"is not valid ({faults})",
        };
    }

    private static bool IsOf(string entry, X509Certificate2 client) =>
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
