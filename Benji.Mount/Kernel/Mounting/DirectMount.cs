using System.Globalization;
using System.Runtime.InteropServices;

namespace Benji.Mount.Kernel.Mounting;

/// <summary>Mounts and unmounts by the kernel's own calls, as root may, on the machine or in a user namespace.</summary>
internal static class DirectMount
{
    private const ulong ReadOnly = 1; // MS_RDONLY
    private const ulong NoSetUid = 2; // MS_NOSUID
    private const ulong NoDevices = 4; // MS_NODEV
    private const int Detach = 2; // MNT_DETACH

    /// <summary>Mounts.</summary>
    /// <returns>Null when this user may not; then the helper may.</returns>
    /// <exception cref="FuseDeviceException">There is no device, or the kernel refused.</exception>
    public static FuseDevice? TryMount(MountRequest request)
    {
        FuseDevice? device = null;
        try
        {
            device = FuseDevice.Open();
            Mount(request, device);
            var mounted = device;
            device = null;
            return mounted;
        }
        catch (FuseDeviceException denied) when (denied.Number is Errno.AccessDenied or Errno.NotPermitted)
        {
            return null;
        }
        finally
        {
            device?.Dispose();
        }
    }

    /// <summary>Takes a mount out of sight; it ends when nobody uses it any more.</summary>
    /// <returns>False when this user may not; then the helper may.</returns>
    /// <exception cref="FuseDeviceException">Nothing is mounted there.</exception>
    public static bool TryDetach(string mountPoint)
    {
        if (LibC.Unmount(mountPoint, Detach) == 0)
        {
            return true;
        }

        var errno = Marshal.GetLastPInvokeError();
        return errno == Errno.NotPermitted ? false : throw new FuseDeviceException($"unmount {mountPoint}", errno);
    }

    private static void Mount(MountRequest request, FuseDevice device)
    {
        var flags = NoSetUid | NoDevices | (request.IsReadOnly ? ReadOnly : 0);
        var data = string.Create(
            CultureInfo.InvariantCulture,
            $"fd={device.Handle.DangerousGetHandle()},rootmode=40000,user_id={LibC.EffectiveUser()}," +
            $"group_id={LibC.EffectiveGroup()},default_permissions{(request.AllowOther ? ",allow_other" : "")}");
        if (LibC.Mount(request.Source, request.MountPoint, MountTable.BenjiType, flags, data) < 0)
        {
            throw new FuseDeviceException($"mount on {request.MountPoint}", Marshal.GetLastPInvokeError());
        }
    }
}
