namespace Benji.Mount.Kernel.Wire;

/// <summary>What a request asks: enum fuse_opcode of linux/fuse.h.</summary>
internal enum Opcode : uint
{
    /// <summary>Find a name in a directory.</summary>
    Lookup = 1,

    /// <summary>The kernel drops a node; without a reply.</summary>
    Forget = 2,

    /// <summary>Attributes of a node.</summary>
    GetAttributes = 3,

    /// <summary>Change attributes of a node.</summary>
    SetAttributes = 4,

    /// <summary>Target of a symbolic link.</summary>
    ReadLink = 5,

    /// <summary>Make a symbolic link.</summary>
    MakeLink = 6,

    /// <summary>Make a node.</summary>
    MakeNode = 8,

    /// <summary>Make a directory.</summary>
    MakeDirectory = 9,

    /// <summary>Remove a file.</summary>
    Unlink = 10,

    /// <summary>Remove a directory.</summary>
    RemoveDirectory = 11,

    /// <summary>Rename.</summary>
    Rename = 12,

    /// <summary>Make a hard link.</summary>
    HardLink = 13,

    /// <summary>Open a file.</summary>
    Open = 14,

    /// <summary>Read from a file.</summary>
    Read = 15,

    /// <summary>Write to a file.</summary>
    Write = 16,

    /// <summary>Totals of the file system.</summary>
    FileSystemStatus = 17,

    /// <summary>The last descriptor of an opening is closed.</summary>
    Release = 18,

    /// <summary>Make a file's changes durable.</summary>
    Sync = 20,

    /// <summary>Set an extended attribute.</summary>
    SetExtended = 21,

    /// <summary>Value of an extended attribute.</summary>
    GetExtended = 22,

    /// <summary>Names of the extended attributes.</summary>
    ListExtended = 23,

    /// <summary>Remove an extended attribute.</summary>
    RemoveExtended = 24,

    /// <summary>A descriptor is closed.</summary>
    Flush = 25,

    /// <summary>The first request of a connection.</summary>
    Init = 26,

    /// <summary>Open a directory.</summary>
    OpenDirectory = 27,

    /// <summary>Names in a directory.</summary>
    ReadDirectory = 28,

    /// <summary>A directory is closed.</summary>
    ReleaseDirectory = 29,

    /// <summary>Make a directory's changes durable.</summary>
    SyncDirectory = 30,

    /// <summary>May this be accessed?</summary>
    Access = 34,

    /// <summary>Make a file and open it.</summary>
    Create = 35,

    /// <summary>Somebody who waits for a request has got a signal; without a reply.</summary>
    Interrupt = 36,

    /// <summary>The last request of a connection; without a reply.</summary>
    Destroy = 38,

    /// <summary>A control call on a file.</summary>
    Control = 39,

    /// <summary>The kernel drops many nodes; without a reply.</summary>
    ForgetMany = 42,

    /// <summary>Zero, punch or reserve a range.</summary>
    Allocate = 43,

    /// <summary>Names in a directory, with attributes.</summary>
    ReadDirectoryPlus = 44,

    /// <summary>Rename with flags.</summary>
    RenameWithFlags = 45,

    /// <summary>Next data or hole.</summary>
    Seek = 46,

    /// <summary>Copy a range between two files; the count answered has 32 bits.</summary>
    CopyRange = 47,

    /// <summary>Make a file without a name.</summary>
    MakeTemporary = 51,

    /// <summary>Copy a range between two files; the count answered has 64 bits.</summary>
    CopyRange64 = 53,
}
