using System.Runtime.InteropServices;

namespace Benji.Mount.Kernel.Wire;

/// <summary>Attributes of a node: struct fuse_attr.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct NodeAttributes
{
    /// <summary>The number that stat shows.</summary>
    public ulong Inode;

    /// <summary>Bytes in the file.</summary>
    public ulong Size;

    /// <summary>Allocated units of 512 bytes.</summary>
    public ulong Blocks;

    /// <summary>Seconds of the last access.</summary>
    public long AccessTime;

    /// <summary>Seconds of the last change of the content.</summary>
    public long ModifyTime;

    /// <summary>Seconds of the last change of anything.</summary>
    public long ChangeTime;

    /// <summary>Nanoseconds of the last access.</summary>
    public uint AccessNanoseconds;

    /// <summary>Nanoseconds of the last change of the content.</summary>
    public uint ModifyNanoseconds;

    /// <summary>Nanoseconds of the last change of anything.</summary>
    public uint ChangeNanoseconds;

    /// <summary>Kind and permissions.</summary>
    public uint Mode;

    /// <summary>Hard links.</summary>
    public uint Links;

    /// <summary>Owner.</summary>
    public uint Uid;

    /// <summary>Group.</summary>
    public uint Gid;

    /// <summary>Unused.</summary>
    public uint Device;

    /// <summary>Bytes that are good to read at once.</summary>
    public uint BlockSize;

    /// <summary>Unused.</summary>
    public uint Flags;
}

/// <summary>A name that was found: struct fuse_entry_out.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct EntryReply
{
    /// <summary>The node; 0 for a name that is known not to be there.</summary>
    public ulong Node;

    /// <summary>What tells the node from former ones of its number.</summary>
    public ulong Generation;

    /// <summary>Seconds that the name may be kept.</summary>
    public ulong EntrySeconds;

    /// <summary>Seconds that the attributes may be kept.</summary>
    public ulong AttributeSeconds;

    /// <summary>Nanoseconds that the name may be kept.</summary>
    public uint EntryNanoseconds;

    /// <summary>Nanoseconds that the attributes may be kept.</summary>
    public uint AttributeNanoseconds;

    /// <summary>The attributes.</summary>
    public NodeAttributes Attributes;
}

/// <summary>Attributes and how long they hold: struct fuse_attr_out.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct AttributesReply
{
    /// <summary>Seconds that the attributes may be kept.</summary>
    public ulong Seconds;

    /// <summary>Nanoseconds that the attributes may be kept.</summary>
    public uint Nanoseconds;

    /// <summary>Unused.</summary>
    public uint Padding;

    /// <summary>The attributes.</summary>
    public NodeAttributes Attributes;
}

/// <summary>New attributes: struct fuse_setattr_in.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct SetAttributesRequest
{
    /// <summary>Which are set.</summary>
    public AttributeFlags Valid;

    /// <summary>Unused.</summary>
    public uint Padding;

    /// <summary>The opening.</summary>
    public ulong Handle;

    /// <summary>New size.</summary>
    public ulong Size;

    /// <summary>Unused.</summary>
    public ulong LockOwner;

    /// <summary>New time of access.</summary>
    public ulong AccessTime;

    /// <summary>New time of change.</summary>
    public ulong ModifyTime;

    /// <summary>Unused.</summary>
    public ulong ChangeTime;

    /// <summary>Nanoseconds of the time of access.</summary>
    public uint AccessNanoseconds;

    /// <summary>Nanoseconds of the time of change.</summary>
    public uint ModifyNanoseconds;

    /// <summary>Unused.</summary>
    public uint ChangeNanoseconds;

    /// <summary>New permissions.</summary>
    public uint Mode;

    /// <summary>Unused.</summary>
    public uint Unused4;

    /// <summary>New owner.</summary>
    public uint Uid;

    /// <summary>New group.</summary>
    public uint Gid;

    /// <summary>Unused.</summary>
    public uint Unused5;
}

/// <summary>Totals of the file system: struct fuse_kstatfs.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct FileSystemReply
{
    /// <summary>Units in all.</summary>
    public ulong Blocks;

    /// <summary>Units free.</summary>
    public ulong BlocksFree;

    /// <summary>Units free to anybody.</summary>
    public ulong BlocksAvailable;

    /// <summary>Files in all.</summary>
    public ulong Files;

    /// <summary>Files that may be made.</summary>
    public ulong FilesFree;

    /// <summary>Bytes that are good to move at once.</summary>
    public uint BlockSize;

    /// <summary>Bytes in a name.</summary>
    public uint NameLengthMax;

    /// <summary>Bytes in a unit.</summary>
    public uint UnitSize;

    /// <summary>Unused.</summary>
    public uint Padding;

    /// <summary>Unused.</summary>
    public fixed uint Spare[6];
}

/// <summary>Head of the value or names asked: struct fuse_getxattr_in and fuse_getxattr_out.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct ExtendedSize
{
    /// <summary>Bytes of room, or 0 to ask for the length; in a reply that length.</summary>
    public uint Size;

    /// <summary>Unused.</summary>
    public uint Padding;
}
