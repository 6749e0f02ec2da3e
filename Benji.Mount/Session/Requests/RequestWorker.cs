using Benji.Mount.Kernel;
using Benji.Store.Images;

namespace Benji.Mount.Session.Requests;

/// <summary>What one reader thread owns: the buffer that a request is in, and the pieces of a read.</summary>
internal sealed class RequestWorker(BufferPool buffers) : IDisposable
{
    /// <summary>Holds the request under way; behind its head a reply may be built once the request was taken apart.</summary>
    public RequestBuffer Buffer { get; private set; } = buffers.Rent();

    /// <summary>The pieces of a read that is answered at once; empty between requests.</summary>
    public ImagePieces Pieces { get; } = new();

    /// <summary>Set when the thread is to end after this request.</summary>
    public bool IsEnding { get; set; }

    /// <summary>The part of the buffer in which a reply may be built.</summary>
    public Span<byte> Scratch => Buffer.GetSpan()[RequestBuffer.HeadSize..];

    /// <summary>Leaves the buffer to a request that is not done yet, and takes another.</summary>
    /// <returns>The buffer, to be returned to the pool.</returns>
    public RequestBuffer GiveBuffer()
    {
        var given = Buffer;
        Buffer = buffers.Rent();
        return given;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        buffers.Return(Buffer);
        Pieces.Dispose();
    }
}
