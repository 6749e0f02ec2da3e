using Benji.Mount.Kernel.Wire;
using Benji.Mount.Session.Files;
using Benji.Mount.Tree;

namespace Benji.Mount.Session.Handlers;

/// <summary>What stat shows of a node, and how long the kernel may believe it.</summary>
internal sealed class AttributeSource(NodeAccess access, OpenFiles files)
{
    /// <summary>Seconds for what cannot change without a notice: names, versions, directories.</summary>
    public const ulong LongSeconds = 3600;

    private const ulong OverlaySeconds = 1;
    private const uint BlockSizeAdvised = 128 * 1024;
    private const long AllocationUnit = 512;
    private const uint DirectorySize = 4096;
    private const long NanosecondsPerTick = 100;

    /// <summary>Returns a node's attributes.</summary>
    public NodeAttributes Of(TreeNode node)
    {
        var (date, size, allocated) = Facts(node);
        var ticks = date.UtcTicks - DateTimeOffset.UnixEpoch.Ticks;
        var seconds = (long)Math.Floor(ticks / (double)TimeSpan.TicksPerSecond);
        var nanoseconds = (uint)((ticks - (seconds * TimeSpan.TicksPerSecond)) * NanosecondsPerTick);
        return new NodeAttributes
        {
            Inode = node.Id,
            Size = (ulong)size,
            Blocks = (ulong)((allocated + AllocationUnit - 1) / AllocationUnit),
            AccessTime = seconds,
            ModifyTime = seconds,
            ChangeTime = seconds,
            AccessNanoseconds = nanoseconds,
            ModifyNanoseconds = nanoseconds,
            ChangeNanoseconds = nanoseconds,
            Mode = access.ModeOf(node),
            Links = node.Kind == NodeKind.Directory ? 2 + (uint)node.DirectoryCount : 1,
            Uid = access.Uid,
            Gid = access.Gid,
            BlockSize = BlockSizeAdvised,
        };
    }

    /// <summary>Returns the mode of a node: its kind in the upper four of sixteen bits, and its permissions.</summary>
    public uint KindOf(TreeNode node) => access.ModeOf(node);

    /// <summary>Returns the attributes with the time they hold.</summary>
    public AttributesReply Reply(TreeNode node) =>
        new() { Seconds = SecondsOf(node), Attributes = Of(node) };

    /// <summary>Returns what a lookup answers; a link is asked for anew each time.</summary>
    public EntryReply Entry(TreeNode node) => new()
    {
        Node = node.Id,
        Generation = node.Generation,
        EntrySeconds = node.Kind == NodeKind.Link ? 0 : LongSeconds,
        AttributeSeconds = SecondsOf(node),
        Attributes = Of(node),
    };

    private static ulong SecondsOf(TreeNode node) => node.Kind switch
    {
        NodeKind.Link => 0,
        NodeKind.Overlay => OverlaySeconds,
        _ => LongSeconds,
    };

    private (DateTimeOffset Date, long Size, long Allocated) Facts(TreeNode node)
    {
        switch (node.Kind)
        {
            case NodeKind.Version:
                return (node.Date, node.Entry!.Size, node.Entry.Version.AllocatedBytes);
            case NodeKind.Overlay:
                var facts = files.FactsOf(node);
                return (facts.LastChange, node.Entry!.Size, facts.AllocatedBytes);
            case NodeKind.Link:
                return (node.Date, node.Target.Length, 0);
            default:
                return (node.Date, DirectorySize, 0);
        }
    }
}
