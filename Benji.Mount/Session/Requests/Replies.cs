using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Benji.Mount.Kernel;
using Benji.Mount.Kernel.Wire;
using Benji.Store.Images;
using Benji.Store.Model;
using Microsoft.Extensions.Logging;

namespace Benji.Mount.Session.Requests;

/// <summary>Answers requests, each with one message.</summary>
/// <remarks>Safe for concurrent calls. Nothing here allocates.</remarks>
internal sealed class Replies(IRequestChannel channel, ILogger logger)
{
    private static readonly unsafe void* Zeros =
        Unsafe.AsPointer(ref MemoryMarshal.GetReference(ImagePieces.Zeros.Span));

    /// <summary>Answers that the request was done, without more to say.</summary>
    public void SendDone(in RequestHeader request) => SendBytes(request, []);

    /// <summary>Answers that the request failed.</summary>
    /// <param name="request">The request.</param>
    /// <param name="errno">Why; not 0.</param>
    public unsafe void SendError(in RequestHeader request, int errno)
    {
        Invariant.Holds(errno > 0);
        var header = new ReplyHeader
        {
            Length = (uint)sizeof(ReplyHeader),
            Error = -errno,
            Unique = request.Unique,
        };
        var vector = new IoVector { Start = &header, Length = (nuint)sizeof(ReplyHeader) };
        Send(request, new ReadOnlySpan<IoVector>(in vector));
    }

    /// <summary>Answers with a structure.</summary>
    public void Send<T>(in RequestHeader request, in T body)
        where T : unmanaged => SendBytes(request, MemoryMarshal.AsBytes(new ReadOnlySpan<T>(in body)));

    /// <summary>Answers with bytes.</summary>
    public unsafe void SendBytes(in RequestHeader request, ReadOnlySpan<byte> body)
    {
        var header = Header(request, body.Length);
        fixed (byte* start = body)
        {
            var vectors = stackalloc IoVector[2];
            vectors[0] = new IoVector { Start = &header, Length = (nuint)sizeof(ReplyHeader) };
            vectors[1] = new IoVector { Start = start, Length = (nuint)body.Length };
            Send(request, new ReadOnlySpan<IoVector>(vectors, body.IsEmpty ? 1 : 2));
        }
    }

    /// <summary>Answers with the pieces of a read, straight from their memory.</summary>
    /// <param name="request">The request.</param>
    /// <param name="pieces">All bytes of the answer; lent for the call.</param>
    /// <param name="scratch">Room for all bytes, used when the pieces are too many for one message.</param>
    public unsafe void SendPieces(in RequestHeader request, ImagePieces pieces, Span<byte> scratch)
    {
        var count = 1;
        foreach (var piece in pieces.Pieces)
        {
            count += piece.IsHole ? (piece.Length + ImagePieces.Zeros.Length - 1) / ImagePieces.Zeros.Length : 1;
        }

        if (count > IRequestChannel.VectorsMax)
        {
            var copy = scratch[..(int)pieces.Length];
            pieces.CopyTo(copy);
            SendBytes(request, copy);
            return;
        }

        var header = Header(request, pieces.Length);
        var vectors = stackalloc IoVector[count];
        vectors[0] = new IoVector { Start = &header, Length = (nuint)sizeof(ReplyHeader) };
        Fill(vectors + 1, pieces);
        Send(request, new ReadOnlySpan<IoVector>(vectors, count));
    }

    private static unsafe void Fill(IoVector* vectors, ImagePieces pieces)
    {
        foreach (var piece in pieces.Pieces)
        {
            if (!piece.IsHole)
            {
                // The memory of a piece never moves.
                var start = Unsafe.AsPointer(ref MemoryMarshal.GetReference(piece.Memory.Span));
                *vectors++ = new IoVector { Start = start, Length = (nuint)piece.Length };
                continue;
            }

            for (var rest = piece.Length; rest > 0; rest -= ImagePieces.Zeros.Length)
            {
                *vectors++ = new IoVector { Start = Zeros, Length = (nuint)Math.Min(rest, ImagePieces.Zeros.Length) };
            }
        }
    }

    private static unsafe ReplyHeader Header(in RequestHeader request, long length) => new()
    {
        Length = checked((uint)(sizeof(ReplyHeader) + length)),
        Unique = request.Unique,
    };

    private void Send(in RequestHeader request, ReadOnlySpan<IoVector> vectors)
    {
        var errno = channel.Send(vectors);

        // ENOENT: whoever waited is gone. ENODEV and ECONNABORTED: the connection is.
        if (errno is not (Errno.None or Errno.NotFound or Errno.NoDevice or Errno.Aborted))
        {
            Log.ReplyRefused(logger, request.Opcode.ToString(), errno);
        }
    }
}
