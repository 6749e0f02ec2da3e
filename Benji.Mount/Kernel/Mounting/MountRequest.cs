namespace Benji.Mount.Kernel.Mounting;

/// <summary>What is mounted where.</summary>
/// <param name="MountPoint">An absolute path.</param>
/// <param name="Source">What the table of mounts shows as the source.</param>
/// <param name="IsReadOnly">True when the kernel refuses every change.</param>
/// <param name="AllowOther">True when other users may look inside.</param>
internal sealed record MountRequest(string MountPoint, string Source, bool IsReadOnly, bool AllowOther);
