using Microsoft.Extensions.Logging;

namespace Benji.Mount;

/// <summary>Every message that the mount logs; event ids are stable.</summary>
internal static partial class Log
{
    [LoggerMessage(3001, LogLevel.Information, "Mounted at {MountPoint}: protocol {Negotiated}, {Images} images")]
    public static partial void Mounted(ILogger logger, string mountPoint, string negotiated, int images);

    [LoggerMessage(3002, LogLevel.Information, "Went on with the mount at {MountPoint}: protocol {Negotiated}, {Images} images")]
    public static partial void Resumed(ILogger logger, string mountPoint, string negotiated, int images);

    [LoggerMessage(3003, LogLevel.Information, "Unmounted {MountPoint}")]
    public static partial void Unmounted(ILogger logger, string mountPoint);

    [LoggerMessage(3004, LogLevel.Error, "Cannot read bytes of block {BlockIndex} of {Image}: {Reason}")]
    public static partial void BlockDamaged(ILogger logger, long blockIndex, string image, string reason);

    [LoggerMessage(3005, LogLevel.Error, "Request {Opcode} of {Image} failed: {Reason}")]
    public static partial void RequestFailed(ILogger logger, string opcode, string image, string reason);

    [LoggerMessage(3006, LogLevel.Error, "Request {Opcode} of node {Node} met a defect and was answered with EIO")]
    public static partial void RequestDefect(ILogger logger, Exception exception, string opcode, ulong node);

    [LoggerMessage(3007, LogLevel.Error, "The kernel refused a reply to {Opcode}: error {Errno}")]
    public static partial void ReplyRefused(ILogger logger, string opcode, int errno);

    [LoggerMessage(3008, LogLevel.Warning, "Cannot look for new and removed versions: {Reason}")]
    public static partial void RefreshFailed(ILogger logger, string reason);

    [LoggerMessage(3009, LogLevel.Debug, "{Added} files appeared and {Removed} went")]
    public static partial void TreeChanged(ILogger logger, int added, int removed);

    [LoggerMessage(3010, LogLevel.Error, "Cannot close {Image}: {Reason}")]
    public static partial void CloseFailed(ILogger logger, string image, string reason);

    [LoggerMessage(3011, LogLevel.Warning, "{Count} clients were still waiting when the mount ended")]
    public static partial void EndedWithWaiters(ILogger logger, int count);

    [LoggerMessage(3012, LogLevel.Error, "The device failed: {Reason}")]
    public static partial void DeviceFailed(ILogger logger, string reason);

    [LoggerMessage(3013, LogLevel.Warning, "What programs changed through shared maps under {MountPoint} may be lost: "
        + "writing it took too long")]
    public static partial void WriteBackTooSlow(ILogger logger, string mountPoint);

    [LoggerMessage(3014, LogLevel.Warning, "Overlay {Image} could not be made as asked, and cannot be removed again: {Reason}")]
    public static partial void OverlayStays(ILogger logger, string image, string reason);
}
