namespace Benji.Mount.Kernel;

/// <summary>Says that a call on the device, or one to mount or unmount, failed.</summary>
internal sealed class FuseDeviceException(string action, int errno)
    : Exception($"Cannot {action}: {Errno.Describe(errno)}.")
{
    /// <summary>The error number.</summary>
    public int Number { get; } = errno;
}
