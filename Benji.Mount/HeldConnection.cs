using Microsoft.Win32.SafeHandles;

namespace Benji.Mount;

/// <summary>A connection to the kernel that outlived its server: the open /dev/fuse, and what was agreed on it.</summary>
/// <param name="Device">The descriptor; owned by the mount that goes on with it.</param>
/// <param name="Negotiated">What <see cref="FuseMount.Negotiated"/> was: one word of at most 64 letters, digits and points.</param>
public sealed record HeldConnection(SafeFileHandle Device, string Negotiated);
