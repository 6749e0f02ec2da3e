using System.Globalization;
using System.Net.Sockets;
using System.Text;
using Benji.Cli.Output;
using Microsoft.Extensions.Logging;

namespace Benji.Cli.Logging;

/// <summary>Writes log lines to the system's log: the journal, or whatever else listens at /dev/log.</summary>
/// <remarks>Format: RFC 3164, a datagram <c>&lt;priority&gt;benji[process]: message</c>. What cannot be sent is dropped: a
/// log that is stopped must not end what it is told of.</remarks>
internal sealed class SystemLog : ILogWriter, IDisposable
{
    /// <summary>Where the system's log listens.</summary>
    public const string DefaultPath = "/dev/log";

    private const int Daemon = 3 << 3; // the facility of services

    private readonly string _path;
    private readonly Lock _sending = new();
    private Socket? _socket;

    /// <summary>Writes to the socket at <paramref name="path"/>; it is connected by the first line.</summary>
    public SystemLog(string path) => _path = path;

    /// <inheritdoc/>
    public void Write(in LogLine line)
    {
        var cause = line.Exception is { } exception ? $": {OneLine.Of(exception.Message)}" : "";
        var text = string.Create(
            CultureInfo.InvariantCulture,
            $"<{Daemon + SeverityOf(line.Level)}>benji[{Environment.ProcessId}]: {OneLine.Of(line.Message)}{cause}");
        var datagram = Encoding.UTF8.GetBytes(text);
        lock (_sending)
        {
            // The second time with a new connection, because the log may have been started anew.
            _ = TrySend(datagram) || TrySend(datagram);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _socket?.Dispose();

    private bool TrySend(byte[] datagram)
    {
        try
        {
            if (_socket is null)
            {
                _socket = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified) { SendTimeout = 1000 };
                _socket.Connect(new UnixDomainSocketEndPoint(_path));
            }

            _socket.Send(datagram);
            return true;
        }
        catch (SocketException)
        {
            _socket?.Dispose();
            _socket = null;
            return false;
        }
    }

    private static int SeverityOf(LogLevel level) => level switch
    {
        LogLevel.Critical => 2,
        LogLevel.Error => 3,
        LogLevel.Warning => 4,
        LogLevel.Information => 6,
        _ => 7,
    };
}
