namespace Benji.Interop.Nbd;

/// <summary>Certificates for tests of TLS, under the file names of qemu and nbdkit.</summary>
internal static class Certificates
{
    /// <summary>
    /// A script that makes <c>pki</c> and <c>foreign</c> in the current directory: an authority each, with a certificate
    /// for a server at localhost and 127.0.0.1 and one for a client with the common name <c>client</c>.
    /// </summary>
    public const string Script = """
        for dir in pki foreign; do
          mkdir -m 700 $dir
          openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -days 2 -subj /CN=$dir-ca \
            -keyout $dir/ca-key.pem -out $dir/ca-cert.pem 2> $dir/log
          for who in server client; do
            openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -days 2 -subj /CN=$who \
              -CA $dir/ca-cert.pem -CAkey $dir/ca-key.pem -addext subjectAltName=DNS:localhost,IP:127.0.0.1 \
              -addext basicConstraints=critical,CA:FALSE -addext extendedKeyUsage=serverAuth,clientAuth \
              -keyout $dir/$who-key.pem -out $dir/$who-cert.pem 2> $dir/log
          done
        done
        """;
}
