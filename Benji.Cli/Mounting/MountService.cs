using Benji.Cli.Services;
using Benji.Mount;
using Benji.Store.Images;
using Benji.Store.Model;
using Microsoft.Extensions.Logging;

namespace Benji.Cli.Mounting;

/// <summary>One mount as a service: begun anew or gone on with, held by the service manager, recorded, and ended.</summary>
internal sealed class MountService : IAsyncDisposable
{
    /// <summary>How the names of held connections begin; what the kernel and the mount agreed on follows.</summary>
    private const string HeldName = "benji-mount-";

    private readonly FuseMount _mount;
    private readonly MountRecord? _record;
    private readonly ServiceNotify _manager;

    private MountService(FuseMount mount, MountRecord? record, ServiceNotify manager)
    {
        _mount = mount;
        _record = record;
        _manager = manager;
    }

    /// <summary>Ends when somebody unmounts it; fails when the device did.</summary>
    public Task Ended => _mount.Ended;

    /// <summary>Mounts, or goes on with the mount whose connection the service manager has held, and tells it.</summary>
    /// <param name="images">What is mounted.</param>
    /// <param name="options">Where and how.</param>
    /// <param name="check">Refuses a mount point that may not be one, where a mount is begun; one that is gone on with
    /// must not be looked at before it is served.</param>
    /// <param name="variable">Returns an environment variable.</param>
    /// <param name="logger">Hears of the mount.</param>
    /// <param name="clock">Times the looks for changes.</param>
    /// <param name="stop">Gives up before it is mounted.</param>
    public static async Task<MountService> StartAsync(
        IImageDirectory images,
        FuseMountOptions options,
        Action check,
        Func<string, string?> variable,
        ILogger logger,
        TimeProvider clock,
        CancellationToken stop)
    {
        var manager = new ServiceNotify(variable(ServiceNotify.Variable));
        var mount = await StartMountAsync(images, options, check, variable, logger, clock, stop);
        try
        {
            var record = MountTable.Find(options.MountPoint) is { } entry ? MountRecord.TryWrite(entry) : null;
            if (manager.IsListening)
            {
                manager.Store(HeldName + mount.Negotiated, mount.Device);
                manager.Ready($"Mounted at {options.MountPoint}");
            }

            return new MountService(mount, record, manager);
        }
        catch
        {
            await mount.DisposeAsync();
            throw;
        }
    }

    /// <summary>Unmounts, and makes what was written durable.</summary>
    /// <exception cref="StorageException">An overlay could not be made durable.</exception>
    public async ValueTask DisposeAsync()
    {
        try
        {
            if (_manager.IsListening)
            {
                // Before the end, because a service manager that hears of none takes every end for a crash.
                _manager.Stopping();
                _manager.Forget(HeldName + _mount.Negotiated);
            }
        }
        finally
        {
            await _mount.DisposeAsync();
            _record?.Remove();
        }
    }

    private static async Task<FuseMount> StartMountAsync(
        IImageDirectory images,
        FuseMountOptions options,
        Action check,
        Func<string, string?> variable,
        ILogger logger,
        TimeProvider clock,
        CancellationToken stop)
    {
        var held = HeldDescriptors.Take(variable, HeldName);
        if (held is [var (name, device), ..])
        {
            foreach (var (_, other) in held.Skip(1))
            {
                other.Dispose();
            }

            // A connection whose mount was taken away meanwhile leads nowhere.
            if (MountTable.Find(options.MountPoint) is { Type: MountTable.BenjiType })
            {
                var connection = new HeldConnection(device, name[HeldName.Length..]);
                return await FuseMount.ResumeAsync(images, options, connection, logger, clock, stop);
            }

            device.Dispose();
        }

        if (MountPoint.Clean(options.MountPoint) is > 0 and var cleaned)
        {
            Log.StaleMountRemoved(logger, cleaned, options.MountPoint);
        }

        check();
        return await FuseMount.StartAsync(images, options, logger, clock, stop);
    }
}
