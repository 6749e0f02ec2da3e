using System.Runtime.CompilerServices;
using Benji.Mount.Kernel;
using Benji.Mount.Kernel.Wire;
using Benji.Mount.Session.Requests;
using Benji.Mount.Tree;

namespace Benji.Mount.Session.Handlers;

/// <summary>Writes to overlays, from the buffer that the request came in.</summary>
internal sealed class WriteHandler(HandlerParts parts, BufferPool buffers)
{
    private static readonly int PayloadStart = Unsafe.SizeOf<RequestHeader>() + Unsafe.SizeOf<TransferRequest>();

    /// <summary>Writes as far as the file goes, and behind its end finds no space, as on a block device.</summary>
    /// <remarks>Begins on the reader's thread. A write that has to wait takes the buffer along.</remarks>
    public void Write(ref Request request)
    {
        var wanted = request.Body.Take<TransferRequest>();
        if (wanted.Size > request.Body.Rest.Length)
        {
            throw new FuseProtocolException($"A write of {wanted.Size} bytes brings {request.Body.Rest.Length}.");
        }

        if (parts.FindNode(request.Header.Node) is not { } node)
        {
            parts.Replies.SendError(request.Header, Errno.Stale);
            return;
        }

        var header = request.Header;
        var data = request.Worker.Buffer.Memory.Slice(PayloadStart, (int)wanted.Size);
        var running = parts.Pending.RunAsync(header, node.Entry, token => WriteAsync(header, wanted, data, node, token));
        if (!running.IsCompleted)
        {
            _ = ReturnAfterAsync(running, request.Worker.GiveBuffer());
        }
    }

    private async ValueTask WriteAsync(
        RequestHeader header,
        TransferRequest wanted,
        ReadOnlyMemory<byte> data,
        TreeNode node,
        CancellationToken cancellationToken)
    {
        var file = await parts.Files.EnterAsync(node, cancellationToken);
        try
        {
            if (file.Writable is not { } writable || parts.IsReadOnly)
            {
                parts.Replies.SendError(header, Errno.ReadOnlyFileSystem);
                return;
            }

            if (wanted.Offset >= (ulong)writable.Size && wanted.Size > 0)
            {
                parts.Replies.SendError(header, Errno.NoSpace);
                return;
            }

            var length = (int)Math.Min(wanted.Size, (ulong)writable.Size - wanted.Offset);
            if (length > 0)
            {
                await writable.WriteAsync((long)wanted.Offset, data[..length], cancellationToken);
            }

            parts.Replies.Send(header, new WriteReply { Size = (uint)length });
        }
        finally
        {
            await parts.Files.ExitAsync(file);
        }
    }

    private async Task ReturnAfterAsync(Task running, RequestBuffer buffer)
    {
        await running;
        buffers.Return(buffer);
    }
}
