using System.Globalization;
using System.Runtime.InteropServices;

namespace Benji.Mount.Kernel.Mounting;

/// <summary>Mounts and unmounts in whichever way this user may, and cleans up after servers that died.</summary>
internal static class Mounter
{
    private const int StatusSize = 512;

    private static readonly TimeSpan AnswerWait = TimeSpan.FromSeconds(2);

    /// <summary>Returns a path as the table of mounts has it: absolute, without symbolic links; what is mounted there is not
    /// asked.</summary>
    public static string Resolve(string path)
    {
        var full = Path.TrimEndingDirectorySeparator(Path.GetFullPath(path));
        var resolved = LibC.RealPath(full, 0);
        if (resolved == 0)
        {
            return full;
        }

        try
        {
            return Marshal.PtrToStringUTF8(resolved)!;
        }
        finally
        {
            LibC.Free(resolved);
        }
    }

    /// <summary>Mounts a new connection.</summary>
    /// <exception cref="MountFailedException">It could not be; nothing is mounted.</exception>
    public static FuseDevice Mount(MountRequest request)
    {
        CleanUp(request.MountPoint);
        CheckDirectory(request.MountPoint);
        try
        {
            return DirectMount.TryMount(request) ?? HelperMount.Mount(request);
        }
        catch (FuseDeviceException missing) when (missing.Number is Errno.NotFound or Errno.NoDevice or Errno.NoSuchAddress)
        {
            throw new MountFailedException(
                $"{missing.Message} The kernel has no FUSE here: load the module fuse, or give this container /dev/fuse.",
                missing);
        }
        catch (FuseDeviceException refused)
        {
            throw new MountFailedException(refused.Message, refused);
        }
    }

    /// <summary>Takes a mount out of sight; nothing happens when it is gone already.</summary>
    /// <param name="mountPoint">Where.</param>
    /// <param name="device">The device number of the mount that is meant.</param>
    /// <exception cref="MountFailedException">It stays.</exception>
    public static void Detach(string mountPoint, string device)
    {
        if (MountTable.Find(mountPoint)?.Device != device)
        {
            return;
        }

        try
        {
            if (!DirectMount.TryDetach(mountPoint))
            {
                HelperMount.Detach(mountPoint);
            }
        }
        catch (FuseDeviceException refused) when (refused.Number == Errno.Invalid)
        {
            // Somebody else was faster.
        }
        catch (FuseDeviceException refused)
        {
            throw new MountFailedException(refused.Message, refused);
        }
    }

    /// <summary>Has the kernel read ahead more than its default, where this user may say so.</summary>
    public static void SetReadAhead(string device, int bytes)
    {
        try
        {
            File.WriteAllText(
                $"/sys/class/bdi/{device}/read_ahead_kb", (bytes / 1024).ToString(CultureInfo.InvariantCulture));
        }
        catch (Exception denied) when (denied is IOException or UnauthorizedAccessException)
        {
            // The default serves too.
        }
    }

    // A server that died leaves its mount behind: every access says that there is no connection.
    private static void CleanUp(string mountPoint)
    {
        if (MountTable.Find(mountPoint) is not { } entry)
        {
            return;
        }

        if (entry.Type != MountTable.BenjiType)
        {
            throw new MountFailedException($"Mount point {mountPoint} is in use: {entry.Source} is mounted there.");
        }

        // A server that hangs never answers: so long waits a thread that nobody waits for.
        var answer = Task.Factory.StartNew(
            () => StatusOf(mountPoint), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        if (((IAsyncResult)answer).AsyncWaitHandle.WaitOne(AnswerWait)
            && answer.GetAwaiter().GetResult() is Errno.NotConnected or Errno.Aborted)
        {
            Detach(mountPoint, entry.Device);
            return;
        }

        throw new MountFailedException(
            $"Mount point {mountPoint} is in use: {entry.Source} serves it already; 'benji umount {mountPoint}' ends that.");
    }

    private static void CheckDirectory(string mountPoint)
    {
        using var handle = LibC.Open($"{mountPoint}/.", LibC.OpenPath | LibC.OpenCloseOnExec);
        if (handle.IsInvalid)
        {
            var errno = Marshal.GetLastPInvokeError();
            throw new MountFailedException(errno is Errno.NotFound or Errno.NotDirectory
                ? $"Mount point {mountPoint} is no directory: create it first."
                : $"Mount point {mountPoint} cannot be used: {Errno.Describe(errno)}.");
        }
    }

    private static unsafe int StatusOf(string path)
    {
        using var handle = LibC.Open(path, LibC.OpenPath | LibC.OpenCloseOnExec);
        var status = stackalloc byte[StatusSize];
        return !handle.IsInvalid && LibC.FileSystemStatus(handle, status) == 0
            ? Errno.None
            : Marshal.GetLastPInvokeError();
    }
}
