using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Benji.Nbd.Protocol;
using Benji.Store.Images;
using Benji.Store.Model;

namespace Benji.Nbd.Session.Requests;

/// <summary>Replies of one client on their way out: headers of its own and data where the cache has it, sent together.</summary>
/// <remarks>For the connection's thread. Allocates nothing once it has grown to the largest batch. proto.md, "Structured
/// reply types".</remarks>
internal sealed unsafe class ReplyBatch
{
    /// <summary>Reads whose memory one batch may hold.</summary>
    public const int ReadsMax = 128;

    private const int HeaderBytesMax = 64 * 1024;
    private const int VectorsMax = 1024;
    private const int ErrorTextMax = 1000;

    private readonly IWire _wire;
    private readonly byte[] _headers = GC.AllocateUninitializedArray<byte>(HeaderBytesMax, pinned: true);
    private readonly IoVector[] _vectors = GC.AllocateArray<IoVector>(VectorsMax, pinned: true);
    private readonly ImagePieces?[] _lent = new ImagePieces?[ReadsMax];
    private readonly nint _zeros;
    private int _headerBytes;
    private int _vectorCount;
    private int _lentCount;

    /// <summary>Makes an empty batch.</summary>
    /// <param name="wire">Where it is sent.</param>
    public ReplyBatch(IWire wire)
    {
        _wire = wire;
        _zeros = AddressOf(ImagePieces.Zeros.Span);
    }

    /// <summary>Bytes in the batch.</summary>
    public long Bytes { get; private set; }

    /// <summary>True when the batch should be sent before another read is added.</summary>
    public bool IsFull => _lentCount == ReadsMax;

    /// <summary>Pieces to fill for the next <c>AddRead</c>; empty.</summary>
    public ImagePieces NextPieces => _lent[_lentCount] ??= new ImagePieces();

    /// <summary>Adds that a request was done.</summary>
    /// <param name="cookie">The request's.</param>
    /// <param name="isStructured">True to answer with a chunk.</param>
    public void AddDone(ulong cookie, bool isStructured = false) => PutHeader(isStructured
        ? new ChunkHeader(ChunkFlags.Done, ChunkType.None, cookie, 0).Write(NextHeader())
        : new SimpleReply(NbdError.None, cookie).Write(NextHeader()));

    /// <summary>Adds that a request failed.</summary>
    public void AddFailure(ulong cookie, in Failure failure, bool isStructured)
    {
        if (!isStructured)
        {
            PutHeader(new SimpleReply(failure.Error, cookie).Write(NextHeader()));
            return;
        }

        var text = failure.Text.Length <= ErrorTextMax ? failure.Text : failure.Text[..ErrorTextMax];
        var chunk = new ErrorChunk(failure.Error, text, failure.Offset);
        PutHeader(new ChunkHeader(ChunkFlags.Done, chunk.Type, cookie, (uint)chunk.Size).Write(NextHeader()));
        PutHeader(chunk.Write(NextHeader(chunk.Size)));
    }

    /// <summary>Adds the answer to a READ, with the data of <see cref="NextPieces"/>.</summary>
    /// <param name="request">What was asked.</param>
    /// <param name="isStructured">True to answer with chunks, zeros apart.</param>
    public void AddRead(in RequestHeader request, bool isStructured)
    {
        var pieces = NextPieces;
        if (!isStructured)
        {
            PutHeader(new SimpleReply(NbdError.None, request.Cookie).Write(NextHeader()));
            PutAll(pieces.Pieces);
        }
        else if ((request.Flags & CommandFlags.DontFragment) != 0 && !IsHole(pieces))
        {
            PutHeader(ReadChunks.WriteData(
                NextHeader(), request.Cookie, (long)request.Offset, (int)request.Length, ChunkFlags.Done));
            PutAll(pieces.Pieces);
        }
        else
        {
            PutChunks(request, pieces.Pieces);
        }

        _lentCount++;
    }

    /// <summary>Adds the answer to a READ whose data another thread has got.</summary>
    /// <param name="request">What was asked.</param>
    /// <param name="isStructured">True to answer with chunks, zeros apart.</param>
    /// <param name="pieces">The data; empty ones take its place.</param>
    public void AddRead(in RequestHeader request, bool isStructured, ref ImagePieces pieces)
    {
        var empty = NextPieces;
        (_lent[_lentCount], pieces) = (pieces, empty);
        AddRead(request, isStructured);
    }

    /// <summary>Adds a chunk of block status; more of the reply follow, or <see cref="AddDone"/>.</summary>
    /// <param name="cookie">The request's.</param>
    /// <param name="context">The number of the context.</param>
    /// <param name="extents">What is said of it.</param>
    /// <param name="flags">Whether it is the last.</param>
    public void AddStatus(ulong cookie, uint context, ReadOnlySpan<StatusExtent> extents, ChunkFlags flags)
    {
        var length = StatusExtent.ContextSize + (StatusExtent.Size * extents.Length);
        var header = new ChunkHeader(flags, ChunkType.BlockStatus, cookie, (uint)length);
        var front = NextHeader();
        var size = header.Write(front);
        System.Buffers.Binary.BinaryPrimitives.WriteUInt32BigEndian(front[size..], context);
        PutHeader(size + StatusExtent.ContextSize);
        foreach (var extent in extents)
        {
            PutHeader(extent.Write(NextHeader()));
        }
    }

    /// <summary>Sends everything and gives all memory back.</summary>
    /// <exception cref="IOException">The connection is broken; the memory is given back all the same.</exception>
    public void Flush()
    {
        try
        {
            SendVectors();
        }
        finally
        {
            Clear();
        }
    }

    /// <summary>Gives all memory back without sending.</summary>
    public void Clear()
    {
        for (var i = 0; i < _lentCount; i++)
        {
            _lent[i]?.Clear();
        }

        (_lentCount, _vectorCount, _headerBytes, Bytes) = (0, 0, 0, 0);
    }

    private static bool IsHole(ImagePieces pieces) => pieces.Count == 1 && pieces.Pieces[0].IsHole;

    // Neighbouring pieces of data make one chunk, whatever memory they are in.
    private void PutChunks(in RequestHeader request, ReadOnlySpan<ImagePiece> pieces)
    {
        var offset = (long)request.Offset;
        while (!pieces.IsEmpty)
        {
            var count = 1;
            var length = pieces[0].Length;
            while (!pieces[0].IsHole && count < pieces.Length && !pieces[count].IsHole)
            {
                length += pieces[count++].Length;
            }

            var flags = count == pieces.Length ? ChunkFlags.Done : ChunkFlags.None;
            if (pieces[0].IsHole)
            {
                PutHeader(ReadChunks.WriteHole(NextHeader(), request.Cookie, offset, length, flags));
            }
            else
            {
                PutHeader(ReadChunks.WriteData(NextHeader(), request.Cookie, offset, length, flags));
                PutAll(pieces[..count]);
            }

            offset += length;
            pieces = pieces[count..];
        }
    }

    private void PutAll(ReadOnlySpan<ImagePiece> pieces)
    {
        foreach (ref readonly var piece in pieces)
        {
            if (!piece.IsHole)
            {
                PutVector(AddressOf(piece.Memory.Span), piece.Length);
                continue;
            }

            for (var left = piece.Length; left > 0; left -= Math.Min(left, BlockGeometry.FrameSize))
            {
                PutVector(_zeros, Math.Min(left, BlockGeometry.FrameSize));
            }
        }
    }

    private Span<byte> NextHeader(int size = 64)
    {
        if (_headerBytes + size > HeaderBytesMax)
        {
            SendVectors();
        }

        return _headers.AsSpan(_headerBytes);
    }

    // A header that stands right behind the last one makes one vector with it.
    private void PutHeader(int length)
    {
        var address = AddressOf(_headers) + _headerBytes;
        if (_vectorCount > 0 && _vectors[_vectorCount - 1] is var last && last.Address + (nint)last.Length == address)
        {
            _vectors[_vectorCount - 1] = last with { Length = last.Length + (nuint)length };
            Bytes += length;
        }
        else if (_vectorCount < VectorsMax)
        {
            PutVector(address, length);
        }
        else
        {
            // Sending begins the headers anew, so the one just written is moved to their front.
            var start = _headerBytes;
            SendVectors();
            _headers.AsSpan(start, length).CopyTo(_headers);
            PutVector(AddressOf(_headers), length);
        }

        _headerBytes += length;
    }

    private void PutVector(nint address, int length)
    {
        if (_vectorCount == VectorsMax)
        {
            SendVectors();
        }

        _vectors[_vectorCount++] = new IoVector(address, (nuint)length);
        Bytes += length;
    }

    private void SendVectors()
    {
        if (_vectorCount > 0)
        {
            _wire.Send(_vectors.AsSpan(0, _vectorCount));
        }

        (_vectorCount, _headerBytes) = (0, 0);
    }

    // Lent memory is pinned or native (ImagePiece), and so are the arrays here.
    private static nint AddressOf(ReadOnlySpan<byte> bytes) =>
        (nint)Unsafe.AsPointer(ref MemoryMarshal.GetReference(bytes));
}
