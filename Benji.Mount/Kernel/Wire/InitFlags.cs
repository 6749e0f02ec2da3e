namespace Benji.Mount.Kernel.Wire;

/// <summary>What kernel and server agree on at the start: FUSE_INIT flags of linux/fuse.h; the upper half is flags2.</summary>
[Flags]
internal enum InitFlags : ulong
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>Reads may come in any order.</summary>
    AsyncRead = 1UL << 0,

    /// <summary>O_TRUNC is passed to open.</summary>
    AtomicTruncate = 1UL << 3,

    /// <summary>Writes may be longer than a page.</summary>
    BigWrites = 1UL << 5,

    /// <summary>Names come with attributes.</summary>
    ReadDirectoryPlus = 1UL << 13,

    /// <summary>Names come with attributes when the reader seems to want them.</summary>
    ReadDirectoryPlusAuto = 1UL << 14,

    /// <summary>Lookups in one directory may overlap.</summary>
    ParallelDirectories = 1UL << 18,

    /// <summary>Access control lists are asked for once and kept.</summary>
    AccessLists = 1UL << 20,

    /// <summary>A read of the device after an abort says so.</summary>
    AbortError = 1UL << 21,

    /// <summary>Requests may be longer than 128 KiB.</summary>
    MaxPages = 1UL << 22,

    /// <summary>Cached pages go only when the server says so.</summary>
    ExplicitInvalidation = 1UL << 25,

    /// <summary>The server clears set-user-id bits on a write; here no file has them.</summary>
    HandleKillPrivileges2 = 1UL << 28,

    /// <summary>The request and reply have flags2.</summary>
    Extended = 1UL << 30,

    /// <summary>Names can be made to expire without being forgotten.</summary>
    ExpireOnly = 1UL << 35,

    /// <summary>Files opened for direct access can be mapped.</summary>
    DirectMaps = 1UL << 36,

    /// <summary>Requests that a dead server took can be sent again.</summary>
    Resend = 1UL << 39,
}

/// <summary>How an opened file is treated: FOPEN flags of linux/fuse.h.</summary>
[Flags]
internal enum OpenFlags : uint
{
    /// <summary>As usual.</summary>
    None = 0,

    /// <summary>Reads and writes go past the page cache.</summary>
    Direct = 1 << 0,

    /// <summary>What is cached of the file stays.</summary>
    KeepCache = 1 << 1,

    /// <summary>The names read from the directory are cached.</summary>
    CacheDirectory = 1 << 3,

    /// <summary>A close is not reported.</summary>
    NoFlush = 1 << 5,

    /// <summary>Direct writes may overlap.</summary>
    ParallelDirectWrites = 1 << 6,
}

/// <summary>Which attributes a request sets: FATTR flags of linux/fuse.h.</summary>
[Flags]
internal enum AttributeFlags : uint
{
    /// <summary>None.</summary>
    None = 0,

    /// <summary>Permissions.</summary>
    Mode = 1 << 0,

    /// <summary>Owner.</summary>
    Uid = 1 << 1,

    /// <summary>Group.</summary>
    Gid = 1 << 2,

    /// <summary>Size.</summary>
    Size = 1 << 3,
}

/// <summary>What the kernel is told unasked: enum fuse_notify_code of linux/fuse.h.</summary>
internal enum NoticeCode
{
    /// <summary>A node's attributes and pages are out of date.</summary>
    InvalidInode = 2,

    /// <summary>A name is out of date.</summary>
    InvalidEntry = 3,

    /// <summary>A name and its node are gone.</summary>
    Delete = 6,

    /// <summary>Send again what the former server took and did not answer.</summary>
    Resend = 7,

    /// <summary>No name that was looked up before is known any more; unknown before Linux 6.16.</summary>
    NewEpoch = 8,
}
