using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Benji.Mount.Kernel.Wire;
using Benji.Mount.Tree;

namespace Benji.Mount.Session.Handlers;

/// <summary>Lists directories. A place in a listing is the number of the last node: it holds while others come and go, and
/// in a later server.</summary>
internal sealed class DirectoryHandler(HandlerParts parts)
{
    private const int Alignment = 8;
    private const ulong SelfPlace = 1;
    private const ulong ParentPlace = 2;
    private const int KindShift = 12;

    /// <summary>Opens a directory; the kernel keeps what it reads until a notice comes.</summary>
    public void Open(ref Request request)
    {
        var flags = OpenFlags.KeepCache | OpenFlags.CacheDirectory;
        parts.Replies.Send(request.Header, new OpenReply { Flags = flags });
    }

    /// <summary>Lists names, with attributes or without, from a place on.</summary>
    public void Read(ref Request request, bool withAttributes)
    {
        var wanted = request.Body.Take<TransferRequest>();
        var directory = parts.Tree.Current.Find(request.Header.Node);
        if (directory is not { Kind: NodeKind.Directory })
        {
            // One that is gone is empty for who still has it open.
            parts.Replies.SendDone(request.Header);
            return;
        }

        var room = request.Worker.Scratch;
        room = room[..(int)Math.Min((uint)room.Length, wanted.Size)];
        var rest = room;
        var place = wanted.Offset;
        if (place < SelfPlace && AddDot(ref rest, directory, "."u8, SelfPlace, withAttributes))
        {
            place = SelfPlace;
        }

        if (place == SelfPlace && AddDot(ref rest, directory.Parent, ".."u8, ParentPlace, withAttributes))
        {
            place = ParentPlace;
        }

        if (place >= ParentPlace)
        {
            foreach (var child in directory.Children[FirstAfter(directory.Children, place)..])
            {
                if (!Add(ref rest, child, child.NameBytes, child.Id, withAttributes ? child : null, withAttributes))
                {
                    break;
                }
            }
        }

        parts.Replies.SendBytes(request.Header, room[..^rest.Length]);
    }

    private static int FirstAfter(ReadOnlySpan<TreeNode> children, ulong place)
    {
        var low = 0;
        var high = children.Length;
        while (low < high)
        {
            var middle = (low + high) / 2;
            (low, high) = children[middle].Id <= place ? (middle + 1, high) : (low, middle);
        }

        return low;
    }

    // The kernel knows these two: without a node it looks nothing up.
    private bool AddDot(
        ref Span<byte> rest, TreeNode node, ReadOnlySpan<byte> name, ulong place, bool withAttributes) =>
        Add(ref rest, node, name, place, looked: null, withAttributes);

    private bool Add(
        ref Span<byte> rest, TreeNode node, ReadOnlySpan<byte> name, ulong place, TreeNode? looked, bool withAttributes)
    {
        var head = withAttributes ? Unsafe.SizeOf<DirectoryRecordPlus>() : Unsafe.SizeOf<DirectoryRecord>();
        var length = (head + name.Length + Alignment - 1) / Alignment * Alignment;
        if (length > rest.Length)
        {
            return false;
        }

        var record = new DirectoryRecord
        {
            Inode = node.Id,
            Next = place,
            NameLength = (uint)name.Length,
            Kind = parts.Attributes.KindOf(node) >> KindShift,
        };
        rest[..length].Clear();
        if (withAttributes)
        {
            var entry = looked is null ? default : parts.Attributes.Entry(looked);
            MemoryMarshal.Write(rest, new DirectoryRecordPlus { Entry = entry, Record = record });
        }
        else
        {
            MemoryMarshal.Write(rest, record);
        }

        name.CopyTo(rest[head..]);
        rest = rest[length..];
        return true;
    }
}
