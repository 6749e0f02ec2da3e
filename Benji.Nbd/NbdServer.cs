using System.Net;
using System.Net.Sockets;
using Benji.Nbd.Session.Exports;
using Benji.Nbd.Session.Requests;
using Benji.Nbd.Transport;
using Benji.Store.Images;
using Benji.Store.Model;
using Microsoft.Extensions.Logging;

namespace Benji.Nbd;

/// <summary>Offers the images of a directory over NBD: listens, serves any number of clients, and ends in order.</summary>
/// <remarks>Protocol: docs/protocol.md, "NBD".</remarks>
public sealed class NbdServer : IAsyncDisposable
{
    private readonly NbdServerOptions _options;
    private readonly ILogger _logger;
    private readonly ServerParts _parts;
    private readonly Connections _connections;
    private readonly Readiness _readiness = new();
    private readonly List<Listener> _listeners = [];
    private TlsUpgrade? _tls;

    /// <summary>Prepares a server.</summary>
    /// <param name="images">The images; not disposed.</param>
    /// <param name="options">Where and how.</param>
    /// <param name="logger">Receives what happens.</param>
    public NbdServer(IImageDirectory images, NbdServerOptions options, ILogger logger)
    {
        (_options, _logger) = (options, logger);
        _parts = new ServerParts(
            new ExportDirectory(images, options, logger),
            options,
            new MemoryBudget(options.MemoryMax),
            _readiness,
            Counters,
            new LogGate(options.Clock, logger),
            logger);
        _connections = new Connections(_parts);
    }

    /// <summary>Where the server listens, with real ports, once it was started.</summary>
    public IReadOnlyList<EndPoint> Endpoints => [.. _listeners.Select(listener => listener.Endpoint)];

    /// <summary>What was served so far.</summary>
    public NbdCounters Counters { get; } = new();

    /// <summary>Begins to listen; clients are served by <see cref="RunAsync"/>.</summary>
    /// <exception cref="UsageException">There is nowhere to listen, or an address is not allowed without TLS.</exception>
    /// <exception cref="ConfigurationException">A certificate cannot be used.</exception>
    /// <exception cref="InUseException">An address or the socket's path is in use.</exception>
    public Task StartAsync(CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (_options.ReadOnly && _options.Writable != WritableVersions.None)
        {
            throw new UsageException("Versions cannot be writable on a server that is read-only.");
        }

        _tls = _options.TlsCertificates is { } directory ? new TlsUpgrade(directory, _options.AllowedClients, _options.Insecure) : null;
        if (_tls is null && _options.AllowedClients.Count > 0)
        {
            throw new UsageException("Clients can be checked against a list only with TLS: name its certificates.");
        }

        foreach (var endpoint in _options.Endpoints)
        {
            CheckSafe(endpoint);
        }

        var activated = _options.TakesActivatedSockets ? ListeningSockets.TakeActivated() : [];
        foreach (var socket in activated)
        {
            Add(socket);
            CheckSafe(socket.LocalEndPoint!);
        }

#pragma warning disable CA2000 // The listeners own the sockets, and the server the listeners.
        foreach (var endpoint in _options.Endpoints)
        {
            Add(ListeningSockets.Listen(endpoint));
        }

        if (_options.SocketPath is { } path)
        {
            Add(ListeningSockets.Listen(path, _options.SocketAccess));
        }
#pragma warning restore CA2000 // The reason ends here.

        if (_listeners.Count == 0)
        {
            throw new UsageException("There is nowhere to listen: name an address or a socket.");
        }

        return Task.CompletedTask;
    }

    /// <summary>Serves until it is cancelled; then takes no new requests, finishes those in flight, flushes overlays and
    /// returns.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        Invariant.Holds(_listeners.Count > 0);
        foreach (var listener in _listeners)
        {
            Log.Listening(_logger, Listener.Name(listener.Endpoint));
        }

        using var end = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var loops = _listeners.ConvertAll(listener => listener.RunAsync(_parts, _connections, end.Token));

        // A loop ends by itself only with a defect; then the others must not go on as if nothing were wrong.
        await Task.WhenAny(loops);
        await end.CancelAsync();
        try
        {
            await Task.WhenAll(loops);
        }
        finally
        {
            await _connections.StopAsync();
        }
    }

    /// <summary>Stops listening and removes the unix socket.</summary>
    public ValueTask DisposeAsync()
    {
        foreach (var listener in _listeners)
        {
            listener.Dispose();
        }

        _readiness.Dispose();
        _tls?.Dispose();
        return ValueTask.CompletedTask;
    }

    private void Add(Socket socket) => _listeners.Add(
        new Listener(socket, socket.AddressFamily == AddressFamily.Unix ? _tls?.AsOptional() : _tls));

    private void CheckSafe(EndPoint endpoint)
    {
        if (_tls is null && !_options.Insecure && endpoint is IPEndPoint { Address: var address }
            && !IPAddress.IsLoopback(address))
        {
            throw new UsageException(
                $"{endpoint} is not a loopback address, and without TLS anybody there could read every disk: name TLS "
                + "certificates, or say that you want it insecure.");
        }
    }
}
