using System.Runtime.InteropServices;

namespace Benji.Mount.Kernel.Wire;

/// <summary>The head of each request: struct fuse_in_header.</summary>
/// <remarks>All structures of this folder have the byte order and alignment of the machine, equal on x86-64 and arm64.</remarks>
[StructLayout(LayoutKind.Sequential)]
internal struct RequestHeader
{
    /// <summary>Bytes in the request, this head included.</summary>
    public uint Length;

    /// <summary>What is asked.</summary>
    public Opcode Opcode;

    /// <summary>Names the request in its reply.</summary>
    public ulong Unique;

    /// <summary>The node it is about.</summary>
    public ulong Node;

    /// <summary>Who asks.</summary>
    public uint Uid;

    /// <summary>The group of who asks.</summary>
    public uint Gid;

    /// <summary>The thread that asks.</summary>
    public uint Thread;

    /// <summary>Length of extensions behind the body, in units of 8 bytes.</summary>
    public ushort ExtensionUnits;

    /// <summary>Unused.</summary>
    public ushort Padding;

    /// <summary>The bit of <see cref="Unique"/> that marks a request which a former server took already.</summary>
    public const ulong ResentBit = 1UL << 63;
}

/// <summary>The head of each reply and notice: struct fuse_out_header.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct ReplyHeader
{
    /// <summary>Bytes in the reply, this head included.</summary>
    public uint Length;

    /// <summary>0, a negated error number, or the code of a notice.</summary>
    public int Error;

    /// <summary>The request that is answered; 0 in a notice.</summary>
    public ulong Unique;
}

/// <summary>What the kernel can do: struct fuse_init_in.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct InitRequest
{
    /// <summary>Its version before the point.</summary>
    public uint Major;

    /// <summary>Its version behind the point.</summary>
    public uint Minor;

    /// <summary>Bytes it may read ahead.</summary>
    public uint ReadAheadMax;

    /// <summary>Lower half of what it offers.</summary>
    public uint Flags;

    /// <summary>Upper half of what it offers.</summary>
    public uint Flags2;

    /// <summary>Unused.</summary>
    public fixed uint Unused[11];
}

/// <summary>What the connection is to be: struct fuse_init_out.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct InitReply
{
    /// <summary>The protocol's version before the point.</summary>
    public uint Major;

    /// <summary>The protocol's version behind the point.</summary>
    public uint Minor;

    /// <summary>Bytes to read ahead at most.</summary>
    public uint ReadAheadMax;

    /// <summary>Lower half of what is taken.</summary>
    public uint Flags;

    /// <summary>Requests in the background at once.</summary>
    public ushort BackgroundMax;

    /// <summary>Requests in the background from which the kernel holds back.</summary>
    public ushort CongestionThreshold;

    /// <summary>Bytes in one write.</summary>
    public uint WriteMax;

    /// <summary>Nanoseconds that times are exact to.</summary>
    public uint TimeGrain;

    /// <summary>Pages in one request.</summary>
    public ushort PagesMax;

    /// <summary>Unused.</summary>
    public ushort MapAlignment;

    /// <summary>Upper half of what is taken.</summary>
    public uint Flags2;

    /// <summary>Unused.</summary>
    public fixed uint Unused[7];
}
