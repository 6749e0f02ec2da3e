using System.Net.Sockets;
using Benji.Nbd.Protocol;
using Benji.Store.Model;

namespace Benji.Nbd.Client;

#pragma warning disable CA2000 // The handshake owns the connection, and disposes it when it fails.

/// <summary>One connection to an export: many requests under way at once, their replies in any order.</summary>
/// <remarks>Safe for concurrent calls. Ranges must lie inside the export. Cancelling a request that was sent ends the
/// connection, since memory that was lent to it could be written to otherwise.</remarks>
internal sealed class NbdClient : IAsyncDisposable
{
    private readonly string _name;
    private readonly Stream _stream;
    private readonly TimeProvider _time;
    private readonly SemaphoreSlim _sending = new(1);
    private readonly CancellationTokenSource _end = new();
    private readonly byte[] _header = new byte[RequestHeader.Size];
    private readonly PendingRequests _pending = new();
    private readonly Task _reading;
    private long _lastReply;

    private NbdClient(string name, Stream stream, NegotiatedExport export, TimeProvider time)
    {
        _name = name;
        _stream = stream;
        _time = time;
        Export = export;
        _reading = ReadRepliesAsync();
    }

    /// <summary>What the handshake settled.</summary>
    public NegotiatedExport Export { get; }

    /// <summary>Bytes in the export.</summary>
    public long Size => Export.Info.ExportSize;

    /// <summary>Connects, negotiates and begins; waits on the calling thread.</summary>
    /// <param name="address">The export.</param>
    /// <param name="contexts">The metadata contexts wanted; <see cref="NegotiatedExport.Contexts"/> has those that are known.</param>
    /// <param name="time">The clock.</param>
    /// <param name="prepare">Uses the connection before anybody else does; what it throws is thrown here.</param>
    /// <exception cref="NotFoundException">The server has no such export.</exception>
    /// <exception cref="StorageException">The server cannot be reached, or refused, or does not speak NBD.</exception>
    public static NbdClient Open(
        NbdAddress address, IReadOnlyList<string> contexts, TimeProvider time, Action<Stream, NegotiatedExport>? prepare = null) =>
        Open(address, Negotiation.Connect(address), contexts, time, prepare);

    /// <summary>Begins on a stream of any kind; owns it, also after a failure.</summary>
    public static NbdClient Open(
        NbdAddress address,
        Stream stream,
        IReadOnlyList<string> contexts,
        TimeProvider time,
        Action<Stream, NegotiatedExport>? prepare = null)
    {
        var (secured, export) = Negotiation.Run(address, stream, handshake =>
        {
            var agreed = handshake.Go(contexts);
            prepare?.Invoke(handshake.Stream, agreed);
            return agreed;
        });
        return new NbdClient(Names.Show(address.Text), secured, export, time);
    }

    /// <summary>Fills memory with the bytes from an offset.</summary>
    /// <exception cref="StorageException">The server says it failed, or the connection did.</exception>
    public async ValueTask ReadAsync(long offset, Memory<byte> destination, CancellationToken cancellationToken)
    {
        while (!destination.IsEmpty)
        {
            var part = destination[..(int)Math.Min(destination.Length, PayloadMax)];
            await SendAsync(Command.Read, CommandFlags.None, offset, part.Length, part, default, cancellationToken);
            offset += part.Length;
            destination = destination[part.Length..];
        }
    }

    /// <summary>Writes bytes.</summary>
    /// <exception cref="StorageException">As for <see cref="ReadAsync"/>.</exception>
    public async ValueTask WriteAsync(long offset, ReadOnlyMemory<byte> data, CancellationToken cancellationToken)
    {
        while (!data.IsEmpty)
        {
            var part = data[..(int)Math.Min(data.Length, PayloadMax)];
            await SendAsync(Command.Write, CommandFlags.None, offset, part.Length, default, part, cancellationToken);
            offset += part.Length;
            data = data[part.Length..];
        }
    }

    /// <summary>Makes a range zeros; needs an export that can.</summary>
    /// <exception cref="StorageException">As for <see cref="ReadAsync"/>.</exception>
    public ValueTask ZeroAsync(long offset, long length, bool mayFreeSpace, CancellationToken cancellationToken) =>
        SendRangeAsync(
            Command.WriteZeroes, mayFreeSpace ? CommandFlags.None : CommandFlags.NoHole, offset, length, cancellationToken);

    /// <summary>Says that a range is not needed; needs an export that can.</summary>
    /// <exception cref="StorageException">As for <see cref="ReadAsync"/>.</exception>
    public ValueTask TrimAsync(long offset, long length, CancellationToken cancellationToken) =>
        SendRangeAsync(Command.Trim, CommandFlags.None, offset, length, cancellationToken);

    /// <summary>Makes everything completed durable; nothing to do where the export has no flush.</summary>
    /// <exception cref="StorageException">As for <see cref="ReadAsync"/>.</exception>
    public async ValueTask FlushAsync(CancellationToken cancellationToken)
    {
        if (Export.Can(TransmissionFlags.SendFlush))
        {
            await SendAsync(Command.Flush, CommandFlags.None, offset: 0, length: 0, default, default, cancellationToken);
        }
    }

    /// <summary>Asks for the extents of a range in every context that was agreed on; the server may answer for less.</summary>
    /// <returns>By the contexts' names, extents from the offset on; they may go on behind the range.</returns>
    /// <exception cref="StorageException">As for <see cref="ReadAsync"/>.</exception>
    public async Task<IReadOnlyDictionary<string, List<StatusExtent>>> ReadStatusAsync(
        long offset, uint length, CancellationToken cancellationToken)
    {
        var request = await SendAsync(
            Command.BlockStatus, CommandFlags.None, offset, length, default, default, cancellationToken);
        return request.Extents.ToDictionary(pair => Export.Contexts[pair.Key], pair => pair.Value);
    }

    /// <summary>Takes leave of the server where the connection stands, and closes it.</summary>
    public async ValueTask DisposeAsync()
    {
        if (!_reading.IsCompleted)
        {
            await DisconnectAsync();
        }

        await _end.CancelAsync();
        await _reading;
        await _stream.DisposeAsync();
        _sending.Dispose();
        _end.Dispose();
    }

    private long PayloadMax => Math.Min(Export.Sizes.Maximum, NbdLimits.PayloadMax);

    private async ValueTask SendRangeAsync(
        Command command, CommandFlags flags, long offset, long length, CancellationToken cancellationToken)
    {
        // A multiple of every minimum that an export may have.
        const long lengthMax = 1L << 30;
        while (length > 0)
        {
            var part = Math.Min(length, lengthMax);
            await SendAsync(command, flags, offset, part, default, default, cancellationToken);
            offset += part;
            length -= part;
        }
    }

    private async ValueTask<PendingRequest> SendAsync(
        Command command, CommandFlags flags, long offset, long length, Memory<byte> destination,
        ReadOnlyMemory<byte> data, CancellationToken cancellationToken)
    {
        Invariant.Holds(offset >= 0 && length >= 0 && offset <= Size - length);
        await _sending.WaitAsync(cancellationToken);
        PendingRequest request;
        try
        {
            request = _pending.Add(cookie => new PendingRequest(
                new RequestHeader(flags, command, cookie, (ulong)offset, checked((uint)length)), destination));
            request.Header.Write(_header);
            await _stream.WriteAsync(_header, _end.Token);
            await _stream.WriteAsync(data, _end.Token);
            await _stream.FlushAsync(_end.Token);
        }
        catch (Exception cause) when (IsLost(cause))
        {
            throw Lost(await EndAsync(cause));
        }
        finally
        {
            _sending.Release();
        }

        await WaitAsync(request, cancellationToken);
        return request.Failure is { } failure ? throw ClientErrors.Refused(_name, request.Header, failure) : request;
    }

    private async Task WaitAsync(PendingRequest request, CancellationToken cancellationToken)
    {
        while (!request.Completed.IsCompleted)
        {
            try
            {
                await request.Completed.WaitAsync(ClientTransport.Patience, _time, cancellationToken);
            }
            catch (TimeoutException) when (_time.GetElapsedTime(_lastReply) < ClientTransport.Patience)
            {
                // Others were answered meanwhile: the server lives.
            }
            catch (TimeoutException cause)
            {
                await EndAsync(cause);
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                // The memory is lent until the loop cannot touch it any more.
                await EndAsync(new IOException("The request was cancelled."));
                throw;
            }
            catch (Exception cause) when (IsLost(cause))
            {
                cancellationToken.ThrowIfCancellationRequested();
                throw Lost(cause);
            }
        }

        if (request.Completed.Exception?.InnerException is { } lost)
        {
            cancellationToken.ThrowIfCancellationRequested();
            throw Lost(lost);
        }
    }

    private async Task<Exception> EndAsync(Exception cause)
    {
        _pending.Close(cause);
        await _end.CancelAsync();
        await _reading;
        return cause;
    }

    private async Task ReadRepliesAsync()
    {
        var reader = new ReplyReader(_stream, Export, _pending.Find, request =>
        {
            _lastReply = _time.GetTimestamp();
            _pending.Remove(request);
        });
        try
        {
            await reader.RunAsync(_end.Token);
        }
        catch (Exception cause) when (IsLost(cause))
        {
            _pending.Close(cause);
        }
    }

    private async Task DisconnectAsync()
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(1), _time);
        try
        {
            await _sending.WaitAsync(limit.Token);
            new RequestHeader(CommandFlags.None, Command.Disconnect, Cookie: 0, Offset: 0, Length: 0).Write(_header);
            await _stream.WriteAsync(_header, limit.Token);
            await _stream.FlushAsync(limit.Token);
        }
        catch (Exception cause) when (IsLost(cause))
        {
            // A server that is gone needs no leave.
        }
    }

    private StorageException Lost(Exception cause) =>
        new($"The connection to {_name} is lost: {cause.Message}", isTransient: true, cause);

    private static bool IsLost(Exception cause) => cause is IOException or NbdProtocolException or SocketException
        or ObjectDisposedException or OperationCanceledException or TimeoutException;
}
