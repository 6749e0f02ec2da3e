using Microsoft.Extensions.Logging;

namespace Benji.Nbd;

/// <summary>Every message that the NBD server logs, with its stable event id.</summary>
internal static partial class Log
{
    [LoggerMessage(200, LogLevel.Information, "Serving NBD on {Endpoint}")]
    public static partial void Listening(ILogger logger, string endpoint);

    [LoggerMessage(201, LogLevel.Debug, "Client {Client} connected")]
    public static partial void Connected(ILogger logger, string client);

    [LoggerMessage(202, LogLevel.Information, "Client {Client} opened {Export}")]
    public static partial void Opened(ILogger logger, string client, string export);

    [LoggerMessage(203, LogLevel.Information,
        "Client {Client} left {Export}: {Requests} requests, {BytesRead} bytes read, {BytesWritten} written")]
    public static partial void Left(
        ILogger logger, string client, string export, long requests, long bytesRead, long bytesWritten);

    [LoggerMessage(204, LogLevel.Warning, "Client {Client}: {Reason}")]
    public static partial void ClientFailed(ILogger logger, string client, string reason);

    [LoggerMessage(205, LogLevel.Warning, "Client {Client}: {Command} at {Offset} of {Export} failed: {Reason}")]
    public static partial void RequestFailed(
        ILogger logger, string client, string command, ulong offset, string export, string reason);

    [LoggerMessage(206, LogLevel.Warning, "{Count} more messages about clients and their requests were left out")]
    public static partial void MessagesLeftOut(ILogger logger, long count);

    [LoggerMessage(207, LogLevel.Debug, "Client {Client} went away in its handshake")]
    public static partial void LeftEarly(ILogger logger, string client);

    [LoggerMessage(208, LogLevel.Information, "Overlay {Overlay} was created for {Client}")]
    public static partial void OverlayCreated(ILogger logger, string overlay, string client);

    [LoggerMessage(209, LogLevel.Information, "Overlay {Overlay} was promoted to {Version}")]
    public static partial void OverlayPromoted(ILogger logger, string overlay, string version);

    [LoggerMessage(210, LogLevel.Information, "Overlay {Overlay} was discarded with its connection")]
    public static partial void OverlayDiscarded(ILogger logger, string overlay);

    [LoggerMessage(211, LogLevel.Warning,
        "Overlay {Overlay} is kept: {Reason}. Promote it with 'benji promote' or drop it with 'benji overlay rm'")]
    public static partial void OverlayKept(ILogger logger, string overlay, string reason);

    [LoggerMessage(212, LogLevel.Error, "A connection ended with a defect")]
    public static partial void Defect(ILogger logger, Exception cause);

    [LoggerMessage(213, LogLevel.Information, "The NBD server ends: {Connections} connections are open")]
    public static partial void Stopping(ILogger logger, int connections);

    [LoggerMessage(214, LogLevel.Warning, "Cannot accept connections on {Endpoint} just now: {Reason}")]
    public static partial void AcceptFailed(ILogger logger, string endpoint, string reason);
}
