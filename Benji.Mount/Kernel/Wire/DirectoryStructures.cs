using System.Runtime.InteropServices;

namespace Benji.Mount.Kernel.Wire;

/// <summary>The head of a name in a directory, before its bytes: struct fuse_dirent.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct DirectoryRecord
{
    /// <summary>The number that stat shows.</summary>
    public ulong Inode;

    /// <summary>Where the directory goes on behind this name.</summary>
    public ulong Next;

    /// <summary>Bytes in the name.</summary>
    public uint NameLength;

    /// <summary>The kind: the upper four bits of the mode.</summary>
    public uint Kind;
}

/// <summary>The head of a name with its attributes: struct fuse_direntplus.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct DirectoryRecordPlus
{
    /// <summary>What a lookup of the name would answer.</summary>
    public EntryReply Entry;

    /// <summary>The name.</summary>
    public DirectoryRecord Record;
}

/// <summary>Says that a node's attributes and pages are out of date: struct fuse_notify_inval_inode_out.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct InvalidInodeNotice
{
    /// <summary>The node.</summary>
    public ulong Node;

    /// <summary>First byte; negative for the attributes alone.</summary>
    public long Offset;

    /// <summary>Bytes; 0 for all to the end.</summary>
    public long Length;
}

/// <summary>Says that a name is out of date; the name and a zero follow: struct fuse_notify_inval_entry_out.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct InvalidEntryNotice
{
    /// <summary>The directory.</summary>
    public ulong Parent;

    /// <summary>Bytes in the name.</summary>
    public uint NameLength;

    /// <summary><see cref="ExpireOnly"/> or 0.</summary>
    public uint Flags;

    /// <summary>The name is looked up again at its next use, and not dropped at once.</summary>
    public const uint ExpireOnly = 1;
}

/// <summary>Says that a name and its node are gone; the name and a zero follow: struct fuse_notify_delete_out.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct DeleteNotice
{
    /// <summary>The directory.</summary>
    public ulong Parent;

    /// <summary>The node.</summary>
    public ulong Child;

    /// <summary>Bytes in the name.</summary>
    public uint NameLength;

    /// <summary>Unused.</summary>
    public uint Padding;
}
