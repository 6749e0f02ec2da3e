using Benji.Mount.Kernel;
using Benji.Mount.Kernel.Wire;
using Benji.Mount.Tree;

namespace Benji.Mount.Session.Handlers;

/// <summary>Names, attributes, links and totals: what the tree answers without waiting.</summary>
internal sealed class NodeHandler(HandlerParts parts)
{
    private const uint UnitSize = 4096;
    private const uint ModeBits = 0xFFF; // 07777

    /// <summary>Finds a name. A name that is not there may be remembered as such: a notice comes when it appears.</summary>
    public void Lookup(ref Request request)
    {
        var name = request.Body.TakeName();
        if (name.Length > FileNames.LengthMax)
        {
            parts.Replies.SendError(request.Header, Errno.NameTooLong);
            return;
        }

        var directory = parts.Tree.Current.Find(request.Header.Node);
        if (directory is not { Kind: NodeKind.Directory })
        {
            parts.Replies.SendError(request.Header, directory is null ? Errno.NotFound : Errno.NotDirectory);
            return;
        }

        var text = RequestBody.Text(name);
        var entry = text is not null && directory.Find(text) is { } node
            ? parts.Attributes.Entry(node)
            : new EntryReply { EntrySeconds = text == FileNames.Latest ? 0 : AttributeSource.LongSeconds };
        parts.Replies.Send(request.Header, entry);
    }

    /// <summary>Returns attributes.</summary>
    public void GetAttributes(ref Request request)
    {
        if (parts.FindNode(request.Header.Node) is { } node)
        {
            parts.Replies.Send(request.Header, parts.Attributes.Reply(node));
        }
        else
        {
            parts.Replies.SendError(request.Header, Errno.Stale);
        }
    }

    /// <summary>Sets attributes as far as they are what they were: the size, the mode and the owner stay; times of overlays
    /// may be set but do not stick, since they are those of the content.</summary>
    public void SetAttributes(ref Request request)
    {
        var wanted = request.Body.Take<SetAttributesRequest>();
        var node = parts.FindNode(request.Header.Node);
        if (node is null)
        {
            parts.Replies.SendError(request.Header, Errno.Stale);
        }
        else if (node.Kind == NodeKind.Version || parts.IsReadOnly)
        {
            parts.Replies.SendError(request.Header, Errno.ReadOnlyFileSystem);
        }
        else if (node.Kind != NodeKind.Overlay || !IsKept(wanted, parts.Attributes.Of(node)))
        {
            parts.Replies.SendError(request.Header, Errno.NotPermitted);
        }
        else
        {
            parts.Replies.Send(request.Header, parts.Attributes.Reply(node));
        }
    }

    /// <summary>Returns where a link leads.</summary>
    public void ReadLink(ref Request request)
    {
        if (parts.Tree.Current.Find(request.Header.Node) is { Kind: NodeKind.Link } node)
        {
            parts.Replies.SendBytes(request.Header, node.Target);
        }
        else
        {
            parts.Replies.SendError(request.Header, Errno.Invalid);
        }
    }

    /// <summary>Returns the totals: all images at their full size. All of it counts as free, because nothing here fills up:
    /// whoever watches for full disks need not know this one.</summary>
    public void FileSystemStatus(ref Request request)
    {
        var tree = parts.Tree.Current;
        parts.Replies.Send(request.Header, new FileSystemReply
        {
            Blocks = (ulong)(tree.SizeSum / UnitSize),
            BlocksFree = (ulong)(tree.SizeSum / UnitSize),
            BlocksAvailable = (ulong)(tree.SizeSum / UnitSize),
            Files = (ulong)tree.Nodes.Count,
            FilesFree = (ulong)tree.Nodes.Count,
            BlockSize = UnitSize,
            UnitSize = UnitSize,
            NameLengthMax = FileNames.LengthMax,
        });
    }

    // True when nothing that is set would be another one.
    private static bool IsKept(in SetAttributesRequest wanted, in NodeAttributes known) =>
        (!wanted.Valid.HasFlag(AttributeFlags.Size) || wanted.Size == known.Size)
        && (!wanted.Valid.HasFlag(AttributeFlags.Mode) || (wanted.Mode & ModeBits) == (known.Mode & ModeBits))
        && (!wanted.Valid.HasFlag(AttributeFlags.Uid) || wanted.Uid == known.Uid)
        && (!wanted.Valid.HasFlag(AttributeFlags.Gid) || wanted.Gid == known.Gid);
}
