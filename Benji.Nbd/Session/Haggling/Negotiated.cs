using Benji.Nbd.Protocol;
using Benji.Nbd.Session.Exports;

namespace Benji.Nbd.Session.Haggling;

/// <summary>What client and server agreed on: the transmission may begin.</summary>
/// <param name="Export">Open, for the client alone; whoever receives it ends it.</param>
/// <param name="Flags">What the client may do, as it was told.</param>
/// <param name="IsStructured">True when replies come in chunks.</param>
internal sealed record Negotiated(Export Export, TransmissionFlags Flags, bool IsStructured);

/// <summary>How a connection is made safe.</summary>
internal interface ITlsUpgrade
{
    /// <summary>True when nothing is told before TLS.</summary>
    bool IsRequired { get; }

    /// <summary>Runs the handshake of TLS.</summary>
    /// <param name="stream">The plain connection; left open when the stream that is returned is closed.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="IOException">The client left, or does not speak TLS as it must.</exception>
    /// <exception cref="System.Security.Authentication.AuthenticationException">The client is not let in.</exception>
    Task<Stream> UpgradeAsync(Stream stream, CancellationToken cancellationToken);
}
