using Benji.Mount.Kernel;
using Benji.Mount.Kernel.Wire;
using Benji.Mount.Session.Files;
using Benji.Mount.Tree;
using Benji.Store.Images;

namespace Benji.Mount.Session.Handlers;

/// <summary>Reads: what is at hand is answered on the reader's thread, without allocating; the rest waits elsewhere.</summary>
internal sealed class ReadHandler(HandlerParts parts)
{
    /// <summary>Answers a read. At and behind the end of the file it is short.</summary>
    public void Read(ref Request request)
    {
        var wanted = request.Body.Take<TransferRequest>();
        if (wanted.Size > RequestBuffer.PayloadMax)
        {
            parts.Replies.SendError(request.Header, Errno.Invalid);
            return;
        }

        if (!parts.Files.TryEnter(request.Header.Node, out var file))
        {
            ReadLater(request.Header, wanted);
            return;
        }

        try
        {
            if (!TryAnswer(ref request, wanted, file))
            {
                ReadLater(request.Header, wanted);
            }
        }
        finally
        {
            Exit(file);
        }
    }

    private static int Clamp(in TransferRequest wanted, long size) =>
        wanted.Offset >= (ulong)size ? 0 : (int)Math.Min(wanted.Size, (ulong)size - wanted.Offset);

    private bool TryAnswer(ref Request request, in TransferRequest wanted, OpenFile file)
    {
        var length = Clamp(wanted, file.Image.Size);
        if (length == 0)
        {
            parts.Replies.SendDone(request.Header);
            return true;
        }

        var pieces = request.Worker.Pieces;
        try
        {
            if (!file.Image.TryRead((long)wanted.Offset, length, pieces))
            {
                return false;
            }

            parts.Replies.SendPieces(request.Header, pieces, request.Worker.Scratch);
            return true;
        }
        finally
        {
            pieces.Clear();
        }
    }

    private void ReadLater(RequestHeader header, TransferRequest wanted)
    {
        // A file that a former server opened is not known as open here.
        if (parts.FindNode(header.Node) is { } node)
        {
            parts.Pending.Queue(header, node.Entry, token => ReadAsync(header, wanted, node, token));
        }
        else
        {
            parts.Replies.SendError(header, Errno.Stale);
        }
    }

    private async ValueTask ReadAsync(
        RequestHeader header, TransferRequest wanted, TreeNode node, CancellationToken cancellationToken)
    {
        var file = await parts.Files.EnterAsync(node, cancellationToken);
        try
        {
            var length = Clamp(wanted, file.Image.Size);
            if (length == 0)
            {
                parts.Replies.SendDone(header);
                return;
            }

            using var pieces = new ImagePieces();
            await file.Image.ReadAsync((long)wanted.Offset, length, pieces, cancellationToken);
            Send(header, pieces);
        }
        finally
        {
            await parts.Files.ExitAsync(file);
        }
    }

    private void Send(in RequestHeader header, ImagePieces pieces)
    {
        // Room is needed only for pieces too many for one message, which no image of whole units has.
        var room = pieces.Count < IRequestChannel.VectorsMax / 2 ? [] : new byte[pieces.Length];
        parts.Replies.SendPieces(header, pieces, room);
    }

    private void Exit(OpenFile file)
    {
        if (file.Exit())
        {
            parts.Files.CloseLater(file);
        }
    }
}
