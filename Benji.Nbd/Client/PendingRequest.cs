using Benji.Nbd.Protocol;

namespace Benji.Nbd.Client;

/// <summary>A request on its way and what has come of its reply; filled by the loop that reads replies.</summary>
/// <param name="header">The request.</param>
/// <param name="destination">Receives the data of a READ; lent until <see cref="Completed"/> ends.</param>
internal sealed class PendingRequest(RequestHeader header, Memory<byte> destination)
{
    /// <summary>Errors that one reply may have before its end; more is a server that never ends.</summary>
    public const int ErrorsMax = 4096;

    private readonly TaskCompletionSource _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly ReceivedRanges _received = new();
    private int _errors;

    /// <summary>The request.</summary>
    public RequestHeader Header { get; } = header;

    /// <summary>Ends with the reply, or with the connection.</summary>
    public Task Completed => _completion.Task;

    /// <summary>The first error that the server told.</summary>
    public ErrorChunk? Failure { get; private set; }

    /// <summary>The extents of a BLOCK_STATUS by context.</summary>
    public Dictionary<uint, List<StatusExtent>> Extents { get; } = [];

    /// <summary>Returns where data at an offset of the export belongs.</summary>
    /// <exception cref="NbdProtocolException">It is nothing, not all inside what was asked for, or came before.</exception>
    public Memory<byte> Place(ulong offset, long length)
    {
        var start = offset - Header.Offset;
        if (Header.Command != Command.Read || offset < Header.Offset || length <= 0
            || start > (ulong)destination.Length || length > destination.Length - (long)start)
        {
            throw new NbdProtocolException(
                $"The reply to {Header.Command} of {Header.Length} bytes at {Header.Offset} has {length} bytes at {offset}.");
        }

        _received.Add((int)start, (int)length);
        return destination.Slice((int)start, (int)length);
    }

    /// <summary>Notes an error; the first one counts.</summary>
    public void Fail(ErrorChunk error)
    {
        if (error.Error == NbdError.None)
        {
            throw new NbdProtocolException($"The reply to {Header.Command} has an error without a number.");
        }

        if (++_errors > ErrorsMax)
        {
            throw new NbdProtocolException($"The reply to {Header.Command} has more than {ErrorsMax} errors.");
        }

        Failure ??= error;
    }

    /// <summary>Ends the request after its last chunk.</summary>
    /// <exception cref="NbdProtocolException">Something of the reply is missing.</exception>
    public void Finish()
    {
        if (Failure is null && Header.Command == Command.Read && _received.Total != destination.Length)
        {
            throw new NbdProtocolException($"The reply to a READ of {destination.Length} bytes has {_received.Total}.");
        }

        if (Failure is null && Header.Command == Command.BlockStatus && Extents.Count == 0)
        {
            throw new NbdProtocolException("The reply to a BLOCK_STATUS has no extents.");
        }

        _completion.TrySetResult();
    }

    /// <summary>Ends the request because its reply will not come.</summary>
    public void Abandon(Exception cause) => _completion.TrySetException(cause);
}
