using System.Collections.Concurrent;
using Benji.Mount.Kernel;
using Benji.Mount.Kernel.Wire;
using Benji.Store.Images;
using Benji.Store.Model;
using Microsoft.Extensions.Logging;

namespace Benji.Mount.Session.Requests;

/// <summary>What a client hears of a failure: an error number; the cause goes to the log.</summary>
/// <remarks>Safe for concurrent calls.</remarks>
internal sealed class FuseErrors(ILogger logger, TimeProvider clock)
{
    private const int DamagedMax = 10_000;

    // A full disk or a storage that is away fails every request: one line in so long, for each image and kind, says enough.
    private static readonly TimeSpan Quiet = TimeSpan.FromSeconds(10);

    private readonly ConcurrentDictionary<(Guid Image, Type Kind), DateTimeOffset> _logged = new();
    private readonly ConcurrentDictionary<(Guid Image, long BlockIndex), bool> _damaged = new();

    /// <summary>Returns the error number for an exception, and logs what a person must know; damage once for each block.</summary>
    /// <param name="exception">What was thrown.</param>
    /// <param name="request">By which request.</param>
    /// <param name="image">About which image; null when it is about none.</param>
    public int Translate(Exception exception, in RequestHeader request, ImageEntry? image)
    {
        switch (exception)
        {
            case OperationCanceledException:
                return Errno.Interrupted;
            case DamagedImageException damage:
                LogDamage(damage, image);
                return Errno.Io;
            case NoSpaceException:
                LogFailure(exception, request, image);
                return Errno.NoSpace;
            case ReadOnlyException:
                LogFailure(exception, request, image);
                return Errno.ReadOnlyFileSystem;
            case NotFoundException:
                return Errno.NotFound;
            case AlreadyExistsException:
                return Errno.Exists;
            case InUseException:
                return Errno.Busy;
            case NotAllowedException:
                return Errno.NotPermitted;
            case UsageException:
                return Errno.Invalid;
            case BenjiException:
                LogFailure(exception, request, image);
                return Errno.Io;
            case FuseProtocolException:
                LogFailure(exception, request, image);
                return Errno.Invalid;
            default:
                Log.RequestDefect(logger, exception, request.Opcode.ToString(), request.Node);
                return Errno.Io;
        }
    }

    /// <summary>Logs that an overlay whose creation failed could not be removed again.</summary>
    public void OverlayStays(ImageEntry overlay, BenjiException failure) =>
        Log.OverlayStays(logger, overlay.Name, failure.Message);

    private void LogDamage(DamagedImageException damage, ImageEntry? image)
    {
        var blockIndex = image is null ? 0 : damage.Offset / image.Version.BlockSize;
        if (_damaged.Count < DamagedMax && _damaged.TryAdd((image?.Id ?? Guid.Empty, blockIndex), true))
        {
            Log.BlockDamaged(logger, blockIndex, image?.Name ?? "", damage.Message);
        }
    }

    private void LogFailure(Exception exception, in RequestHeader request, ImageEntry? image)
    {
        var key = (image?.Id ?? Guid.Empty, exception.GetType());
        var now = clock.GetUtcNow();
        if (!_logged.TryGetValue(key, out var last) || (now - last).Duration() >= Quiet)
        {
            _logged[key] = now;
            Log.RequestFailed(logger, request.Opcode.ToString(), image?.Name ?? "", exception.Message);
        }
    }
}
