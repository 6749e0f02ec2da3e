using System.Net.Security;
using System.Security.Authentication;
using Benji.Nbd.Protocol;
using Benji.Nbd.Session;
using Benji.Nbd.Session.Haggling;
using Benji.Nbd.Session.Requests;

namespace Benji.Nbd.Transport;

/// <summary>One client from its connection to its end: handshake on the pool, transmission on a thread of its own.</summary>
internal sealed class Connection : IDisposable
{
    private const int StackSize = 512 * 1024;

    private static readonly TimeSpan OpenTimeout = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan CloseTimeout = TimeSpan.FromSeconds(5);

    private readonly ServerParts _parts;
    private readonly ITlsUpgrade? _tls;
    private readonly PolledSocket _socket;
    private readonly PolledStream _plain;
    private readonly CancellationTokenSource _handshakeEnd;
    private readonly Lock _stateLock = new();
    private Transmission? _transmission;
    private volatile bool _isHandshaking = true;
    private volatile bool _isStopping;
    private bool _isDisposed;

    /// <summary>Takes over a connected socket.</summary>
    /// <param name="parts">What all connections share.</param>
    /// <param name="socket">The socket.</param>
    /// <param name="tls">How to begin TLS; null when there is none.</param>
    /// <param name="name">For the log.</param>
    public Connection(ServerParts parts, PolledSocket socket, ITlsUpgrade? tls, string name)
    {
        (_parts, _socket, _tls, Name) = (parts, socket, tls, name);
        _plain = new PolledStream(socket, parts.Readiness);
        _handshakeEnd = new CancellationTokenSource(parts.Options.HandshakeTimeout, parts.Options.Clock);
    }

    /// <summary>The client, for the log.</summary>
    public string Name { get; }

    /// <summary>True until the client has chosen an export.</summary>
    public bool IsHandshaking => _isHandshaking;

    /// <summary>Serves the client to its end; throws nothing.</summary>
    public async Task RunAsync()
    {
        Log.Connected(_parts.Logger, Name);
        Stream stream = _plain;
        try
        {
            var handshake = new Handshake(_parts.Exports, stream, _tls, Name, BeginOpening)
            {
                Refused = Warn,
            };
            Negotiated? negotiated;
            try
            {
                negotiated = await handshake.RunAsync(_handshakeEnd.Token);
            }
            finally
            {
                stream = handshake.Stream;
                _isHandshaking = false;
            }

            if (negotiated is not null)
            {
                await TransmitAsync(negotiated, stream);
            }

            await CloseTlsAsync(stream);
        }
        catch (OperationCanceledException)
        {
            if (!_isStopping)
            {
                Warn("It did not choose an export in time, or the export could not be opened in time.");
            }
        }
        catch (IOException)
        {
            Log.LeftEarly(_parts.Logger, Name);
        }
        catch (Exception cause) when (cause is NbdProtocolException or AuthenticationException)
        {
            Warn(cause.InnerException is null ? cause.Message : $"{cause.Message} ({cause.InnerException.Message})");
        }
#pragma warning disable CA1031 // The boundary of a connection: a defect must not take the others down.
        catch (Exception cause)
#pragma warning restore CA1031
        {
            Log.Defect(_parts.Logger, cause);
        }
        finally
        {
            if (stream != _plain)
            {
                await stream.DisposeAsync();
            }
        }
    }

    /// <summary>Ends a handshake at once and a transmission in order. Safe from any thread.</summary>
    public void Stop()
    {
        lock (_stateLock)
        {
            _isStopping = true;
            _transmission?.Stop();
            if (_transmission is null && !_isDisposed)
            {
                _handshakeEnd.Cancel();
            }
        }
    }

    /// <summary>Breaks the connection. Safe from any thread.</summary>
    public void Abort()
    {
        lock (_stateLock)
        {
            if (!_isDisposed)
            {
                _socket.Abort();
            }
        }
    }

    /// <summary>Says that nothing runs any more.</summary>
    public void Dispose()
    {
        lock (_stateLock)
        {
            _isDisposed = true;
            _plain.Dispose();
            _socket.Dispose();
        }

        _handshakeEnd.Dispose();
    }

    // Before the client is told: one that goes on at once is not to be dropped for another.
    private void BeginOpening()
    {
        _handshakeEnd.CancelAfter(OpenTimeout);
        _isHandshaking = false;
    }

    private async Task TransmitAsync(Negotiated negotiated, Stream stream)
    {
        var export = negotiated.Export;
        var report = new RequestReport(Name, export.Name, _parts.Counters, _parts.Gate, _parts.Logger);
        var isClean = false;
        try
        {
            Log.Opened(_parts.Logger, Name, export.Name);
            IWire wire = stream is SslStream tls ? new TlsWire(tls, _plain) : _socket;
            isClean = await TransmitAsync(new Transmission(negotiated, wire, _parts.Options, _parts.Budget, report));
        }
        catch (Exception cause) when (cause is IOException or NbdProtocolException)
        {
            Warn(cause.Message);
        }
        finally
        {
            lock (_stateLock)
            {
                _transmission = null;
            }

            await export.EndAsync(isClean);
            Log.Left(_parts.Logger, Name, export.Name, report.Requests, report.BytesRead, report.BytesWritten);
        }
    }

    private Task<bool> TransmitAsync(Transmission transmission)
    {
        lock (_stateLock)
        {
            _transmission = transmission;
            if (_isStopping)
            {
                transmission.Stop();
            }
        }

        var ended = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
        var thread = new Thread(
            () =>
            {
                try
                {
                    ended.SetResult(transmission.Run());
                }
#pragma warning disable CA1031 // Handed on to whoever awaits the thread.
                catch (Exception cause)
#pragma warning restore CA1031
                {
                    ended.SetException(cause);
                }
            },
            StackSize)
        {
            IsBackground = true,
            Name = "nbd client",
        };
        thread.Start();
        return ended.Task;
    }

    // Some clients take a connection that ends without the last words of TLS for an attack.
    private async Task CloseTlsAsync(Stream stream)
    {
        if (stream is SslStream tls)
        {
            using var end = new CancellationTokenSource(CloseTimeout, _parts.Options.Clock);
            await tls.ShutdownAsync().WaitAsync(end.Token);
        }
    }

    private void Warn(string reason)
    {
        if (_parts.Gate.MayLog())
        {
            Log.ClientFailed(_parts.Logger, Name, reason);
        }
    }
}
