using System.Net;

namespace Benji.Nbd;

/// <summary>What becomes of writes to a version.</summary>
public enum WritableVersions
{
    /// <summary>They are refused: a version is read-only.</summary>
    None,

    /// <summary>They go to an overlay that only this connection sees and that is discarded at its end.</summary>
    Discard,

    /// <summary>They go to an overlay that only this connection sees; a clean disconnect makes it a new version, after any
    /// other end it is kept.</summary>
    Promote,
}

/// <summary>Where a server listens, whom it lets in, and what they may do.</summary>
public sealed record NbdServerOptions
{
    /// <summary>TCP addresses; port 0 for any free one.</summary>
    public IReadOnlyList<IPEndPoint> Endpoints { get; init; } = [];

    /// <summary>Path of a unix socket; null for none. One that nobody listens on is replaced.</summary>
    public string? SocketPath { get; init; }

    /// <summary>Who may connect to the unix socket.</summary>
    public SocketAccess SocketAccess { get; init; } = new();

    /// <summary>True to serve the sockets that systemd hands over, if it hands over any.</summary>
    /// <remarks>sd_listen_fds(3): the variables LISTEN_PID and LISTEN_FDS.</remarks>
    public bool TakesActivatedSockets { get; init; } = true;

    /// <summary>Directory with <c>server-cert.pem</c>, <c>server-key.pem</c> and <c>ca-cert.pem</c>, the authority of clients,
    /// without which the server is <see cref="Insecure"/>; null for no TLS. With it, TLS is required on TCP and possible on
    /// unix sockets.</summary>
    public string? TlsCertificates { get; init; }

    /// <summary>Clients let in among those whose certificate is valid: subject names, as <c>CN=backup1</c>, or SHA-256
    /// fingerprints in hexadecimal; empty for all.</summary>
    public IReadOnlyList<string> AllowedClients { get; init; } = [];

    /// <summary>True to listen without TLS on addresses that are not loopback, or with TLS and without asking clients for a
    /// certificate.</summary>
    public bool Insecure { get; init; }

    /// <summary>True to serve everything read-only, overlays too, and to create none.</summary>
    public bool ReadOnly { get; init; }

    /// <summary>What becomes of writes to a version.</summary>
    public WritableVersions Writable { get; init; }

    /// <summary>The export of clients that name none; null to refuse them.</summary>
    public string? DefaultExport { get; init; }

    /// <summary>How long a client may take from its connection to its choice of an export.</summary>
    public TimeSpan HandshakeTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long the end of the server waits for what is in flight.</summary>
    public TimeSpan StopTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Connections at a time.</summary>
    public int ConnectionsMax { get; init; } = 100;

    /// <summary>Requests of one connection that wait for the store at a time.</summary>
    public int RequestsMax { get; init; } = 16;

    /// <summary>Bytes that all requests waiting for the store, or for their client, hold at a time.</summary>
    public long MemoryMax { get; init; } = 256L * 1024 * 1024;

    /// <summary>The clock.</summary>
    public TimeProvider Clock { get; init; } = TimeProvider.System;
}
