using System.Runtime.InteropServices;

namespace Benji.Mount.Kernel.Wire;

/// <summary>How to open: struct fuse_open_in.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct OpenRequest
{
    /// <summary>The O_ flags of open(2).</summary>
    public uint Flags;

    /// <summary>Unused.</summary>
    public uint OpenFlags;
}

/// <summary>How to make and open, before the name: struct fuse_create_in.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct CreateRequest
{
    /// <summary>The O_ flags of open(2).</summary>
    public uint Flags;

    /// <summary>The mode asked.</summary>
    public uint Mode;

    /// <summary>The mask of who asks.</summary>
    public uint Umask;

    /// <summary>Unused.</summary>
    public uint OpenFlags;
}

/// <summary>An opening: struct fuse_open_out.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct OpenReply
{
    /// <summary>Names the opening in later requests.</summary>
    public ulong Handle;

    /// <summary>How the kernel treats it.</summary>
    public OpenFlags Flags;

    /// <summary>Unused.</summary>
    public uint Padding;
}

/// <summary>A new file and its opening: struct fuse_entry_out and fuse_open_out.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct CreateReply
{
    /// <summary>The file.</summary>
    public EntryReply Entry;

    /// <summary>The opening.</summary>
    public OpenReply Open;
}

/// <summary>What to read or write: struct fuse_read_in and fuse_write_in; the bytes to write follow.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct TransferRequest
{
    /// <summary>The opening.</summary>
    public ulong Handle;

    /// <summary>First byte in the file, or the place in a directory.</summary>
    public ulong Offset;

    /// <summary>Bytes.</summary>
    public uint Size;

    /// <summary>Flags of the transfer.</summary>
    public uint TransferFlags;

    /// <summary>Unused.</summary>
    public ulong LockOwner;

    /// <summary>The O_ flags of the opening.</summary>
    public uint Flags;

    /// <summary>Unused.</summary>
    public uint Padding;
}

/// <summary>Bytes written or copied: struct fuse_write_out.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct WriteReply
{
    /// <summary>Bytes.</summary>
    public uint Size;

    /// <summary>Unused.</summary>
    public uint Padding;
}

/// <summary>Bytes copied: struct fuse_copy_file_range_out.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct CopyReply64
{
    /// <summary>Bytes.</summary>
    public ulong Size;
}

/// <summary>A change of a range: struct fuse_fallocate_in.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct AllocateRequest
{
    /// <summary>The opening.</summary>
    public ulong Handle;

    /// <summary>First byte.</summary>
    public ulong Offset;

    /// <summary>Bytes.</summary>
    public ulong Length;

    /// <summary>The flags of fallocate(2).</summary>
    public uint Mode;

    /// <summary>Unused.</summary>
    public uint Padding;
}

/// <summary>Where to look for data or a hole: struct fuse_lseek_in.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct SeekRequest
{
    /// <summary>The opening.</summary>
    public ulong Handle;

    /// <summary>Where to begin.</summary>
    public ulong Offset;

    /// <summary>SEEK_DATA or SEEK_HOLE.</summary>
    public uint Whence;

    /// <summary>Unused.</summary>
    public uint Padding;
}

/// <summary>Where it is: struct fuse_lseek_out.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct SeekReply
{
    /// <summary>The first byte of it.</summary>
    public ulong Offset;
}

/// <summary>A range to copy from the node of the request: struct fuse_copy_file_range_in.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct CopyRangeRequest
{
    /// <summary>The opening of the source.</summary>
    public ulong SourceHandle;

    /// <summary>First byte in the source.</summary>
    public ulong SourceOffset;

    /// <summary>The node of the target.</summary>
    public ulong TargetNode;

    /// <summary>The opening of the target.</summary>
    public ulong TargetHandle;

    /// <summary>First byte in the target.</summary>
    public ulong TargetOffset;

    /// <summary>Bytes.</summary>
    public ulong Length;

    /// <summary>Unused.</summary>
    public ulong Flags;
}

/// <summary>The request that somebody no longer wants to wait for: struct fuse_interrupt_in.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct InterruptRequest
{
    /// <summary>Its unique number.</summary>
    public ulong Unique;
}
