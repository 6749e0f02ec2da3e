using System.Buffers;
using Benji.Nbd.Protocol;

namespace Benji.Nbd.Client;

/// <summary>Reads one reply or chunk after another off a connection and hands each to its request.</summary>
/// <param name="stream">The connection.</param>
/// <param name="export">What was agreed on.</param>
/// <param name="find">Finds a request by its cookie.</param>
/// <param name="complete">Is told of each request whose reply is whole.</param>
internal sealed class ReplyReader(
    Stream stream, NegotiatedExport export, Func<ulong, PendingRequest?> find, Action<PendingRequest> complete)
{
    // The longest chunk that is no data: extents of a generous server.
    private const int PayloadMax = StatusExtent.ContextSize + (1024 * 1024 * StatusExtent.Size);

    private readonly byte[] _header = new byte[ChunkHeader.Size];

    /// <summary>Reads until the connection ends.</summary>
    /// <exception cref="EndOfStreamException">The server closed it.</exception>
    /// <exception cref="IOException">It broke.</exception>
    /// <exception cref="NbdProtocolException">The server sent what the protocol does not allow.</exception>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            await stream.ReadExactlyAsync(_header.AsMemory(0, SimpleReply.Size), cancellationToken);
            if (ChunkHeader.IsChunk(_header))
            {
                await stream.ReadExactlyAsync(_header.AsMemory(SimpleReply.Size), cancellationToken);
                await TakeChunkAsync(ChunkHeader.Parse(_header), cancellationToken);
            }
            else
            {
                await TakeSimpleAsync(SimpleReply.Parse(_header), cancellationToken);
            }
        }
    }

    /// <summary>Reads the whole reply to a request that is the only one under way and asks for no data; waits on the
    /// calling thread.</summary>
    /// <exception cref="IOException">The connection ended or broke.</exception>
    /// <exception cref="NbdProtocolException">The server sent what the protocol does not allow.</exception>
    public void ReadOne(PendingRequest request)
    {
        while (!request.Completed.IsCompleted)
        {
            stream.ReadExactly(_header, 0, SimpleReply.Size);
            if (!ChunkHeader.IsChunk(_header))
            {
                var reply = SimpleReply.Parse(_header);
                Find(reply.Cookie).Fail(new ErrorChunk(reply.Error, "", Offset: null));
                request.Finish();
                return;
            }

            stream.ReadExactly(_header, SimpleReply.Size, ChunkHeader.Size - SimpleReply.Size);
            var chunk = ChunkHeader.Parse(_header);
            if (chunk.Type == ChunkType.OffsetData || chunk.Length > PayloadMax)
            {
                throw new NbdProtocolException($"The server sent a chunk of type {chunk.Type} with {chunk.Length} bytes.");
            }

            var payload = new byte[chunk.Length];
            stream.ReadExactly(payload);
            Take(Find(chunk.Cookie), chunk, payload);
            if (chunk.IsDone)
            {
                request.Finish();
            }
        }
    }

    private async ValueTask TakeSimpleAsync(SimpleReply reply, CancellationToken cancellationToken)
    {
        var request = Find(reply.Cookie);
        if (export.IsStructured && request.Header.Command == Command.Read)
        {
            throw new NbdProtocolException("The server answered a READ with a simple reply after it agreed to chunks.");
        }

        if (reply.Error != NbdError.None)
        {
            request.Fail(new ErrorChunk(reply.Error, "", Offset: null));
        }
        else if (request.Header.Command == Command.Read)
        {
            var destination = request.Place(request.Header.Offset, request.Header.Length);
            await stream.ReadExactlyAsync(destination, cancellationToken);
        }

        request.Finish();
        complete(request);
    }

    private async ValueTask TakeChunkAsync(ChunkHeader chunk, CancellationToken cancellationToken)
    {
        var request = export.IsStructured
            ? Find(chunk.Cookie)
            : throw new NbdProtocolException("The server sent a chunk without having agreed to chunks.");
        if (chunk.Type == ChunkType.OffsetData)
        {
            await TakeDataAsync(request, chunk.Length, cancellationToken);
        }
        else if (chunk.Length > PayloadMax)
        {
            throw new NbdProtocolException($"The server sent a chunk of type {chunk.Type} with {chunk.Length} bytes.");
        }
        else
        {
            await TakeOtherAsync(request, chunk, cancellationToken);
        }

        if (chunk.IsDone)
        {
            request.Finish();
            complete(request);
        }
    }

    private async ValueTask TakeDataAsync(PendingRequest request, uint length, CancellationToken cancellationToken)
    {
        if (length <= ReadChunks.OffsetSize)
        {
            throw new NbdProtocolException($"The server sent a chunk of data with {length} bytes.");
        }

        await stream.ReadExactlyAsync(_header.AsMemory(0, ReadChunks.OffsetSize), cancellationToken);
        var offset = ReadChunks.ParseOffset(_header);
        await stream.ReadExactlyAsync(request.Place(offset, length - ReadChunks.OffsetSize), cancellationToken);
    }

    private async ValueTask TakeOtherAsync(
        PendingRequest request, ChunkHeader chunk, CancellationToken cancellationToken)
    {
        var rented = ArrayPool<byte>.Shared.Rent((int)chunk.Length);
        try
        {
            var payload = rented.AsMemory(0, (int)chunk.Length);
            await stream.ReadExactlyAsync(payload, cancellationToken);
            Take(request, chunk, payload.Span);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(rented);
        }
    }

    private void Take(PendingRequest request, ChunkHeader chunk, ReadOnlySpan<byte> payload)
    {
        switch (chunk.Type)
        {
            case ChunkType.None when payload.IsEmpty && chunk.IsDone:
                break;
            case ChunkType.OffsetHole:
                var (offset, length) = ReadChunks.ParseHole(payload);
                request.Place(offset, length).Span.Clear();
                break;
            case ChunkType.BlockStatus when request.Header.Command == Command.BlockStatus:
                TakeStatus(request, payload);
                break;
            case var type when chunk.IsError:
                request.Fail(ErrorChunk.Parse(payload, type));
                break;
            default:
                throw new NbdProtocolException(
                    $"The server sent a chunk of type {chunk.Type} with {payload.Length} bytes for {request.Header.Command}.");
        }
    }

    private void TakeStatus(PendingRequest request, ReadOnlySpan<byte> payload)
    {
        var extents = new List<StatusExtent>();
        var context = StatusExtent.Parse(payload, extents);
        if (!export.Contexts.ContainsKey(context) || !request.Extents.TryAdd(context, extents))
        {
            throw new NbdProtocolException($"The server sent extents of context {context}, which was not asked for or has been sent.");
        }
    }

    private PendingRequest Find(ulong cookie) => find(cookie)
        ?? throw new NbdProtocolException($"The server answered a request {cookie:x16} that was not sent.");
}
