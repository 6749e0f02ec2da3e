using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Benji.Nbd;
using Benji.Testing;
using Benji.Testing.Serving;
using Microsoft.Extensions.Logging;

namespace Benji.Tests.Nbd.Session;

/// <summary>A server over images in memory, on a unix socket and a loopback port, with one version <c>vm1/v1</c>.</summary>
internal sealed class ServedImages : IAsyncDisposable
{
    /// <summary>Bytes of the version: not a whole number of anything.</summary>
    public const int Size = (1024 * 1024) + 5000;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly TemporaryDirectory _directory = new();
    private readonly CancellationTokenSource _end = new();
    private Task _running = Task.CompletedTask;

    private ServedImages()
    {
        // Data, then zeros from 256 KiB to 512 KiB, then data.
        new Random(1).NextBytes(Content);
        Content.AsSpan(256 * 1024, 256 * 1024).Clear();
        Images.Add("vm1/v1", Content);
    }

    /// <summary>The images.</summary>
    public ByteImages Images { get; } = new();

    /// <summary>The bytes of <c>vm1/v1</c>.</summary>
    public byte[] Content { get; } = new byte[Size];

    /// <summary>The server.</summary>
    public NbdServer Server { get; private set; } = null!;

    /// <summary>What the server has logged.</summary>
    public LogLines Log { get; } = new();

    /// <summary>The unix socket.</summary>
    public string SocketPath => Path.Combine(_directory.Path, "nbd.sock");

    /// <summary>Starts a server.</summary>
    public static async Task<ServedImages> StartAsync(Func<NbdServerOptions, NbdServerOptions>? change = null)
    {
        var served = new ServedImages();
        var options = new NbdServerOptions
        {
            SocketPath = served.SocketPath,
            Endpoints = [new IPEndPoint(IPAddress.Loopback, 0)],
            TakesActivatedSockets = false,
        };
        served.Server = new NbdServer(served.Images, change?.Invoke(options) ?? options, served.Log);
        await served.Server.StartAsync();
        served._running = served.Server.RunAsync(served._end.Token);
        return served;
    }

    /// <summary>Connects over the unix socket.</summary>
    public async Task<NbdProbe> ConnectAsync()
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(SocketPath));
        return new NbdProbe(new NetworkStream(socket, ownsSocket: true));
    }

    /// <summary>Connects over TCP.</summary>
    public async Task<NbdProbe> ConnectTcpAsync()
    {
        var endpoint = Server.Endpoints.OfType<IPEndPoint>().First();
        var socket = new Socket(endpoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(endpoint);
        return new NbdProbe(new NetworkStream(socket, ownsSocket: true));
    }

    /// <summary>Connects and opens an export.</summary>
    public async Task<NbdProbe> OpenAsync(string name, bool isStructured = true, params string[] contexts)
    {
        var probe = await ConnectAsync();
        await probe.OpenAsync(name, isStructured, contexts);
        return probe;
    }

    /// <summary>Begins the end of the server.</summary>
    public async Task StopAsync()
    {
        await _end.CancelAsync();
        await _running.WaitAsync(Patience);
    }

    /// <summary>Waits until something is so.</summary>
    public static async Task UntilAsync(Func<bool> isSo, string what)
    {
        using var end = new CancellationTokenSource(Patience);
        while (!isSo())
        {
            Xunit.Assert.False(end.IsCancellationRequested, $"waited in vain: {what}");
            await Task.Delay(5, CancellationToken.None);
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        await Server.DisposeAsync();
        Xunit.Assert.Equal(0, Images.OpenCount);
        Xunit.Assert.Equal(Content, Images.ContentOf("vm1/v1"));
        Xunit.Assert.DoesNotContain(Log.Lines, line => line.StartsWith("Error", StringComparison.Ordinal));
        _end.Dispose();
        _directory.Dispose();
    }
}

/// <summary>Keeps what is logged.</summary>
internal sealed class LogLines : ILogger
{
    private readonly ConcurrentQueue<string> _lines = new();

    /// <summary>The lines so far, each behind its level.</summary>
    public IReadOnlyCollection<string> Lines => _lines;

    /// <inheritdoc/>
    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    /// <inheritdoc/>
    public bool IsEnabled(LogLevel logLevel) => true;

    /// <inheritdoc/>
    public void Log<TState>(
        LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
        _lines.Enqueue($"{logLevel} {formatter(state, exception)} {exception}");
}
