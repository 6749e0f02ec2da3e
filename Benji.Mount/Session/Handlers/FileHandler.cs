using Benji.Mount.Kernel;
using Benji.Mount.Kernel.Wire;
using Benji.Mount.Session.Files;
using Benji.Mount.Tree;

namespace Benji.Mount.Session.Handlers;

/// <summary>Opens, closes and syncs files.</summary>
internal sealed class FileHandler(HandlerParts parts)
{
    private const uint AccessMask = 3; // O_ACCMODE
    private const uint Truncate = 0x200; // O_TRUNC

    /// <summary>Returns how the kernel treats an opening: what it has of a version stays right; what it has of an overlay
    /// as long as that is open, since then nobody else can write to it.</summary>
    public static OpenFlags FlagsOf(TreeNode node, bool wasOpen) =>
        node.Kind == NodeKind.Version || wasOpen
            ? OpenFlags.KeepCache | OpenFlags.NoFlush | OpenFlags.ParallelDirectWrites
            : OpenFlags.NoFlush | OpenFlags.ParallelDirectWrites;

    /// <summary>Opens a file: a version only for reading. O_TRUNC makes all of an overlay zeros, durably, and leaves its size:
    /// programs that cut a file skip the zeros of what they write to it.</summary>
    public void Open(ref Request request)
    {
        var wanted = request.Body.Take<OpenRequest>();
        if (parts.FindNode(request.Header.Node) is not { Entry: not null } node)
        {
            parts.Replies.SendError(request.Header, Errno.Stale);
            return;
        }

        var isCut = (wanted.Flags & Truncate) != 0;
        var isChange = isCut || (wanted.Flags & AccessMask) != 0;
        if (isChange && (node.Kind == NodeKind.Version || parts.IsReadOnly))
        {
            parts.Replies.SendError(request.Header, Errno.ReadOnlyFileSystem);
            return;
        }

        var header = request.Header;
        if (!isCut && parts.Files.TryEnter(node.Id, out _))
        {
            SendOpened(header, node, wasOpen: true);
            return;
        }

        parts.Pending.Queue(header, node.Entry, async token =>
        {
            var file = await parts.Files.OpenAsync(node, token);
            if (isCut)
            {
                await EmptyAsync(file, token);
            }

            SendOpened(header, node, wasOpen: false);
        });
    }

    /// <summary>Ends an opening; the image is closed, and an overlay so made durable, after the last.</summary>
    public void Release(ref Request request)
    {
        if (parts.Files.Find(request.Header.Node) is { } file && file.Exit())
        {
            parts.Files.CloseLater(file);
        }

        parts.Replies.SendDone(request.Header);
    }

    /// <summary>Makes what was written durable.</summary>
    public void Sync(ref Request request)
    {
        var header = request.Header;
        if (parts.FindNode(header.Node) is not { Kind: NodeKind.Overlay } node)
        {
            parts.Replies.SendDone(header);
            return;
        }

        parts.Pending.Queue(header, node.Entry, async token =>
        {
            var file = await parts.Files.EnterAsync(node, token);
            try
            {
                await file.Writable!.FlushAsync(token);
                parts.Replies.SendDone(header);
            }
            finally
            {
                await parts.Files.ExitAsync(file);
            }
        });
    }

    private async ValueTask EmptyAsync(OpenFile file, CancellationToken cancellationToken)
    {
        try
        {
            await file.EmptyAsync(cancellationToken);
        }
        catch
        {
            await parts.Files.ExitAsync(file);
            throw;
        }
    }

    private void SendOpened(in RequestHeader header, TreeNode node, bool wasOpen) =>
        parts.Replies.Send(header, new OpenReply { Handle = node.Id, Flags = FlagsOf(node, wasOpen) });
}
