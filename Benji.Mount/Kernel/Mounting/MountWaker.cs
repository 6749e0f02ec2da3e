using Microsoft.Win32.SafeHandles;

namespace Benji.Mount.Kernel.Mounting;

/// <summary>Sends requests through a mount of our own, to wake readers that wait in the kernel for one.</summary>
/// <remarks>Only for a thread that nobody waits for: when no reader is left to answer, the request waits as long as the
/// connection lives. It keeps the connection alive until it is disposed.</remarks>
internal sealed class MountWaker : IDisposable
{
    private const int StatusSize = 512;

    private readonly SafeFileHandle _root;

    private MountWaker(SafeFileHandle root) => _root = root;

    /// <summary>Opens the root of a mount without a request; null when nothing can be opened there.</summary>
    public static MountWaker? TryOpen(string mountPoint)
    {
        var root = LibC.Open(mountPoint, LibC.OpenPath | LibC.OpenCloseOnExec);
        if (root.IsInvalid)
        {
            root.Dispose();
            return null;
        }

        return new MountWaker(root);
    }

    /// <summary>Has the kernel write what programs changed through shared maps and it still keeps.</summary>
    public static void WriteBack(string mountPoint)
    {
        using var root = LibC.Open(mountPoint, LibC.OpenRead | LibC.OpenCloseOnExec);
        if (!root.IsInvalid)
        {
            _ = LibC.SyncFileSystem(root);
        }
    }

    /// <summary>Asks for the totals of the file system; any answer will do.</summary>
    public unsafe void Wake()
    {
        var status = stackalloc byte[StatusSize];
        _ = LibC.FileSystemStatus(_root, status);
    }

    /// <inheritdoc/>
    public void Dispose() => _root.Dispose();
}
